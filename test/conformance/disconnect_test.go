package conformance

import "slices"

// Sections 3.12 to 3.15, 4.12 and 4.13: PINGREQ, DISCONNECT, AUTH and errors.

func testPing(c *check) {
	w := c.plain()
	for range 3 {
		w.ping()
	}
}

func testNoDisconnectBeforeConnack(c *check) {
	var examples []example
	for _, s := range append(c.malformedConnects(), sample{"refusal", c.refusable()}, sample{"no CONNECT", frame(pingreq, 0)}) {
		examples = append(examples, example{s.fault, func(c *check) {
			w := c.dial()
			w.send(s.packet)
			if p, err := w.read(); err == nil && p.kind == disconnect {
				c.fatalf("DISCONNECT % x before CONNACK", p.body)
			}
		}})
	}
	c.each(examples)
}

func testReservedBitsOfDisconnect(c *check) {
	for _, flags := range []byte{1, 2, 4, 8} {
		w := c.plain()
		w.send(frame(disconnect, flags))
		code, said := w.end()
		if c.v == v5 && (!said || code != malformed) {
			c.fatalf("DISCONNECT %#x (%v) instead of 0x81", code, said)
		}
	}
}

// goodbyes returns DISCONNECT packets of the server, for several reasons.
func (c *check) goodbyes() []answer {
	o := c.kept("a")
	old := c.client(o)
	c.client(o).ping()
	bad := c.plain()
	bad.send(message{topic: c.topic("t"), qos: 3, id: 1}.bytes(c.v))
	late := c.plain()
	late.send(c.connectBytes(options{}))
	var all []answer
	for _, w := range []*wire{old, bad, late} {
		if p, err := w.read(); err == nil && p.kind == disconnect {
			all = append(all, w.disconnected(p))
		}
	}
	if len(all) == 0 {
		c.skip("the server sends no DISCONNECT")
	}
	return all
}

func testDisconnectCodes(c *check) {
	codes := []byte{0, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8b, 0x8d, 0x8e, 0x8f, 0x90, 0x93, 0x94, 0x95,
		0x96, 0x97, 0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2}
	for _, a := range c.goodbyes() {
		if !slices.Contains(codes, a.code) {
			c.fatalf("DISCONNECT %#x", a.code)
		}
	}
}

func testDisconnectHasNoSessionExpiry(c *check) {
	for _, a := range c.goodbyes() {
		if a.got.has(sessionExpiry) {
			c.fatalf("DISCONNECT with a session expiry interval")
		}
	}
}

// testDisconnectIsTheLast wants nothing after a DISCONNECT of either side but
// the end of the connection.
func testDisconnectIsTheLast(c *check) {
	o := options{id: c.id("a")}
	w := c.client(o)
	w.subscribe(filter{c.topic("t"), 1})
	c.client(o).publish(message{topic: c.topic("t"), payload: "x", qos: 1})
	if _, said := w.end(); !said { // fails for a packet after DISCONNECT
		c.fatalf("no DISCONNECT")
	}
	w = c.plain()
	w.subscribe(filter{c.topic("t"), 1})
	w.send(cat(frame(disconnect, 0), frame(pingreq, 0)))
	for {
		p, err := w.read()
		if err != nil {
			w.closed(err)
			return
		}
		if p.kind == pingresp {
			c.fatalf("PINGRESP after DISCONNECT")
		}
	}
}

func testAuthWithoutMethod(c *check) {
	w := c.plain()
	w.send(frame(auth, 0, []byte{0x19}, props(c.v, prop(authMethod, str("SCRAM-SHA-256")))))
	w.ends(protocolError)
}

func testUnknownAuthMethod(c *check) {
	for _, method := range []string{"no-such-method", ""} {
		c.refused(c.connectBytes(options{props: prop(authMethod, str(method))}), 0x8c, 0x87, malformed, protocolError)
	}
}

// challenge begins SCRAM-SHA-256, and returns the AUTH of a server that has it.
func (c *check) challenge() (w *wire, code byte, got properties) {
	w = c.dial()
	w.send(c.connectBytes(options{user: "user",
		props: cat(prop(authMethod, str("SCRAM-SHA-256")), prop(authData, str("n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL")))}))
	p, err := w.read()
	if err != nil || p.kind != auth {
		c.skip("the server does not offer SCRAM-SHA-256")
	}
	r := reader{rest: p.body}
	code, got = r.u8(), r.properties(auth)
	w.sound(r.err)
	return w, code, got
}

func testAuthCodes(c *check) {
	if _, code, _ := c.challenge(); code != 0x18 {
		c.fatalf("AUTH %#x instead of 0x18", code)
	}
}

func testAuthMethodIsRepeated(c *check) {
	if _, _, got := c.challenge(); !slices.Equal(got.all(authMethod), []string{"SCRAM-SHA-256"}) {
		c.fatalf("AUTH with %q", got)
	}
}

