package conformance

import (
	"fmt"
	"slices"
)

// Sections 3.8 to 3.11: SUBSCRIBE, SUBACK, UNSUBSCRIBE and UNSUBACK.

// flipped sends a packet with wrong flags.
func (c *check) flipped(p []byte) {
	var samples []sample
	for _, flip := range []byte{1, 2, 3, 4, 8} {
		wrong := append([]byte{p[0] ^ flip}, p[1:]...)
		samples = append(samples, sample{fmt.Sprintf("flags %04b", wrong[0]&15), wrong})
	}
	c.eachEnds([]byte{malformed}, samples)
}

func testSubscribeFlags(c *check)   { c.flipped(subscribeBytes(c.v, 1, nil, filter{c.topic("t"), 0})) }
func testUnsubscribeFlags(c *check) { c.flipped(unsubscribeBytes(c.v, 1, c.topic("t"))) }
func testPubrelFlags(c *check)      { c.flipped(ackBytes(pubrel, 1)) }
func testAuthFlags(c *check)        { c.flipped(frame(auth, 0)) }

func testTopicFiltersAreUTF8(c *check) {
	c.eachEnds([]byte{malformed, 0x8f}, c.withText(func(bad string) []byte {
		return subscribeBytes(c.v, 1, nil, filter{c.topic("good"), 0}, filter{c.topic(bad), 0})
	}))
}

func testUnsubscribeFiltersAreUTF8(c *check) {
	c.eachEnds([]byte{malformed, 0x8f}, c.withText(func(bad string) []byte {
		return unsubscribeBytes(c.v, 1, c.topic("good"), c.topic(bad))
	}))
}

func testSubscribeToNothing(c *check) {
	w := c.plain()
	w.send(subscribeBytes(c.v, 1, nil))
	w.ends(malformed, protocolError)
}

func testUnsubscribeFromNothing(c *check) {
	w := c.plain()
	w.send(unsubscribeBytes(c.v, 1))
	w.ends(malformed, protocolError)
}

func testWildcardsAreSupportedOrRefused(c *check) {
	w := c.plain()
	a := w.ask(nil, filter{c.topic("+"), 1}, filter{c.topic("#"), 1})
	if slices.Equal(a.codes, []byte{0x80, 0x80}) {
		return
	}
	w.publish(message{topic: c.topic("t"), payload: "x", qos: 1})
	c.copies(w, "x")
}

func testNoLocal(c *check) {
	o := c.kept("a")
	w := c.client(o)
	w.subscribe(filter{c.topic("t"), 1 | noLocal})
	for range 2 { // the second is of the session that is resumed
		w.publish(message{topic: c.topic("t"), payload: "own", qos: 1})
		c.plain().publish(message{topic: c.topic("t"), payload: "other", qos: 1})
		w.receive("other")
		w.bye()
		w = c.client(o)
	}
}

func testNoLocalOfAShare(c *check) {
	w := c.plain()
	w.send(subscribeBytes(c.v, 1, nil, filter{"$share/g/" + c.topic("t"), 1 | noLocal}))
	w.ends(protocolError)
}

func testReservedOptions(c *check) {
	options := []byte{0x40, 0x80, 0xc1, 3}
	if c.v == v5 {
		options = append(options, 0x30) // retain handling 3
	} else {
		options = append(options, 4, 8, 0x10, 0x20)
	}
	var samples []sample
	for _, o := range options {
		samples = append(samples, sample{fmt.Sprintf("options %#x", o), subscribeBytes(c.v, 1, nil, filter{c.topic("t"), o})})
	}
	c.eachEnds([]byte{malformed, protocolError}, samples)
}

func testSubscribeIsAnswered(c *check) {
	w := c.plain()
	if a := w.ask(nil, filter{c.topic("t"), 1}); !slices.Equal(a.codes, []byte{1}) {
		c.fatalf("SUBACK % x", a.codes)
	}
}

func testSubscriptionIsReplaced(c *check) {
	w := c.plain()
	w.subscribe(filter{c.topic("t"), 0})
	for _, qos := range []byte{2, 1, 0} {
		w.subscribe(filter{c.topic("t"), qos})
		w.publish(message{topic: c.topic("t"), payload: "x", qos: 2})
		if m := w.receive("x"); m.qos != qos {
			c.fatalf("QoS %d instead of %d", m.qos, qos)
		}
		w.silent()
	}
}

// testReplacingLosesNothing subscribes again and again while messages come.
func testReplacingLosesNothing(c *check) {
	c.retain("kept", 1)
	w, p := c.plain(), c.plain()
	w.subscribe(filter{c.topic("t"), 1})
	w.receive("kept")
	const n = 40
	for i := range n {
		p.send(message{topic: c.topic("t"), payload: fmt.Sprint(i), qos: 1, id: uint16(i + 1)}.bytes(c.v))
		if i%4 == 0 {
			w.subscribe(filter{c.topic("t"), 1})
		}
	}
	next, kept := 0, 0
	for next < n || kept < n/4 {
		m := w.message()
		w.acknowledge(m)
		switch m.payload {
		case "kept":
			kept++
		case fmt.Sprint(next):
			next++
		default:
			c.fatalf("%q instead of %d", m.payload, next)
		}
	}
}

