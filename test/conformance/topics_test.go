package conformance

import "strings"

// Section 4.7: topic names and filters.

// notGranted subscribes to a filter that is none.
func (c *check) notGranted(topic string) {
	w := c.plain()
	w.send(subscribeBytes(c.v, 1, nil, filter{topic, 0}))
	p, err := w.read()
	if err == nil && p.kind == suback {
		if code := p.body[len(p.body)-1]; code < 0x80 {
			c.fatalf("SUBACK %#x for %q", code, topic)
		}
		return
	}
	if err != nil {
		w.closed(err)
		return
	}
	w.oneOf(w.disconnected(p).code, []byte{malformed, protocolError, 0x8f})
}

func testMultiLevelWildcard(c *check) {
	for _, bad := range []string{"a#", "#/a", "a/#/b", "a/b#", "##", "a/##"} {
		c.notGranted(c.topic(bad))
	}
	w := c.plain()
	w.subscribe(filter{c.topic("a/#"), 0})
	for _, name := range []string{"a", "a/", "a/b", "a/b/c"} {
		w.publish(message{topic: c.topic(name), payload: name, qos: 1})
		w.receive(name)
	}
	for _, name := range []string{"ab", "A/b", "b"} {
		w.publish(message{topic: c.topic(name), payload: name, qos: 1})
	}
	w.silent()
}

func testSingleLevelWildcard(c *check) {
	for _, bad := range []string{"a+", "+a", "a/b+/c", "++", "+#"} {
		c.notGranted(c.topic(bad))
	}
	w := c.plain()
	for _, tt := range []struct{ filter, matches, not string }{
		{"a/+", "a/b", "a/b/c"}, {"+/c", "b/c", "b/d"}, {"d/+/e", "d/x/e", "d/e"},
		{"f/+", "f/", "f"}, {"+/+", "/g", "g"}, {"h/+/#", "h/i/j/k", "h"},
	} {
		w.subscribe(filter{c.topic(tt.filter), 0})
		w.publish(message{topic: c.topic(tt.not), payload: "not " + tt.filter, qos: 1})
		w.publish(message{topic: c.topic(tt.matches), payload: tt.filter, qos: 1})
		w.receive(tt.filter)
		w.unsubscribe(c.topic(tt.filter))
	}
	first := "+/" + c.topic("first")[len(c.name)+1:]
	w.subscribe(filter{first, 0})
	w.publish(message{topic: c.topic("first"), payload: "first", qos: 1})
	for w.message().topic != c.topic("first") { // there may be those of others
	}
}

// testSystemTopicsAreHidden subscribes to everything: what servers publish
// about themselves, and what clients may publish, begins with $.
func testSystemTopicsAreHidden(c *check) {
	w := c.plain()
	w.subscribe(filter{"#", 0}, filter{"+/broker/#", 0}, filter{"+/" + c.name, 0})
	p := c.plain()
	p.send(message{topic: "$hidden/" + c.name, payload: "hidden"}.bytes(c.v))
	c.plain().publish(message{topic: c.topic("end"), payload: "end", qos: 1})
	for {
		m := w.message()
		if strings.HasPrefix(m.topic, "$") {
			c.fatalf("# matches %q", m.topic)
		}
		if m.topic == c.topic("end") {
			return
		}
	}
}

func testEmptyTopics(c *check) {
	c.notGranted("")
	w := c.plain()
	w.send(message{topic: "", payload: "x"}.bytes(c.v))
	w.ends(malformed, protocolError, 0x90)
	w = c.plain()
	w.subscribe(filter{c.topic("/"), 0}, filter{c.topic(""), 0}) // levels may be empty
	w.send(unsubscribeBytes(c.v, 9, ""))
	if p, err := w.read(); err == nil && p.kind == unsuback && c.v == v311 {
		c.fatalf("UNSUBACK for an empty topic filter")
	}
}

