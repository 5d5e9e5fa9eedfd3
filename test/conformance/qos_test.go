package conformance

import (
	"fmt"
	"time"
)

// Sections 4.3 to 4.6: quality of service, delivery and order.

func testQoS0HasNoDup(c *check) {
	w := c.plain()
	w.subscribe(filter{c.topic("t"), 2})
	w.publish(message{topic: c.topic("t"), payload: "x"})
	if m := w.receive("x"); m.qos != 0 || m.dup {
		c.fatalf("QoS %d with DUP %v", m.qos, m.dup)
	}
}

func testQoS1IsResent(c *check) { c.resent(1) }
func testQoS2IsResent(c *check) { c.resent(2) }

// resent leaves a message without an answer, three times, and then answers it.
func (c *check) resent(qos byte) {
	o := c.kept("a")
	w := c.client(o)
	w.subscribe(filter{c.topic("t"), qos})
	c.plain().publish(message{topic: c.topic("t"), payload: "x", qos: qos})
	id := w.message().id
	for i := range 3 {
		if i > 0 { // else it is taken over
			w.drop()
		}
		w = c.client(o)
		if m := w.message(); m.id != id || !m.dup || m.payload != "x" {
			c.fatalf("%q with identifier %d and DUP %v instead of %d", m.payload, m.id, m.dup, id)
		}
	}
	w.acknowledge(message{qos: qos, id: id})
	w.bye()
	c.client(o).silent()
}

func testPubackForQoS1(c *check) {
	w := c.plain()
	w.subscribe(filter{c.topic("t"), 1})
	w.publish(message{topic: c.topic("t"), payload: "x", qos: 1, id: 77})
	w.receive("x") // accepted: it is on its way
}

func testPacketIDAfterPuback(c *check) {
	w := c.plain()
	w.subscribe(filter{c.topic("t"), 1})
	for i, dup := range []bool{false, true, true} {
		w.publish(message{topic: c.topic("t"), payload: fmt.Sprint(i), qos: 1, id: 9, dup: dup})
		w.receive(fmt.Sprint(i))
	}
}

func testPubrelFollowsPubrec(c *check) {
	w := c.plain()
	w.subscribe(filter{c.topic("t"), 2})
	w.publish(message{topic: c.topic("t"), payload: "x", qos: 2})
	m := w.message()
	w.send(ackBytes(pubrec, m.id))
	if a := w.reply(pubrel, m.id); a.code != 0 || a.flags != 2 {
		c.fatalf("PUBREL with code %#x and flags %#x", a.code, a.flags)
	}
	w.send(ackBytes(pubcomp, m.id))
	w.silent()
}

// testPubrelIsResent drops the connection between PUBREC and PUBCOMP.
func testPubrelIsResent(c *check) {
	o := c.kept("a")
	w := c.client(o)
	w.subscribe(filter{c.topic("t"), 2})
	c.plain().publish(message{topic: c.topic("t"), payload: "x", qos: 2})
	m := w.message()
	w.send(ackBytes(pubrec, m.id))
	w.reply(pubrel, m.id)
	w.drop()
	w = c.client(o)
	if p := w.next(); p.kind != pubrel || string(p.body[:2]) != string(u16(m.id)) {
		c.fatalf("packet type %d with % x instead of PUBREL", p.kind, p.body)
	}
	w.send(ackBytes(pubcomp, m.id))
	w.bye()
	c.client(o).silent()
}

// testExpiryAfterSending lets a message expire that is in flight.
func testExpiryAfterSending(c *check) {
	o := c.kept("a")
	w := c.client(o)
	w.subscribe(filter{c.topic("t"), 2})
	c.plain().publish(message{topic: c.topic("t"), payload: "x", qos: 2, props: prop(messageExpiry, u32(1))})
	id := w.message().id
	w.drop()
	c.letPass(2200 * time.Millisecond)
	w = c.client(o)
	if m := w.receive("x"); m.id != id {
		c.fatalf("identifier %d instead of %d", m.id, id)
	}
}

func testPubrecForQoS2(c *check) {
	w := c.plain()
	w.subscribe(filter{c.topic("t"), 2})
	w.publish(message{topic: c.topic("t"), payload: "x", qos: 2, id: 78})
	w.receive("x")
}

// testPacketIDAfterARefusal needs a topic that the server refuses.
func testPacketIDAfterARefusal(c *check) {
	w := c.plain()
	w.subscribe(filter{c.topic("t"), 2})
	w.send(message{topic: "$no/such/topic", payload: "x", qos: 2, id: 5}.bytes(c.v))
	if p, err := w.read(); err != nil || p.kind != pubrec || len(p.body) < 3 || p.body[2] < 0x80 {
		c.skip("the server refuses no topic with PUBREC")
	}
	w.publish(message{topic: c.topic("t"), payload: "new", qos: 2, id: 5})
	w.receive("new")
}

