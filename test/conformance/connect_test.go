package conformance

import (
	"fmt"
	"strings"
)

// Section 3.1: CONNECT.

func testFirstPacketIsConnect(c *check) {
	for _, p := range [][]byte{
		frame(pingreq, 0), frame(disconnect, 0), ackBytes(puback, 1),
		message{topic: c.topic("t"), payload: "x"}.bytes(c.v),
		subscribeBytes(c.v, 1, nil, filter{c.topic("t"), 0}),
	} {
		w := c.dial()
		w.send(p)
		if p, err := w.read(); err == nil {
			c.fatalf("packet type %d before CONNECT", p.kind)
		} else {
			w.closed(err)
		}
	}
}

func testSecondConnect(c *check) {
	w := c.plain()
	w.send(c.connectBytes(options{}))
	if p, err := w.read(); err == nil && p.kind == connack {
		c.fatalf("a second CONNACK")
	} else if err == nil {
		w.oneOf(w.disconnected(p).code, []byte{protocolError})
	}
	w.end()
}

// testProtocolName allows return code 1, too: a server need not believe the
// version of a protocol that it does not know.
func testProtocolName(c *check) {
	samples := []sample{{"no name", frame(connect, 0, u16(0), []byte{c.v, 2, 0, 0}, props(c.v), str("x"))}}
	for _, name := range []string{"mqtt", "MQTX", "MQTTX", "M", "MQIsdp"} {
		samples = append(samples, sample{name, c.connectBytes(options{protocol: name})})
	}
	c.eachRefused([]byte{0x84, malformed, protocolError, 1}, samples)
}

func testProtocolVersion(c *check) {
	var samples []sample
	for _, level := range []byte{1, 2, 6, 0x7f, 0xff} {
		samples = append(samples, sample{fmt.Sprint("version ", level), c.connectBytes(options{level: level})})
	}
	c.eachRefused([]byte{0x84, 1}, samples) // 1 is what MQTT 3 has for it
}

func testProtocolLevelIsAnswered(c *check) {
	for _, level := range []byte{1, 2} {
		w := c.try(options{level: level})
		if w.ack.code != 1 {
			c.fatalf("CONNACK %#x for level %d", w.ack.code, level)
		}
		w.end()
	}
}

func testReservedConnectFlag(c *check) {
	c.refused(c.connectBytes(options{flip: 1}), malformed, protocolError)
}

func (c *check) will(topic string) *message { return &message{topic: c.topic(topic), payload: "gone"} }

// withText returns a packet for each string that must be in none.
func (c *check) withText(packet func(string) []byte) []sample {
	var all []sample
	for fault, bad := range unsound() {
		all = append(all, sample{fault, packet(bad)})
	}
	return all
}

func testWillFieldsArePresent(c *check) {
	o := options{will: c.will("w"), payload: str(c.id("a"))}
	c.refused(c.connectBytes(o), malformed, protocolError)
	o.payload = cat(str(c.id("a")), props(c.v), str(c.topic("w")))
	c.refused(c.connectBytes(o), malformed, protocolError)
}

func testWillQoSWithoutWill(c *check) {
	for _, flip := range []byte{0x08, 0x10, 0x18} {
		c.refused(c.connectBytes(options{flip: flip}), malformed, protocolError)
	}
}

func testWillRetainWithoutWill(c *check) {
	c.refused(c.connectBytes(options{flip: 0x20}), malformed, protocolError)
}

func testWillFieldsWithoutWill(c *check) {
	testWillQoSWithoutWill(c)
	testWillRetainWithoutWill(c)
	o := options{payload: cat(str(c.id("a")), props(c.v), str(c.topic("w")), str("gone"))}
	c.refused(c.connectBytes(o), malformed, protocolError)
}

func testWillQoS(c *check) {
	for qos := byte(0); qos <= 2; qos++ {
		will := c.will("w")
		will.qos = qos
		w := c.client(options{will: will})
		if w.ack.got.number(maximumQoS, 2) < 2 {
			c.skip("the server does not support QoS 2")
		}
		w.bye()
	}
	will := c.will("w")
	will.qos = 3
	c.refused(c.connectBytes(options{will: will}), malformed, protocolError)
}

func testUserNameWithoutFlag(c *check) {
	o := options{payload: cat(str(c.id("a")), str("user"))}
	c.refused(c.connectBytes(o), malformed, protocolError)
}

func testUserNameIsPresent(c *check) {
	o := options{user: "user", payload: str(c.id("a"))}
	c.refused(c.connectBytes(o), malformed, protocolError)
}