func testSeveralFilters(c *check) {
	w := c.plain()
	w.subscribe(filter{c.topic("a"), 0}, filter{c.topic("b"), 1}, filter{c.topic("a"), 2}, filter{c.topic("c"), 0})
	for name, qos := range map[string]byte{"a": 2, "b": 1, "c": 0} {
		w.publish(message{topic: c.topic(name), payload: name, qos: 2})
		if m := w.receive(name); m.qos != qos {
			c.fatalf("%q with QoS %d instead of %d", name, m.qos, qos)
		}
	}
}

// testSubackCodes mixes filters that are granted with one that is not, which
// MQTT 5 lets end the connection.
func testSubackCodes(c *check) {
	w := c.plain()
	w.subscribe(filter{c.topic("a"), 2}, filter{c.topic("b"), 0}, filter{c.topic("c"), 1})
	w.send(subscribeBytes(c.v, 9, nil, filter{c.topic("d"), 2}, filter{c.topic("#/e"), 1}, filter{c.topic("f"), 1}))
	p, err := w.read()
	if err != nil || p.kind == disconnect {
		return
	}
	codes := p.body[len(p.body)-3:]
	failures := []byte{0x80}
	if c.v == v5 {
		failures = []byte{0x80, 0x83, 0x87, 0x8f, 0x97, 0x9e, 0xa1, 0xa2}
	}
	if codes[0] != 2 || codes[2] != 1 || !slices.Contains(failures, codes[1]) {
		c.fatalf("SUBACK % x", codes)
	}
}

func testGrantedQoSIsTheLimit(c *check) {
	w := c.plain()
	for qos := byte(0); qos <= 2; qos++ {
		c.retain("kept", qos)
		for granted := byte(0); granted <= 2; granted++ {
			w.subscribe(filter{c.topic("t"), granted})
			if m := w.receive("kept"); m.qos != min(granted, qos) {
				c.fatalf("QoS %d of a retained message with %d, granted %d", m.qos, qos, granted)
			}
			w.unsubscribe(c.topic("t"))
		}
	}
	c.retain("", 0)
	for granted := byte(0); granted <= 2; granted++ {
		w.subscribe(filter{c.topic("t"), granted})
		for qos := byte(0); qos <= 2; qos++ {
			w.publish(message{topic: c.topic("t"), payload: "x", qos: qos})
			if m := w.receive("x"); m.qos != min(granted, qos) {
				c.fatalf("QoS %d of a message with %d, granted %d", m.qos, qos, granted)
			}
		}
	}
}

func testUnsubscribeComparesExactly(c *check) {
	w := c.plain()
	w.subscribe(filter{c.topic("+"), 1}, filter{c.topic("t"), 0})
	w.unsubscribe(c.topic("x"), c.topic("#"), c.topic("T"))
	w.publish(message{topic: c.topic("x"), payload: "x", qos: 1})
	w.receive("x")
	w.unsubscribe(c.topic("+"))
	w.publish(message{topic: c.topic("t"), payload: "t", qos: 1})
	if m := w.receive("t"); m.qos != 0 {
		c.fatalf("QoS %d of the subscription that was left", m.qos)
	}
	w.publish(message{topic: c.topic("x"), payload: "x", qos: 1})
	w.silent()
}

func testUnsubscribeStopsMessages(c *check) {
	w := c.plain()
	w.subscribe(filter{c.topic("t"), 1})
	w.publish(message{topic: c.topic("t"), payload: "1", qos: 1})
	w.receive("1")
	w.unsubscribe(c.topic("t"))
	c.plain().publish(message{topic: c.topic("t"), payload: "2", qos: 1})
	w.silent()
}

func testUnsubscribeCompletesDelivery(c *check) {
	o := c.kept("a")
	w := c.client(o)
	w.subscribe(filter{c.topic("t"), 2})
	p := c.plain()
	p.publish(message{topic: c.topic("t"), payload: "1", qos: 2})
	p.publish(message{topic: c.topic("t"), payload: "2", qos: 1})
	first, second := w.message(), w.message()
	w.unsubscribe(c.topic("t"))
	w.acknowledge(first)
	w.ping()
	w.drop()
	w = c.client(o)
	if m := w.receive("2"); m.id != second.id {
		c.fatalf("identifier %d instead of %d", m.id, second.id)
	}
}

func testUnsubscribeIsAnswered(c *check) {
	w := c.plain()
	w.subscribe(filter{c.topic("t"), 0})
	w.unsubscribe(c.topic("t"))
	w.unsubscribe(c.topic("t")) // again
	w.unsubscribe(c.topic("never"))
}

func testUnsubscribeSeveral(c *check) {
	w := c.plain()
	w.subscribe(filter{c.topic("a"), 0}, filter{c.topic("b"), 0}, filter{c.topic("c"), 0})
	w.unsubscribe(c.topic("a"), c.topic("none"), c.topic("c"))
	w.ping() // one UNSUBACK
	for _, name := range []string{"a", "b", "c"} {
		w.publish(message{topic: c.topic(name), payload: name, qos: 1})
	}
	w.receive("b")
	w.silent()
}

func testUnsubackCodes(c *check) {
	w := c.plain()
	w.subscribe(filter{c.topic("a"), 0}, filter{c.topic("b"), 0})
	a := w.unsubscribe(c.topic("a"), c.topic("none"), c.topic("b"), c.topic("a"))
	if !slices.Equal(a.codes, []byte{0, 0x11, 0, 0x11}) {
		c.fatalf("UNSUBACK % x", a.codes)
	}
}