func testNullInTopics(c *check) {
	for _, p := range [][]byte{
		message{topic: c.topic("a\x00"), payload: "x"}.bytes(c.v),
		subscribeBytes(c.v, 1, nil, filter{c.topic("a\x00"), 0}),
		unsubscribeBytes(c.v, 1, c.topic("a\x00")),
	} {
		w := c.plain()
		w.send(p)
		w.ends(malformed, 0x8f, 0x90)
	}
}

func testTopicsAreNotNormalized(c *check) {
	w := c.plain()
	names := []string{"a/b", "A/b", "a//b", "/a/b", "a/b/", "a /b", "a/./b", "\u00e9", "e\u0301", "%61/b", "a\\b"}
	for _, name := range names {
		w.subscribe(filter{c.topic(name), 0})
	}
	for _, name := range names {
		w.publish(message{topic: c.topic(name), payload: name, qos: 1})
		if m := w.receive(name); m.topic != c.topic(name) {
			c.fatalf("delivered on %q instead of %q", m.topic, c.topic(name))
		}
	}
	w.silent()
}

// Section 4.8: shared subscriptions.

// share is the topic filter of a group.
func (c *check) share(group string) string {
	if c.plain().ack.got.number(sharedAvailable, 1) == 0 {
		c.skip("the server has no shared subscriptions")
	}
	return "$share/" + group + "/" + c.topic("t")
}

func testShareName(c *check) {
	c.share("g")
	for _, bad := range []string{"$share/", "$share/g", "$share//" + c.topic("t"), "$share/g/"} {
		c.notGranted(bad)
	}
}

func testShareNameCharacters(c *check) {
	for _, bad := range []string{"g+", "+", "#", "g#"} {
		c.notGranted(c.share(bad))
	}
	// Every message reaches one of the group.
	a, b := c.plain(), c.plain()
	a.subscribe(filter{c.share("g"), 0})
	b.subscribe(filter{c.share("g"), 0})
	p := c.plain()
	for range 6 {
		p.publish(message{topic: c.topic("t"), payload: "x", qos: 1})
	}
	if n := c.count(a) + c.count(b); n != 6 {
		c.fatalf("%d messages instead of 6", n)
	}
}

// count takes all messages of a client.
func (c *check) count(w *wire) int {
	end := c.aside()
	w.subscribe(filter{end, 0})
	c.plain().publish(message{topic: end, payload: "end", qos: 1})
	for n := 0; ; n++ {
		m := w.message()
		if m.topic == end {
			return n
		}
		w.acknowledge(m)
	}
}

func testShareKeepsTheQoS(c *check) {
	w := c.plain()
	for granted := byte(0); granted <= 2; granted++ {
		w.subscribe(filter{c.share("g"), granted})
		for qos := byte(0); qos <= 2; qos++ {
			w.publish(message{topic: c.topic("t"), payload: "x", qos: qos})
			if m := w.receive("x"); m.qos != min(granted, qos) {
				c.fatalf("QoS %d of a message with %d, granted %d", m.qos, qos, granted)
			}
		}
	}
}

// chosen has two members, one of which has a message of QoS 2 in flight.
func (c *check) chosen(o options) (w, other *wire, m message) {
	w = c.client(o)
	w.subscribe(filter{c.share("g"), 2})
	c.plain().publish(message{topic: c.topic("t"), payload: "x", qos: 2})
	m = w.message()
	other = c.plain()
	other.subscribe(filter{c.share("g"), 2})
	return w, other, m
}

func testShareCompletesQoS2(c *check) {
	o := c.kept("a")
	w, other, m := c.chosen(o)
	w.drop()
	w = c.client(o)
	if again := w.receive("x"); again.id != m.id {
		c.fatalf("identifier %d instead of %d", again.id, m.id)
	}
	other.silent()
}

func testShareOfAnEndedSession(c *check) {
	w, other, _ := c.chosen(options{})
	w.drop()
	other.silent()
}

func testShareRefusedByAMember(c *check) {
	w, other, m := c.chosen(options{})
	w.send(ackBytes(pubrec, m.id, 0x80))
	w.ping()
	other.silent()
	w.silent()
}