func testPasswordWithoutFlag(c *check) {
	o := options{user: "user", payload: cat(str(c.id("a")), str("user"), str("password"))}
	c.refused(c.connectBytes(o), malformed, protocolError)
}

func testPasswordIsPresent(c *check) {
	o := options{user: "user", password: "password", payload: cat(str(c.id("a")), str("user"))}
	c.refused(c.connectBytes(o), malformed, protocolError)
}

func testPasswordWithoutUserName(c *check) {
	c.refused(c.connectBytes(options{password: "password"}))
}

// testPayloadOrder has all fields; the will tells which was which.
func testPayloadOrder(c *check) {
	sub := c.plain()
	sub.subscribe(filter{c.topic("w"), 0})
	c.client(options{id: c.id("a"), will: c.will("w"), user: "user", password: "pencil"}).drop()
	if m := sub.receive("gone"); m.topic != c.topic("w") {
		c.fatalf("the will is on %q", m.topic)
	}
}

func testClientIDIsPresent(c *check) {
	c.refused(c.connectBytes(options{payload: []byte{}}), malformed, protocolError, 0x85)
	c.refused(c.connectBytes(options{payload: []byte{0, 9, 'a'}}), malformed, protocolError, 0x85)
}

func testClientIDIsUTF8(c *check) {
	c.eachRefused([]byte{malformed, 0x85}, c.withText(func(bad string) []byte { return c.connectBytes(options{id: c.id(bad)}) }))
}

func testClientIDCharacters(c *check) {
	for _, id := range []string{
		"0123456789abcdefghijklm", "nopqrstuvwxyzABCDEFGHIJ", "KLMNOPQRSTUVWXYZ", "a", "Z", "0",
	} {
		c.client(options{id: id}).bye()
	}
}

func testEmptyClientID(c *check) {
	a, b := c.client(options{nameless: true}), c.client(options{nameless: true})
	a.ping() // it is not taken over
	b.ping()
	id := a.ack.got.all(assignedClientID)
	if c.v == v5 && (id == nil || id[0] == "" || id[0] == b.ack.got.all(assignedClientID)[0]) {
		c.fatalf("assigned client identifiers %q and %q", id, b.ack.got.all(assignedClientID))
	}
}

func testAssignedClientIDNamesTheSession(c *check) {
	a := c.client(options{nameless: true, expiry: 60})
	id := a.ack.got.all(assignedClientID)
	if id == nil {
		c.fatalf("no assigned client identifier")
	}
	a.bye()
	if b := c.client(options{id: id[0], resume: true, expiry: 60}); !b.present() {
		c.fatalf("the session of %q is not there", id)
	}
}

func testEmptyClientIDWithoutCleanSession(c *check) {
	w := c.try(options{nameless: true, resume: true})
	if w.ack.code != 2 {
		c.fatalf("CONNACK %#x instead of 2", w.ack.code)
	}
	w.end()
}

// testRejectedClientID tries identifiers that a server may reject.
func testRejectedClientID(c *check) {
	for _, id := range []string{c.id(strings.Repeat("x", 300)), c.id("/+#")} {
		w := c.dial()
		w.send(c.connectBytes(options{id: id}))
		p, err := w.read()
		if err != nil && c.v == v5 {
			w.closed(err)
			continue
		}
		if err != nil {
			c.fatalf("an identifier of %d bytes: %v", len(id), err)
		}
		w.connacked(p)
		want := map[byte]byte{v311: 2, v5: 0x85}[c.v]
		if w.ack.code != 0 && w.ack.code != want {
			c.fatalf("CONNACK %#x instead of %#x", w.ack.code, want)
		}
		if w.ack.code != 0 {
			w.end()
		}
	}
}

func testWillTopicIsUTF8(c *check) {
	c.eachRefused([]byte{malformed, 0x90}, c.withText(func(bad string) []byte { return c.connectBytes(options{will: c.will(bad)}) }))
}

func testUserNameIsUTF8(c *check) {
	c.eachRefused([]byte{malformed, 0x86}, c.withText(func(bad string) []byte { return c.connectBytes(options{user: bad}) }))
}

