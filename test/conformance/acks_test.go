package conformance

import "slices"

// Sections 3.4 to 3.7, and what else has a reason code: codes that there are,
// and packets that the client has room for.

// ackCodes are the reason codes of PUBACK and PUBREC.
func ackCodes() []byte { return []byte{0, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99} }

// publications are messages that a server accepts, or not.
func (c *check) publications(qos byte) []message {
	var all []message
	for _, topic := range []string{c.topic("nobody"), c.topic("t"), "$no/such/topic", c.topic("?{bad")} {
		all = append(all, message{topic: topic, payload: "x", qos: qos, id: 1})
	}
	return all
}

func testPubackCodes(c *check) { c.answered(1, puback) }
func testPubrecCodes(c *check) { c.answered(2, pubrec) }

func (c *check) answered(qos, kind byte) {
	sub := c.plain()
	sub.subscribe(filter{c.topic("t"), 0})
	for _, m := range c.publications(qos) {
		w := c.plain()
		w.send(m.bytes(c.v))
		p, err := w.read()
		if err != nil || p.kind == disconnect {
			continue // it may end the connection, too
		}
		if p.kind != kind || len(p.body) > 2 && !slices.Contains(ackCodes(), p.body[2]) {
			c.fatalf("packet type %d with % x for %q", p.kind, p.body, m.topic)
		}
	}
}

func testPubrelCodes(c *check) {
	testPubrelFollowsPubrec(c)
	w := c.plain()
	w.send(ackBytes(pubrec, 99)) // for a message that there is not
	p, err := w.read()
	if err == nil && p.kind == pubrel && len(p.body) > 2 && p.body[2] != 0x92 && p.body[2] != 0 {
		c.fatalf("PUBREL % x", p.body)
	}
}

func testPubcompCodes(c *check) {
	testPubcompForPubrel(c)
	w := c.plain()
	w.send(ackBytes(pubrel, 99)) // of a message that there is not
	p, err := w.read()
	if err == nil && p.kind == pubcomp && len(p.body) > 2 && p.body[2] != 0x92 && p.body[2] != 0 {
		c.fatalf("PUBCOMP % x", p.body)
	}
}

// room is the Maximum Packet Size of clients that are told no reasons.
const room = 20

// small sends packets from a client with little room, each in a connection of
// its own, and fails if the server answers more than fits.
func (c *check) small(packets ...[]byte) {
	for _, p := range packets {
		w := c.client(options{props: prop(maximumPacketSize, u32(room))})
		w.send(cat(p, frame(pingreq, 0)))
		for {
			p, err := w.read()
			if err != nil || p.kind == pingresp {
				break
			}
			if p.size > room {
				c.fatalf("packet type %d of %d bytes: % x", p.kind, p.size, p.body)
			}
		}
	}
}

func testSmallPuback(c *check) {
	for _, m := range c.publications(1) {
		c.small(m.bytes(c.v))
	}
}

func testSmallPubrec(c *check) {
	for _, m := range c.publications(2) {
		c.small(m.bytes(c.v))
	}
}

func testSmallPubrel(c *check)  { c.small(ackBytes(pubrec, 99)) }
func testSmallPubcomp(c *check) { c.small(ackBytes(pubrel, 99)) }

func testSmallSuback(c *check) {
	for _, topic := range []string{c.topic("t"), c.topic("#/e"), "$no/such/topic", c.topic("t") + "/?{}", c.topic("t/?{")} {
		c.small(subscribeBytes(c.v, 1, nil, filter{topic, 0}))
	}
}

func testSmallUnsuback(c *check) {
	c.small(unsubscribeBytes(c.v, 1, c.topic("t")), unsubscribeBytes(c.v, 1, c.topic("#/e")))
}

func testSmallDisconnect(c *check) {
	o := options{id: c.id("a"), props: prop(maximumPacketSize, u32(room))}
	w := c.client(o)
	c.client(o).ping()
	if p, err := w.read(); err == nil && p.size > room {
		c.fatalf("DISCONNECT has %d bytes", p.size)
	}
	c.small(frame(pingreq, 1), frame(publish, 6, str("t"), u16(1), props(c.v)), c.connectBytes(options{}))
}