// testAuthenticationIsRejected sends a proof that is none.
func testAuthenticationIsRejected(c *check) {
	w, _, _ := c.challenge()
	w.send(frame(auth, 0, []byte{0x18}, props(c.v, prop(authMethod, str("SCRAM-SHA-256")), prop(authData, str("c=biws,r=no,p=no")))))
	if p, err := w.read(); err == nil {
		w.connacked(p)
		if w.ack.code < 0x80 {
			c.fatalf("CONNACK %#x", w.ack.code)
		}
	}
	w.end()
}

func testNoAuthUnasked(c *check) {
	if c.plain().ack.got.has(authMethod) {
		c.fatalf("an authentication method that nobody asked for")
	}
}

// violations are packets that a connected client must not send.
func (c *check) violations() []sample {
	t := str(c.topic("t"))
	all := []sample{
		{"packet type 0", []byte{0, 0}},
		{"a length of five bytes", []byte{0x30, 0xff, 0xff, 0xff, 0xff, 0x01}},
		{"CONNACK", frame(connack, 0, []byte{0, 0})},
		{"SUBACK", frame(suback, 0, u16(1), []byte{0})},
		{"UNSUBACK", frame(unsuback, 0, u16(1))},
		{"PINGRESP", frame(pingresp, 0)},
		{"empty PUBLISH", frame(publish, 0)},
		{"PUBLISH without a packet identifier", frame(publish, 2, t)},
		{"PUBACK with half a packet identifier", frame(puback, 0, []byte{0})},
		{"SUBSCRIBE that is cut short", frame(subscribe, 2, u16(1))},
		{"SUBSCRIBE without options", frame(subscribe, 2, u16(1), props(c.v), t)},
		{"UNSUBSCRIBE that is cut short", frame(unsubscribe, 2, u16(1), props(c.v), []byte{0, 9})},
		{"PINGREQ with a body", frame(pingreq, 0, []byte{0})},
	}
	if c.v < v5 {
		return append(all, sample{"packet type 15", frame(15, 0)})
	}
	for fault, bad := range map[string][]byte{
		"Topic Alias twice":             twice(alias(1)),
		"Message Expiry Interval twice": twice(prop(messageExpiry, u32(1))),
		"Response Topic twice":          twice(prop(responseTopic, str("a"))),
		"Content Type twice":            twice(prop(contentType, str("a"))),
		"Correlation Data twice":        twice(prop(correlationData, str("a"))),
		"Payload Format twice":          twice(prop(payloadFormat, []byte{1})),
		"Payload Format 2":              prop(payloadFormat, []byte{2}),
		"unknown property":              prop(0x7f, []byte{1}),
		"Session Expiry Interval":       prop(sessionExpiry, u32(1)),
		"Will Delay Interval":           prop(willDelay, u32(1)),
		"property cut short":            {messageExpiry},
	} {
		all = append(all, sample{fault + " in PUBLISH", frame(publish, 0, t, props(c.v, bad), []byte("x"))})
	}
	for name, kind := range map[string]byte{"PUBACK": puback, "PUBREC": pubrec, "PUBREL": pubrel, "PUBCOMP": pubcomp} {
		for fault, bad := range map[string][]byte{
			"Reason String twice": twice(prop(reasonString, str("x"))), "Topic Alias": alias(1),
		} {
			all = append(all, sample{fault + " in " + name, ackBytes(kind, 1, cat([]byte{0}, props(c.v, bad))...)})
		}
	}
	for fault, bad := range map[string][]byte{
		"Subscription Identifier 0":     prop(subscriptionID, varint(0)),
		"Subscription Identifier twice": twice(prop(subscriptionID, varint(1))),
		"Content Type":                  prop(contentType, str("a")),
	} {
		all = append(all, sample{fault + " in SUBSCRIBE", subscribeBytes(c.v, 1, bad, filter{c.topic("t"), 0})})
	}
	return append(all,
		sample{"Content Type in UNSUBSCRIBE", frame(unsubscribe, 2, u16(1), props(c.v, prop(contentType, str("a"))), t)},
		sample{"Reason String twice in DISCONNECT", frame(disconnect, 0, []byte{0}, props(c.v, twice(prop(reasonString, str("x")))))},
		sample{"neither topic nor alias", frame(publish, 0, str(""), props(c.v), []byte("x"))},
		sample{"alias without a topic", frame(publish, 0, str(""), props(c.v, alias(1)), []byte("x"))},
		sample{"Session Expiry Interval in DISCONNECT, and 0 in CONNECT",
			frame(disconnect, 0, []byte{0}, props(c.v, prop(sessionExpiry, u32(1))))})
}

func testViolationsEndTheConnection(c *check) {
	c.eachEnds([]byte{malformed, protocolError, 0x94}, c.violations())
}

func testErrorCodesEndTheConnection(c *check) {
	for _, w := range c.refusals() {
		_, err := w.read()
		w.closed(err)
	}
	w := c.plain()
	w.send(message{topic: c.topic("t"), qos: 3, id: 1}.bytes(c.v))
	w.end()
}