// malformedConnects break the format of CONNECT.
func (c *check) malformedConnects() []sample {
	whole := c.connectBytes(options{id: c.id("a"), will: c.will("w"), user: "user", password: "password"})
	broken := []sample{
		{"no body", frame(connect, 0)},
		{"bytes after the last field", frame(connect, 0, whole[2:], []byte("more"))},
		{"reserved connect flag", c.connectBytes(options{flip: 1})},
	}
	for n := 3; n < len(whole); n += 3 {
		broken = append(broken, sample{fmt.Sprintf("cut short after %d bytes", n-2), frame(connect, 0, whole[2:n])})
	}
	if c.v < v5 {
		return broken
	}
	for fault, bad := range map[string][]byte{
		"Session Expiry Interval twice":      twice(prop(sessionExpiry, u32(1))),
		"Receive Maximum twice":              twice(prop(receiveMaximum, u16(1))),
		"Maximum Packet Size twice":          twice(prop(maximumPacketSize, u32(99))),
		"Topic Alias Maximum twice":          twice(prop(topicAliasMaximum, u16(1))),
		"Request Problem Information twice":  twice(prop(requestProblem, []byte{1})),
		"Request Response Information twice": twice(prop(requestResponse, []byte{1})),
		"Authentication Method twice":        twice(prop(authMethod, str("x"))),
		"unknown property":                   prop(0x7f, []byte{1}),
		"Topic Alias":                        alias(1),
		"Reason String":                      prop(reasonString, str("x")),
		"Will Delay Interval":                prop(willDelay, u32(1)),
		"Receive Maximum 0":                  prop(receiveMaximum, u16(0)),
		"Maximum Packet Size 0":              prop(maximumPacketSize, u32(0)),
		"Request Problem Information 2":      prop(requestProblem, []byte{2}),
		"Request Response Information 2":     prop(requestResponse, []byte{2}),
		"Authentication Data alone":          prop(authData, str("x")),
		"property cut short":                 prop(sessionExpiry, []byte{0}),
	} {
		broken = append(broken, sample{fault, c.connectBytes(options{props: bad})})
	}
	for fault, bad := range map[string][]byte{
		"Will Delay Interval twice": twice(prop(willDelay, u32(1))),
		"will's Payload Format 2":   prop(payloadFormat, []byte{2}),
		"Topic Alias in a will":     alias(1),
		"Session Expiry in a will":  prop(sessionExpiry, u32(1)),
	} {
		will := c.will("w")
		will.props = bad
		broken = append(broken, sample{fault, c.connectBytes(options{will: will})})
	}
	return broken
}

// twice is a property that is there twice.
func twice(p []byte) []byte { return cat(p, p) }

func testMalformedConnect(c *check) {
	c.eachRefused([]byte{malformed, protocolError, 0x8c, 0x87}, c.malformedConnects())
}

// testMalformedConnectIsNotAnswered is of MQTT 3.1.1, which has no return code
// for it.
func testMalformedConnectIsNotAnswered(c *check) {
	var examples []example
	for _, s := range c.malformedConnects() {
		examples = append(examples, example{s.fault, func(c *check) {
			w := c.dial()
			w.send(s.packet)
			p, err := w.read()
			if err == nil {
				c.fatalf("packet type %d with % x in answer", p.kind, p.body)
			}
			w.closed(err)
		}})
	}
	c.each(examples)
}

func testTakeOver(c *check) {
	o := options{id: c.id("a")}
	first := c.client(o)
	second := c.client(o)
	code, said := first.end()
	if c.v == v5 && (!said || code != 0x8e) {
		c.fatalf("DISCONNECT %#x (%v) instead of 0x8e", code, said)
	}
	second.ping()
}

func testConnectIsAcknowledged(c *check) {
	w := c.plain()
	if w.ack.flags != 0 {
		c.fatalf("CONNACK flags %#x", w.ack.flags)
	}
	w.ping()
}

// refusable returns a CONNECT that no server accepts, but is not malformed.
func (c *check) refusable() []byte {
	if c.v < v5 {
		return c.connectBytes(options{nameless: true, resume: true}) // [MQTT-3.1.3-8]
	}
	return c.connectBytes(options{props: prop(authMethod, str("no-such-method"))})
}

func testNothingIsProcessedAfterARefusal(c *check) {
	sub := c.plain()
	sub.subscribe(filter{c.topic("t"), 0})
	w := c.dial()
	w.send(cat(c.refusable(), message{topic: c.topic("t"), payload: "x"}.bytes(c.v)))
	if p, err := w.read(); err == nil {
		w.connacked(p)
		if w.ack.code == 0 {
			c.fatalf("the server accepts an authentication method that there is not")
		}
		w.end()
	}
	sub.silent()
}
