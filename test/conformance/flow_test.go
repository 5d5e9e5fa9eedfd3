package conformance

import (
	"fmt"
	"strings"
)

// Maximum Packet Size (3.1.2) and Receive Maximum (3.3.4 and 4.9).

func testTooLargePacketsAreNotSent(c *check) {
	large := strings.Repeat("x", 200)
	c.retain(large, 1)
	w, p := c.client(options{props: prop(maximumPacketSize, u32(100))}), c.plain()
	w.subscribe(filter{c.topic("+"), 2})
	for qos := byte(0); qos <= 2; qos++ {
		p.publish(message{topic: c.topic("t"), payload: large, qos: qos})
		p.publish(message{topic: c.topic("t"), payload: "x", qos: qos, props: user("name", large)})
	}
	w.silent()
}

// testTooLargePacketsCountAsSent has a window of one, which nothing that is not
// sent may use up.
func testTooLargePacketsCountAsSent(c *check) {
	o := c.kept("a")
	o.props = cat(prop(maximumPacketSize, u32(100)), prop(receiveMaximum, u16(1)))
	w, p := c.client(o), c.plain()
	w.subscribe(filter{c.topic("t"), 2})
	send := func() {
		for i := range 4 {
			for qos := byte(0); qos <= 2; qos++ {
				large := message{topic: c.topic("t"), payload: strings.Repeat("x", 200), qos: qos}
				large.props = user("name", "value")
				p.publish(large)
			}
			p.publish(message{topic: c.topic("t"), payload: fmt.Sprint(i), qos: byte(i%2 + 1)})
		}
	}
	send()
	for i := range 4 { // those that fit
		w.receive(fmt.Sprint(i))
	}
	w.bye()
	send() // and the same for a session that is away
	w = c.client(o)
	for i := range 4 {
		w.receive(fmt.Sprint(i))
	}
}

// window makes more messages wait for a client than it lets be in flight.
func (c *check) window(limit uint16) *wire {
	w := c.client(options{props: prop(receiveMaximum, u16(limit))})
	w.subscribe(filter{c.topic("t"), 2})
	p := c.plain()
	for i := range 3 * limit {
		p.publish(message{topic: c.topic("t"), payload: fmt.Sprint(i), qos: byte(i%2 + 1)})
	}
	return w
}

func testReceiveMaximumIsKept(c *check) {
	w := c.window(2)
	for i := range 3 {
		first, second := w.message(), w.message()
		w.idle()
		if first.payload != fmt.Sprint(2*i) || second.payload != fmt.Sprint(2*i+1) {
			c.fatalf("%q and %q in window %d", first.payload, second.payload, i)
		}
		if i == 1 { // an error ends the flow of QoS 2, too
			w.send(ackBytes(puback, first.id, 0x80), ackBytes(pubrec, second.id, 0x80))
			continue
		}
		w.send(ackBytes(pubrec, second.id))
		w.reply(pubrel, second.id)
		w.idle() // the flow of QoS 2 goes on until PUBCOMP
		w.send(ackBytes(puback, first.id))
		w.send(ackBytes(pubcomp, second.id))
	}
	w.silent()
}

// testSendQuota resumes a session with a smaller window than before.
func testSendQuota(c *check) {
	o := c.kept("a")
	w := c.client(o)
	w.subscribe(filter{c.topic("t"), 1})
	p := c.plain()
	for i := range 5 {
		p.publish(message{topic: c.topic("t"), payload: fmt.Sprint(i), qos: 1})
		w.message()
	}
	w.drop()
	o.props = prop(receiveMaximum, u16(1))
	w = c.client(o)
	for i := range 5 {
		m := w.message()
		w.idle()
		if m.payload != fmt.Sprint(i) {
			c.fatalf("%q instead of %d", m.payload, i)
		}
		w.acknowledge(m)
	}
}

func testOthersAreNotDelayed(c *check) {
	w := c.window(1)
	w.message()
	w.ping()
	w.subscribe(filter{c.topic("other"), 1})
	w.publish(message{topic: c.topic("nobody"), payload: "x", qos: 2})
	w.publish(message{topic: c.topic("nobody"), payload: "x", qos: 1})
	w.unsubscribe(c.topic("other"))
}

// testReceiveMaximumOfTheServer leaves flows of QoS 2 open.
func testReceiveMaximumOfTheServer(c *check) {
	w := c.plain()
	limit := w.ack.got.number(receiveMaximum, 65535)
	if limit > 5000 {
		c.skip("the server takes very many messages at a time")
	}
	for range limit + 1 { // flows that end do not count
		w.publish(message{topic: c.topic("t"), payload: "x", qos: 2})
	}
	for i := range limit + 1 {
		w.send(message{topic: c.topic("t"), payload: "x", qos: 2, id: uint16(i + 1)}.bytes(c.v))
	}
	w.ends(0x93)
}

func testPacketSizeOfTheServer(c *check) {
	w := c.plain()
	limit := w.ack.got.number(maximumPacketSize, 0)
	if limit == 0 || limit > 1<<24 {
		c.skip("the server takes very large packets")
	}
	topic := c.topic("t")
	w.subscribe(filter{topic, 0})
	overhead := len(message{topic: topic, payload: strings.Repeat("x", limit-1000)}.bytes(c.v)) - (limit - 1000)
	fits := message{topic: topic, payload: strings.Repeat("x", limit-overhead)}
	w.publish(fits)
	w.receive(fits.payload)
	fits.payload += "x"
	w.send(fits.bytes(c.v))
	w.ends(0x95)
}
