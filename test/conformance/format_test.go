package conformance

import (
	"fmt"
	"strings"
)

// Chapters 1 and 2: the format of packets.

// illFormed are strings that are not UTF-8.
func illFormed() map[string]string {
	return map[string]string{
		"a surrogate":        "a\xed\xa0\x80b",
		"an over-long slash": "a\xc0\xafb",
		"a byte 0xFF":        "a\xffb",
		"half a character":   "a\xe2\x82",
		"beyond U+10FFFF":    "a\xf4\x90\x80\x80",
	}
}

// unsound are strings that no packet may contain.
func unsound() map[string]string {
	all := illFormed()
	all["U+0000"] = "a\x00b"
	return all
}

func testIllFormedUTF8(c *check) {
	for _, bad := range illFormed() {
		c.refusesText(bad)
	}
}

func testNullCharacter(c *check) { c.refusesText("a\x00b") }

// refusesText sends a string that must not be in any packet, in several.
func (c *check) refusesText(bad string) {
	c.refused(c.connectBytes(options{id: c.id(bad)}), malformed, 0x85)
	c.eachEnds([]byte{malformed, 0x8f, 0x90}, []sample{
		{"PUBLISH of QoS 0", message{topic: c.topic(bad), payload: "x"}.bytes(c.v)},
		{"PUBLISH of QoS 1", message{topic: c.topic(bad), payload: "x", qos: 1, id: 1}.bytes(c.v)},
		{"SUBSCRIBE", subscribeBytes(c.v, 1, nil, filter{c.topic(bad), 0})},
		{"UNSUBSCRIBE", unsubscribeBytes(c.v, 1, c.topic(bad))},
	})
	if c.v < v5 {
		return
	}
	will := c.will("w")
	will.props = prop(contentType, str(bad))
	c.refused(c.connectBytes(options{will: will}), malformed)
	c.refused(c.connectBytes(options{props: prop(authMethod, str(bad))}), malformed)
	c.eachEnds([]byte{malformed}, []sample{
		{"Reason String of PUBACK", ackBytes(puback, 1, cat([]byte{0}, props(c.v, prop(reasonString, str(bad))))...)},
		{"Reason String of DISCONNECT", frame(disconnect, 0, []byte{0}, props(c.v, prop(reasonString, str(bad))))},
	})
}

func testByteOrderMarkIsKept(c *check) {
	w := c.plain()
	marked, bare := c.topic("\ufeffbom"), c.topic("bom")
	w.subscribe(filter{marked, 1}, filter{bare, 1})
	w.publish(message{topic: marked, payload: "marked", qos: 1})
	if m := w.receive("marked"); m.topic != marked {
		c.fatalf("delivered on %q instead of %q", m.topic, marked)
	}
	w.silent()
}

func testVariableByteIntegersAreMinimal(c *check) {
	w := c.plain()
	topic := c.topic("t")
	w.subscribe(filter{topic, 0})
	for _, n := range []int{1, 100, 130, 20_000} {
		payload := strings.Repeat("x", n)
		w.publish(message{topic: topic, payload: payload})
		w.receive(payload) // reading fails for a length that is not minimal
	}
	filters := cat(str(topic), []byte{0})
	c.eachEnds([]byte{malformed, protocolError}, []sample{
		{"property length of SUBSCRIBE", frame(subscribe, 2, u16(1), []byte{0x80, 0}, filters)},
		{"property length of PUBLISH", frame(publish, 0, str(topic), []byte{0x83, 0, topicAlias, 0, 1})},
		{"subscription identifier", frame(subscribe, 2, u16(1), []byte{3, subscriptionID, 0x81, 0}, filters)},
		{"remaining length", []byte{pingreq << 4, 0x80, 0}},
	})
}

func testUserPropertiesAreUTF8(c *check) {
	var first, later []sample
	for what, bad := range unsound() {
		for part, pair := range map[string][]byte{"name": user(bad, "value"), "value": user("name", bad)} {
			fault := what + " in the " + part
			first = append(first, sample{fault + " in CONNECT", c.connectBytes(options{props: pair})})
			later = append(later,
				sample{fault + " in PUBLISH", message{topic: c.topic("t"), props: pair}.bytes(c.v)},
				sample{fault + " in SUBSCRIBE", subscribeBytes(c.v, 1, pair, filter{c.topic("t"), 0})})
		}
	}
	c.eachRefused([]byte{malformed}, first)
	c.eachEnds([]byte{malformed}, later)
}

