package conformance

import "fmt"

// Topic aliases (3.1.2, 3.2.2 and 3.3.2).

func alias(n uint16) []byte { return prop(topicAlias, u16(n)) }

// aliases publishes on more topics than there may be aliases, twice, and fails
// unless the topic can be told from every message.
func (c *check) aliases(o options, limit int) {
	w, p := c.client(o), c.plain()
	w.subscribe(filter{c.topic("#"), 0})
	known := map[int]string{}
	for i := range 10 {
		topic := c.topic(fmt.Sprint("t", i%5))
		p.publish(message{topic: topic, payload: "x", qos: 1})
		m := w.receive("x")
		n := m.got.number(topicAlias, 0)
		switch {
		case n > limit || m.got.has(topicAlias) && n == 0:
			c.fatalf("alias %d, and the limit is %d", n, limit)
		case n > 0 && m.topic != "":
			known[n] = m.topic
		case n > 0:
			m.topic = known[n]
		}
		if m.topic != topic {
			c.fatalf("topic %q with alias %d instead of %q", m.topic, n, topic)
		}
	}
}

func testAliasesAreWithinTheMaximum(c *check) {
	c.aliases(options{props: prop(topicAliasMaximum, u16(2))}, 2)
}

func testNoAliases(c *check) {
	c.aliases(options{}, 0)
	c.aliases(options{props: prop(topicAliasMaximum, u16(0))}, 0)
}

// aliasMaximum is the number of aliases that the server takes.
func (c *check) aliasMaximum(w *wire) int {
	n := w.ack.got.number(topicAliasMaximum, 0)
	if n == 0 {
		c.skip("the server takes no topic aliases")
	}
	return n
}

func testAliasesEndWithTheConnection(c *check) {
	o := c.kept("a")
	w := c.client(o)
	c.aliasMaximum(w)
	w.publish(message{topic: c.topic("t"), payload: "x", qos: 1, props: alias(1)})
	w.bye()
	w = c.client(o)
	w.send(message{payload: "x", qos: 1, id: 9, props: alias(1)}.bytes(c.v))
	if p, err := w.read(); err == nil && p.kind == puback && (len(p.body) < 3 || p.body[2] < 0x80) {
		c.fatalf("the alias of another connection is known")
	}
}

func testAliasZero(c *check) {
	w := c.plain()
	w.send(message{topic: c.topic("t"), payload: "x", props: alias(0)}.bytes(c.v))
	w.ends(malformed, protocolError, 0x94)
}

func testAliasBeyondTheMaximum(c *check) {
	w := c.plain()
	n := w.ack.got.number(topicAliasMaximum, 0)
	if n == 65535 {
		c.skip("the server takes every topic alias")
	}
	w.send(message{topic: c.topic("t"), payload: "x", props: alias(uint16(n + 1))}.bytes(c.v))
	w.ends(protocolError, 0x94)
}

func testEveryAliasIsAccepted(c *check) {
	w := c.plain()
	limit := c.aliasMaximum(w)
	w.subscribe(filter{c.topic("#"), 0})
	for _, n := range []int{1, (limit + 1) / 2, limit} {
		for _, topic := range []string{c.topic("first"), c.topic("second")} { // the second takes the alias over
			for _, named := range []string{topic, ""} {
				w.publish(message{topic: named, payload: "x", qos: 1, props: alias(uint16(n))})
				if m := w.receive("x"); m.topic != topic {
					c.fatalf("alias %d of %d is %q instead of %q", n, limit, m.topic, topic)
				}
			}
		}
	}
}