func testQoS2IsDeliveredOnce(c *check) {
	o := c.kept("pub")
	w, sub := c.client(o), c.plain()
	sub.subscribe(filter{c.topic("t"), 2})
	m := message{topic: c.topic("t"), payload: "once", qos: 2, id: 5}
	w.send(m.bytes(c.v))
	w.reply(pubrec, 5)
	m.dup = true
	w.send(m.bytes(c.v))
	if a := w.reply(pubrec, 5); a.code >= 0x80 {
		c.fatalf("PUBREC %#x ends the flow", a.code)
	}
	w.drop()
	w = c.client(o) // the state outlives the connection
	w.send(m.bytes(c.v))
	w.reply(pubrec, 5)
	w.send(ackBytes(pubrel, 5))
	w.reply(pubcomp, 5)
	sub.receive("once")
	sub.silent()
}

func testPubcompForPubrel(c *check) {
	w := c.plain()
	w.send(message{topic: c.topic("t"), payload: "x", qos: 2, id: 0x1234}.bytes(c.v))
	w.reply(pubrec, 0x1234)
	w.send(ackBytes(pubrel, 0x1234))
	if a := w.reply(pubcomp, 0x1234); a.code != 0 {
		c.fatalf("PUBCOMP %#x", a.code)
	}
	w.send(ackBytes(pubrel, 0x1234)) // again, as after a lost PUBCOMP
	w.reply(pubcomp, 0x1234)
}

func testPacketIDAfterPubcomp(c *check) {
	w := c.plain()
	w.subscribe(filter{c.topic("t"), 2})
	for i, dup := range []bool{false, true, true} {
		w.publish(message{topic: c.topic("t"), payload: fmt.Sprint(i), qos: 2, id: 9, dup: dup})
		w.receive(fmt.Sprint(i))
	}
}

func testExpiryDuringTheFlow(c *check) {
	w := c.plain()
	w.send(message{topic: c.topic("t"), payload: "x", qos: 2, id: 3, props: prop(messageExpiry, u32(1))}.bytes(c.v))
	w.reply(pubrec, 3)
	c.letPass(2200 * time.Millisecond)
	w.send(ackBytes(pubrel, 3))
	if a := w.reply(pubcomp, 3); a.code != 0 {
		c.fatalf("PUBCOMP %#x", a.code)
	}
}

// testResendAtReconnectOnly has a message, and a PUBREL, in flight.
func testResendAtReconnectOnly(c *check) {
	o := c.kept("a")
	w := c.client(o)
	w.subscribe(filter{c.topic("t"), 2})
	p := c.plain()
	p.publish(message{topic: c.topic("t"), payload: "1", qos: 2})
	p.publish(message{topic: c.topic("t"), payload: "2", qos: 1})
	first, second := w.message(), w.message()
	w.send(ackBytes(pubrec, first.id))
	w.reply(pubrel, first.id)
	c.letPass(1500 * time.Millisecond)
	w.silent() // nothing is sent again while the connection lasts
	w.drop()
	w = c.client(o)
	got := map[byte]uint16{}
	for range 2 {
		p := w.next()
		if p.kind == publish {
			got[publish] = w.parse(p).id
		} else {
			r := reader{rest: p.body}
			got[p.kind] = r.u16()
		}
	}
	if got[publish] != second.id || got[pubrel] != first.id {
		c.fatalf("PUBLISH %d and PUBREL %d instead of %d and %d", got[publish], got[pubrel], second.id, first.id)
	}
}

func testRefusedMessagesAreNotResent(c *check) {
	o := c.kept("a")
	w := c.client(o)
	w.subscribe(filter{c.topic("t"), 2})
	p := c.plain()
	p.publish(message{topic: c.topic("t"), payload: "1", qos: 1})
	p.publish(message{topic: c.topic("t"), payload: "2", qos: 2})
	w.send(ackBytes(puback, w.message().id, 0x80))
	w.send(ackBytes(pubrec, w.message().id, 0x97))
	w.ping()
	w.drop()
	c.client(o).silent()
}

func testOrder(c *check) {
	c.order(1)
	c.order(2)
}

// order has messages on the way to a client that is there, and to one that is
// not, and leaves some of them in flight.
func (c *check) order(qos byte) {
	topic, o := c.topic(fmt.Sprint("order", qos)), c.kept(fmt.Sprint("away", qos))
	away, here, p := c.client(o), c.plain(), c.plain()
	away.subscribe(filter{topic, qos})
	here.subscribe(filter{topic, qos})
	away.bye()
	const n = 50
	for i := range n {
		m := message{topic: topic, payload: fmt.Sprint(i), qos: qos, id: uint16(i + 1)}
		if qos == 1 {
			p.send(m.bytes(c.v)) // without waiting
		} else {
			p.publish(m)
		}
	}
	for i := range n {
		here.receive(fmt.Sprint(i))
	}
	away = c.client(o)
	for i := range 10 {
		if m := away.message(); m.payload != fmt.Sprint(i) {
			c.fatalf("%q instead of %d", m.payload, i)
		}
	}
	away.drop()
	away = c.client(o)
	for i := range n {
		away.receive(fmt.Sprint(i))
	}
}
