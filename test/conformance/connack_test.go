package conformance

import (
	"slices"
	"strings"
	"time"
)

// Section 3.2: CONNACK.

func testConnackIsFirst(c *check) {
	o := c.kept("a")
	c.leave(o)
	w := c.dial()
	w.send(cat(c.connectBytes(o), frame(pingreq, 0)))
	w.connacked(w.next())
	w.expect(pingresp)
}

func testOneConnack(c *check) {
	w := c.plain()
	w.ping()
	w.send(c.connectBytes(options{}))
	if p, err := w.read(); err == nil && p.kind == connack {
		c.fatalf("a second CONNACK")
	}
}

func testConnackFlags(c *check) {
	o := c.kept("a")
	for range 2 {
		w := c.client(o)
		if w.ack.flags&^1 != 0 {
			c.fatalf("CONNACK flags %#x", w.ack.flags)
		}
		w.bye()
	}
}

// refusals connects in ways that servers refuse, and returns the connections
// that were refused with a CONNACK.
func (c *check) refusals() []*wire {
	c.leave(c.kept("a")) // refused or not, there is a session
	level := c.kept("a")
	level.level = 2
	all := [][]byte{c.refusable(), c.connectBytes(level)}
	if c.v == v5 {
		o := c.kept("a")
		o.props = prop(authMethod, str("no-such-method"))
		all = append(all, c.connectBytes(o))
	}
	var refused []*wire
	for _, p := range all {
		w := c.dial()
		w.send(p)
		if p, err := w.read(); err == nil {
			w.connacked(p)
			if w.ack.code != 0 {
				refused = append(refused, w)
			}
		}
	}
	return refused
}

func testRefusalHasNoSessionPresent(c *check) {
	for _, w := range c.refusals() {
		if w.present() {
			c.fatalf("CONNACK flags %#x with code %#x", w.ack.flags, w.ack.code)
		}
	}
}

func testRefusalIsTheEnd(c *check) {
	for _, w := range c.refusals() {
		_, err := w.read()
		w.closed(err)
	}
}

// connectCodes are the reason codes that a CONNACK may have.
func connectCodes() []byte {
	return []byte{0, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x90,
		0x95, 0x97, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9f, 1} // 1 is of MQTT 3, for a client of another version
}

func testConnackCodes(c *check) {
	for _, w := range c.refusals() {
		w.oneOf(w.ack.code, connectCodes())
	}
}

func testMaximumQoSIsSaid(c *check) {
	w := c.plain()
	if n := w.ack.got.number(maximumQoS, 2); n < 2 {
		return // it is said
	}
	w.subscribe(filter{c.topic("t"), 2})
	w.publish(message{topic: c.topic("t"), payload: "x", qos: 2})
	w.receive("x")
}

func testEveryQoSCanBeSubscribed(c *check) {
	w := c.plain()
	for qos := byte(0); qos <= 2; qos++ {
		if a := w.ask(nil, filter{c.topic("t"), qos}); len(a.codes) != 1 || a.codes[0] > qos {
			c.fatalf("SUBACK % x for QoS %d", a.codes, qos)
		}
	}
}

func testWillQoSBeyondTheMaximum(c *check) {
	will := c.will("w")
	will.qos = 2
	if c.plain().ack.got.number(maximumQoS, 2) < 2 {
		c.refused(c.connectBytes(options{will: will}), 0x9b)
		return
	}
	c.client(options{will: will}).bye()
}

func testRetainedWillWithoutRetain(c *check) {
	will := c.will("w")
	will.retain = true
	if c.plain().ack.got.number(retainAvailable, 1) == 0 {
		c.refused(c.connectBytes(options{will: will}), 0x9a)
		return
	}
	c.client(options{will: will}).bye()
}

func testAssignedClientIDIsNew(c *check) {
	var ids []string
	for range 5 {
		w := c.client(options{nameless: true})
		id := w.ack.got.all(assignedClientID)
		if len(id) != 1 || id[0] == "" || slices.Contains(ids, id[0]) {
			c.fatalf("assigned %q after %q", id, ids)
		}
		ids = append(ids, id[0])
	}
	if c.plain().ack.got.has(assignedClientID) {
		c.fatalf("an identifier is assigned to a client that has one")
	}
}

// testSmallConnack is refused with little room for a reason.
func testSmallConnack(c *check) {
	small := prop(maximumPacketSize, u32(16))
	for _, o := range []options{
		{props: cat(small, prop(authMethod, str("no-such-method")))},
		{props: small, id: "/+#" + strings.Repeat("x", 300)},
		{props: small, will: &message{topic: "/+#", payload: "x"}},
	} {
		w := c.dial()
		w.send(c.connectBytes(o))
		if p, err := w.read(); err == nil && p.size > 16 {
			c.fatalf("CONNACK has %d bytes", p.size)
		}
	}
}

// testKeepAliveIsTheClients wants a server without a keep-alive of its own to
// keep to that of the client, which is long enough here.
func testKeepAliveIsTheClients(c *check) {
	w := c.client(options{keepAlive: 2})
	if w.ack.got.has(serverKeepAlive) {
		c.skip("the server has a keep-alive of its own")
	}
	c.letPass(1500 * time.Millisecond)
	w.ping()
	start := time.Now()
	w.ends(0x8d)
	if took := time.Since(start); took < 2*time.Second || took > 5*time.Second {
		c.fatalf("closed after %v", took)
	}
}

func testNoResponseInformation(c *check) {
	for _, o := range []options{{}, {props: prop(requestResponse, []byte{0})}} {
		if c.client(o).ack.got.has(responseInfo) {
			c.fatalf("response information that nobody asked for")
		}
	}
}

// testNoProblemInformation provokes refusals, which may have no reasons.
func testNoProblemInformation(c *check) {
	quiet := options{props: prop(requestProblem, []byte{0})}
	for _, f := range []string{c.topic("a"), c.topic("#/a"), c.topic("a") + "/?{}", "$no/such/topic"} {
		w := c.client(quiet)
		w.send(subscribeBytes(c.v, 1, nil, filter{f, 1}))
		c.noProblem(w, suback)
	}
	for _, m := range []message{
		{topic: c.topic("a"), qos: 1}, {topic: "$no/such/topic", qos: 1}, {topic: "$no/such/topic", qos: 2},
	} {
		w := c.client(quiet)
		m.id = 1
		w.send(m.bytes(c.v))
		c.noProblem(w, puback+m.qos-1)
	}
	for _, p := range [][]byte{ackBytes(pubrel, 9), ackBytes(pubrec, 9), unsubscribeBytes(c.v, 9, c.topic("a"))} {
		w := c.client(quiet)
		w.send(p)
		c.noProblem(w, map[byte]byte{pubrel: pubcomp, pubrec: pubrel, unsubscribe: unsuback}[p[0]>>4])
	}
}

// noProblem takes the answer, or the end of the connection.
func (c *check) noProblem(w *wire, kind byte) {
	p, err := w.read()
	if err != nil || p.kind == disconnect {
		return
	}
	r := reader{rest: p.body}
	r.u16()
	var got properties
	if kind == suback || kind == unsuback {
		got = r.properties(kind)
	} else if len(r.rest) > 1 {
		r.u8()
		got = r.properties(kind)
	}
	w.sound(r.err)
	if p.kind != kind || got.has(reasonString) || got.has(userProperty) {
		c.fatalf("packet type %d with the properties %q", p.kind, got)
	}
}
