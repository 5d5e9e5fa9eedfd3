package conformance

import (
	"slices"
	"time"
)

// Wills (3.1.2, 3.1.3 and 3.14.4).

// watch subscribes to the topic of the will.
func (c *check) watch() *wire {
	w := c.plain()
	w.subscribe(filter{c.topic("w"), 2 | c.asPublished()})
	return w
}

// asPublished is the option to see the RETAIN flag, which MQTT 3.1.1 lacks.
func (c *check) asPublished() byte {
	if c.v < v5 {
		return 0
	}
	return retainAsPublished
}

func testWillIsPublished(c *check) {
	for qos := byte(0); qos <= 2; qos++ {
		sub, will := c.watch(), c.will("w")
		will.qos = qos
		c.client(options{will: will}).drop()
		if m := sub.receive("gone"); m.qos != qos || m.topic != will.topic {
			c.fatalf("the will has QoS %d and topic %q", m.qos, m.topic)
		}
		sub.bye()
	}
}

// testWillIsPublishedOrDeleted ends connections in every way that there is.
func testWillIsPublishedOrDeleted(c *check) {
	sub := c.watch()
	w := c.client(options{will: c.will("w")})
	w.send(message{topic: c.topic("t"), qos: 3, id: 1}.bytes(c.v)) // malformed: the server closes the connection
	w.end()
	sub.receive("gone")
	c.client(options{will: c.will("w")}).bye()
	sub.silent()
	// The connection is taken over.
	o := c.kept("over")
	o.will = c.will("w")
	c.client(o)
	o.will = nil
	c.client(o)
	sub.receive("gone")
	if c.v < v5 {
		return
	}
	w = c.client(options{will: c.will("w")})
	w.send(frame(disconnect, 0, []byte{4})) // disconnect with will message
	sub.receive("gone")

	// The session ends before the delay does.
	will := c.will("w")
	will.props = prop(willDelay, u32(60))
	c.client(options{will: will}).drop()
	sub.receive("gone")
	ended := c.kept("ended")
	ended.will = will
	c.client(ended).drop()
	ended.will, ended.resume = nil, false
	c.client(ended)
	sub.receive("gone")

	// The delay is over.
	will.props = prop(willDelay, u32(1))
	o = c.kept("a")
	o.will = will
	start := time.Now()
	c.client(o).drop()
	sub.receive("gone")
	if took := time.Since(start); took < 900*time.Millisecond {
		c.fatalf("a will with a delay of 1 s is published after %v", took)
	}
}

func testWillIsRemoved(c *check) {
	sub := c.watch()
	o := c.kept("a")
	o.will = c.will("w")
	c.client(o).drop()
	sub.receive("gone")
	o.will = nil
	c.client(o).drop() // published once
	o.will = c.will("w")
	c.client(o).bye() // DISCONNECT removes it
	o.will = nil
	c.client(o).drop()
	sub.silent()
}

func testNoWill(c *check) {
	sub := c.watch()
	w := c.plain()
	w.send(message{topic: c.topic("t"), qos: 3, id: 1}.bytes(c.v))
	w.end()
	c.plain().drop()
	sub.silent()
}

func testWillIsNotRetained(c *check) {
	sub := c.watch()
	c.client(options{will: c.will("w")}).drop()
	if m := sub.receive("gone"); m.retain {
		c.fatalf("the will has RETAIN 1")
	}
	c.watch().silent()
}

func testWillIsRetained(c *check) {
	sub, will := c.watch(), c.will("w")
	will.retain = true
	c.client(options{will: will}).drop()
	sub.receive("gone")
	if m := c.watch().receive("gone"); !m.retain {
		c.fatalf("the retained will has RETAIN 0")
	}
}

func testWillIsNotSentAfterAReconnect(c *check) {
	sub := c.watch()
	o := c.kept("a")
	o.will = c.will("w")
	o.will.props = prop(willDelay, u32(1))
	c.client(o).drop()
	o.will = nil
	c.client(o)
	c.letPass(1500 * time.Millisecond)
	sub.silent()
}

func testWillPropertiesKeepTheirOrder(c *check) {
	sub, will := c.watch(), c.will("w")
	will.props = cat(user("b", "1"), user("a", "2"), prop(contentType, str("text/plain")), user("b", "0"))
	c.client(options{will: will}).drop()
	m := sub.receive("gone")
	if got := m.got.all(userProperty); !slices.Equal(got, []string{"b=1", "a=2", "b=0"}) {
		c.fatalf("user properties %q", got)
	}
	if got := m.got.all(contentType); !slices.Equal(got, []string{"text/plain"}) {
		c.fatalf("content type %q", got)
	}
}

func testWillIsDiscardedByDisconnect(c *check) {
	sub := c.watch()
	c.client(options{will: c.will("w")}).bye()
	if c.v == v5 {
		w := c.client(options{will: c.will("w")})
		w.send(frame(disconnect, 0, []byte{0, 0}))
		w.end()
	}
	sub.silent()
}

func testKeepAlive(c *check) {
	sub := c.watch()
	start := time.Now()
	w := c.client(options{keepAlive: 1, will: c.will("w")})
	if w.ack.got.has(serverKeepAlive) {
		c.skip("the server has a keep-alive of its own")
	}
	w.ends(0x8d)
	// One and a half times the keep-alive, and the time that a server takes to notice.
	if took := time.Since(start); took < time.Second || took > 3*time.Second {
		c.fatalf("closed after %v", took)
	}
	sub.receive("gone")
}