func testReservedFlags(c *check) {
	valid := map[string][]byte{
		"PUBACK": ackBytes(puback, 1), "PUBREC": ackBytes(pubrec, 1),
		"PUBREL": ackBytes(pubrel, 1), "PUBCOMP": ackBytes(pubcomp, 1),
		"SUBSCRIBE":   subscribeBytes(c.v, 1, nil, filter{c.topic("t"), 0}),
		"UNSUBSCRIBE": unsubscribeBytes(c.v, 1, c.topic("t")),
		"PINGREQ":     frame(pingreq, 0), "DISCONNECT": frame(disconnect, 0),
	}
	if c.v == v5 {
		valid["AUTH"] = frame(auth, 0)
	}
	var samples []sample
	for name, p := range valid {
		for _, flip := range []byte{1, 2, 8} {
			wrong := append([]byte{p[0] ^ flip}, p[1:]...)
			samples = append(samples, sample{fmt.Sprintf("%s with flags %04b", name, wrong[0]&15), wrong})
		}
	}
	p := c.connectBytes(options{})
	p[0] |= 1
	c.refused(p, malformed, protocolError)
	c.eachEnds([]byte{malformed, protocolError}, samples)
}

func testNoPacketIDAtQoS0(c *check) {
	w := c.plain()
	w.subscribe(filter{c.topic("t"), 2})
	w.publish(message{topic: c.topic("t"), payload: "payload"})
	if m := w.receive("payload"); m.qos != 0 {
		c.fatalf("QoS %d instead of 0", m.qos)
	}
}

func testPacketIDZero(c *check) {
	c.eachEnds([]byte{malformed, protocolError}, []sample{
		{"SUBSCRIBE", subscribeBytes(c.v, 0, nil, filter{c.topic("t"), 0})},
		{"UNSUBSCRIBE", unsubscribeBytes(c.v, 0, c.topic("t"))},
		{"PUBLISH of QoS 1", message{topic: c.topic("t"), qos: 1}.bytes(c.v)},
		{"PUBLISH of QoS 2", message{topic: c.topic("t"), qos: 2}.bytes(c.v)},
	})
}

// testServerPacketIDs has messages in flight in both directions, under equal
// packet identifiers.
func testServerPacketIDs(c *check) {
	w, from := c.plain(), c.plain()
	topic := c.topic("t")
	w.subscribe(filter{topic, 2})
	used := map[uint16]bool{}
	for i := range 10 {
		qos := byte(i%2 + 1)
		from.publish(message{topic: topic, payload: "x", qos: qos})
		m := w.message()
		if m.id == 0 || used[m.id] || m.dup || m.qos != qos {
			c.fatalf("message %d has the packet identifier %d, QoS %d and DUP %v", i, m.id, m.qos, m.dup)
		}
		used[m.id] = true
		// The client's identifiers are its own.
		if a := w.publish(message{topic: c.topic("other"), qos: 1, id: m.id}); a.code >= 0x80 {
			c.fatalf("PUBACK %#x for an identifier that the server uses, too", a.code)
		}
	}
}

func testAcknowledgementsHaveThePacketID(c *check) {
	w, topic := c.plain(), c.topic("t")
	for _, id := range []uint16{1, 0x1234, 65535} {
		w.publish(message{topic: topic, payload: "x", qos: 1, id: id})
		w.publish(message{topic: topic, payload: "x", qos: 2, id: id})
	}
	w.subscribe(filter{topic, 2})
	w.publish(message{topic: topic, payload: "x", qos: 2})
	w.receive("x") // awaits PUBREL with the identifier of the message
}

func testSubackHasThePacketID(c *check) {
	w := c.plain()
	for _, id := range []uint16{1, 0x1234, 65535} {
		w.send(subscribeBytes(c.v, id, nil, filter{c.topic("t"), 0}))
		w.reply(suback, id)
		w.send(unsubscribeBytes(c.v, id, c.topic("t")))
		w.reply(unsuback, id)
	}
}

func testNoPropertiesAreALengthOfZero(c *check) {
	w, topic := c.plain(), c.topic("t")
	w.subscribe(filter{topic, 0})
	w.send(message{topic: topic, payload: "x"}.bytes(c.v))
	p := w.next()
	if want := cat(str(topic), []byte{0}, []byte("x")); string(p.body) != string(want) {
		c.fatalf("PUBLISH is % x instead of % x", p.body, want)
	}
	w.send(frame(subscribe, 2, u16(9), str(topic), []byte{0})) // without the length
	w.ends(malformed, protocolError)
}
