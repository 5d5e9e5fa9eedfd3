package conformance

import "time"

// Sessions: clean start, resumption and expiry (3.1.2, 3.2.2 and 4.1).

// leave makes a session that has a subscription and a message waiting, under
// the given options.
func (c *check) leave(o options) {
	w := c.client(o)
	w.subscribe(filter{c.topic("t"), 2})
	w.bye()
	c.plain().publish(message{topic: c.topic("t"), payload: "waiting", qos: 1})
}

func testCleanStartDiscards(c *check) {
	o := c.kept("a")
	c.leave(o)
	unfinished := message{topic: c.topic("u"), payload: "unfinished", qos: 2, id: 5}
	w := c.client(o)
	w.send(unfinished.bytes(c.v))
	w.expect(pubrec)
	w.drop()
	sub := c.plain()
	sub.subscribe(filter{c.topic("u"), 0})
	clean := o
	clean.resume = false
	w = c.client(clean)
	if w.present() {
		c.fatalf("session present after a clean start")
	}
	c.plain().publish(message{topic: c.topic("t"), payload: "late", qos: 1})
	w.silent()
	w.publish(message{topic: c.topic("u"), payload: "new", qos: 2, id: 5}) // the old flow is forgotten
	sub.receive("new")
	w.bye()
	if c.v == v311 && c.client(o).present() {
		c.fatalf("the clean session was kept")
	}
}

func testSessionIsResumed(c *check) {
	o := c.kept("a")
	c.leave(o)
	w := c.client(o)
	if !w.present() {
		c.fatalf("no session present")
	}
	w.receive("waiting")
	c.plain().publish(message{topic: c.topic("t"), payload: "late", qos: 2})
	if m := w.receive("late"); m.qos != 2 {
		c.fatalf("QoS %d instead of 2", m.qos)
	}
}

func testNewSession(c *check) {
	w := c.client(c.kept("a"))
	if w.present() {
		c.fatalf("session present, and there was none")
	}
	w.subscribe(filter{c.topic("t"), 1})
	w.publish(message{topic: c.topic("t"), payload: "x", qos: 1})
	w.receive("x")
}

func testMessagesWaitForASession(c *check) {
	o := c.kept("a")
	w := c.client(o)
	w.subscribe(filter{c.topic("t"), 2})
	w.drop()
	p := c.plain()
	for _, m := range []message{{payload: "1", qos: 1}, {payload: "2", qos: 2}, {payload: "3", qos: 1}} {
		m.topic = c.topic("t")
		p.publish(m)
	}
	w = c.client(o)
	for _, payload := range []string{"1", "2", "3"} {
		w.receive(payload)
	}
}

func testClientIDIdentifiesTheSession(c *check) {
	c.leave(c.kept("a"))
	if other := c.client(c.kept("A")); other.present() {
		c.fatalf("another client has the session")
	}
	if !c.client(c.kept("a")).present() {
		c.fatalf("the session is not there")
	}
}

func testSessionPresent(c *check) {
	o := c.kept("a")
	for i, want := range []bool{false, true, true} {
		w := c.client(o)
		if w.present() != want || w.ack.flags > 1 {
			c.fatalf("CONNACK flags %#x at connection %d", w.ack.flags, i+1)
		}
		w.bye()
	}
	o.resume = false
	if c.client(o).present() {
		c.fatalf("session present after a clean start")
	}
}

func testSessionIsNotPresent(c *check) {
	w := c.client(c.kept("a"))
	if w.ack.flags != 0 {
		c.fatalf("CONNACK flags %#x of a new session", w.ack.flags)
	}
}

func testSessionIsStored(c *check) {
	o := c.kept("a")
	c.leave(o)
	for range 2 { // the first takes the message, the second finds the subscription
		w := c.client(o)
		if !w.present() {
			c.fatalf("no session present")
		}
		if c.v == v5 {
			w.drop()
		} else {
			w.bye()
		}
	}
}

func testSessionExpires(c *check) {
	o := c.kept("a")
	o.expiry = 1
	c.leave(o)
	ends := c.kept("b")
	ends.expiry = 0 // the session ends with the connection
	c.leave(ends)
	override := c.kept("c")
	w := c.client(override)
	w.send(frame(disconnect, 0, []byte{0}, props(c.v, prop(sessionExpiry, u32(0)))))
	w.end()
	if c.client(ends).present() || c.client(override).present() {
		c.fatalf("a session with an expiry of 0 is present")
	}
	c.letPass(3500 * time.Millisecond) // a server may look for such sessions from time to time
	w = c.client(o)
	if w.present() {
		c.fatalf("an expired session is present")
	}
	c.plain().publish(message{topic: c.topic("t"), payload: "late", qos: 1})
	w.silent()
}

func testSessionLastsWhileConnected(c *check) {
	o := options{id: c.id("a")}
	if c.v == v5 {
		o = options{id: c.id("a"), resume: true, expiry: 1}
	}
	w := c.client(o)
	w.subscribe(filter{c.topic("t"), 1})
	c.letPass(1500 * time.Millisecond)
	c.plain().publish(message{topic: c.topic("t"), payload: "x", qos: 1})
	w.receive("x")
}

func testRetainedMessagesOutliveTheSession(c *check) {
	w := c.plain()
	w.publish(message{topic: c.topic("t"), payload: "kept", qos: 1, retain: true})
	w.bye()
	w = c.plain()
	w.subscribe(filter{c.topic("t"), 1})
	w.receive("kept")
}
