package conformance

import (
	"slices"
	"time"
)

// Section 3.3: PUBLISH.

func testDupOnRedelivery(c *check) {
	o := c.kept("a")
	w := c.client(o)
	w.subscribe(filter{c.topic("t"), 2})
	p := c.plain()
	p.publish(message{topic: c.topic("t"), payload: "1", qos: 1})
	p.publish(message{topic: c.topic("t"), payload: "2", qos: 2})
	first := []message{w.message(), w.message()}
	w.bye()
	p.publish(message{topic: c.topic("t"), payload: "3", qos: 1})
	w = c.client(o)
	for _, want := range first {
		m := w.message()
		if !m.dup || m.id != want.id || m.payload != want.payload || m.qos != want.qos {
			c.fatalf("%q again with DUP %v and identifier %d instead of %d", m.payload, m.dup, m.id, want.id)
		}
		w.acknowledge(m)
	}
	if m := w.message(); m.dup || m.payload != "3" {
		c.fatalf("%q, sent for the first time, has DUP %v", m.payload, m.dup)
	}
}

func testDupAtQoS0(c *check) {
	w := c.plain()
	w.subscribe(filter{c.topic("t"), 0})
	w.publish(message{topic: c.topic("t"), payload: "x", qos: 1, dup: true})
	if m := w.message(); m.dup || m.qos != 0 {
		c.fatalf("QoS %d with DUP %v", m.qos, m.dup)
	}
}

func testDupIsNotPropagated(c *check) {
	w := c.plain()
	w.subscribe(filter{c.topic("t"), 2})
	for qos := byte(1); qos <= 2; qos++ {
		w.send(message{topic: c.topic("t"), payload: "x", qos: qos, dup: true, id: 7}.bytes(c.v))
		w.reply(puback+qos-1, 7)
		if qos == 2 {
			w.send(ackBytes(pubrel, 7))
			w.reply(pubcomp, 7)
		}
		if m := w.message(); m.dup || m.qos != qos {
			c.fatalf("QoS %d with DUP %v", m.qos, m.dup)
		}
	}
}

func testQoSThree(c *check) {
	w := c.plain()
	w.send(message{topic: c.topic("t"), payload: "x", qos: 3, id: 1}.bytes(c.v))
	w.ends(malformed)
}

func testTopicNameIsUTF8(c *check) {
	c.eachEnds([]byte{malformed, 0x90}, c.withText(func(bad string) []byte {
		return message{topic: c.topic(bad), payload: "x"}.bytes(c.v)
	}))
	w := c.plain()
	w.send(frame(publish, 0, u16(200), []byte("short")))
	w.ends(malformed)
}

// testTopicNameWithWildcards lets MQTT 5 servers refuse the message alone.
func testTopicNameWithWildcards(c *check) {
	sub := c.plain()
	sub.subscribe(filter{c.topic("#"), 1})
	for _, name := range []string{"+", "#", "a+", "a#", "+/a"} {
		for qos := byte(0); qos <= 1; qos++ {
			w := c.plain()
			w.send(message{topic: c.topic(name), payload: "x", qos: qos, id: 1}.bytes(c.v))
			if c.v == v5 && qos == 1 {
				p, err := w.read()
				if err == nil && p.kind == puback && len(p.body) > 2 && p.body[2] == 0x90 {
					continue
				}
				if err == nil && p.kind != disconnect {
					c.fatalf("packet type %d with % x", p.kind, p.body)
				}
			}
			if c.v == v311 || qos == 1 {
				w.ends(malformed, protocolError, 0x90)
			}
		}
	}
	sub.silent()
}

func testTopicNameMatches(c *check) {
	w := c.plain()
	for _, tt := range []struct{ filter, name string }{
		{"a/b", "a/b"}, {"+/c", "b/c"}, {"d/#", "d/e/f"}, {"g/#", "g"}, {"h//i", "h//i"}, {"j/+/k", "j//k"},
	} {
		w.subscribe(filter{c.topic(tt.filter), 1})
		w.publish(message{topic: c.topic(tt.name), payload: "x", qos: 1})
		if m := w.receive("x"); m.topic != c.topic(tt.name) {
			c.fatalf("delivered on %q instead of %q", m.topic, c.topic(tt.name))
		}
		w.unsubscribe(c.topic(tt.filter))
	}
}

// passes publishes a message with properties, live and retained, and fails
// unless the values of one arrive as they were sent.
func (c *check) passes(id byte, values ...string) {
	sent := cat(prop(payloadFormat, []byte{1}), prop(contentType, str("text/plain")), user("b", "1"),
		prop(responseTopic, str("reply/to")), user("a", "2"), prop(correlationData, str("\x00\xff\x01")),
		user("b", ""), user("", "x"), user("b", "1"))
	m := message{topic: c.topic("t"), payload: "text", qos: 1, retain: true, props: sent}
	live := c.plain()
	live.subscribe(filter{m.topic, 1})
	c.plain().publish(m)
	retained := c.plain()
	retained.subscribe(filter{m.topic, 0})
	for _, w := range []*wire{live, retained} {
		if got := w.receive("text").got.all(id); !slices.Equal(got, values) {
			c.fatalf("property %#x is %q instead of %q", id, got, values)
		}
	}
}

func testPayloadFormatPasses(c *check)   { c.passes(payloadFormat, "1") }
func testContentTypePasses(c *check)     { c.passes(contentType, "text/plain") }
func testResponseTopicPasses(c *check)   { c.passes(responseTopic, "reply/to") }
func testCorrelationDataPasses(c *check) { c.passes(correlationData, "\x00\xff\x01") }
func testUserPropertiesPass(c *check)    { c.passes(userProperty, "b=1", "a=2", "b=", "=x", "b=1") }

func testMessageExpires(c *check) {
	o := c.kept("a")
	w := c.client(o)
	w.subscribe(filter{c.topic("t"), 1})
	w.bye()
	p := c.plain()
	p.publish(message{topic: c.topic("t"), payload: "short", qos: 1, props: prop(messageExpiry, u32(1))})
	p.publish(message{topic: c.topic("t"), payload: "long", qos: 1, props: prop(messageExpiry, u32(100))})
	p.publish(message{topic: c.topic("r"), payload: "r", qos: 1, retain: true, props: prop(messageExpiry, u32(1))})
	c.letPass(2200 * time.Millisecond)
	w = c.client(o)
	w.receive("long")
	w.subscribe(filter{c.topic("r"), 1})
	w.silent()
}

func testMessageExpiryIsReduced(c *check) {
	o := c.kept("a")
	w := c.client(o)
	w.subscribe(filter{c.topic("t"), 1})
	w.bye()
	p := c.plain()
	expiry := prop(messageExpiry, u32(100))
	p.publish(message{topic: c.topic("t"), payload: "waits", qos: 1, props: expiry})
	p.publish(message{topic: c.topic("r"), payload: "retained", qos: 1, retain: true, props: expiry})
	c.letPass(2200 * time.Millisecond)
	w = c.client(o)
	for _, payload := range []string{"waits", "retained"} {
		if n := w.receive(payload).got.number(messageExpiry, 0); n < 90 || n > 98 {
			c.fatalf("expiry interval of %q is %d after two of 100 seconds", payload, n)
		}
		w.subscribe(filter{c.topic("r"), 1})
	}
}

func testResponseTopicIsUTF8(c *check) {
	c.eachEnds([]byte{malformed}, c.withText(func(bad string) []byte {
		return message{topic: c.topic("t"), props: prop(responseTopic, str(bad))}.bytes(c.v)
	}))
}

func testResponseTopicHasNoWildcards(c *check) {
	var samples []sample
	for _, bad := range []string{"a/+", "#", "a/#", "a+"} {
		samples = append(samples, sample{bad, message{topic: c.topic("t"), props: prop(responseTopic, str(bad))}.bytes(c.v)})
	}
	c.eachEnds([]byte{malformed, protocolError, 0x90}, samples)
}

func testContentTypeIsUTF8(c *check) {
	c.eachEnds([]byte{malformed}, c.withText(func(bad string) []byte {
		return message{topic: c.topic("t"), props: prop(contentType, str(bad))}.bytes(c.v)
	}))
}

func testAnswerByQoS(c *check) {
	w := c.plain()
	for qos := byte(0); qos <= 2; qos++ {
		w.publish(message{topic: c.topic("t"), payload: "x", qos: qos})
		w.ping() // there is nothing else
	}
}

func testOverlappingSubscriptions(c *check) {
	w := c.plain()
	w.subscribe(filter{c.topic("#"), 0}, filter{c.topic("+"), 2}, filter{c.topic("t"), 1})
	for qos := byte(0); qos <= 2; qos++ {
		c.plain().publish(message{topic: c.topic("t"), payload: "x", qos: qos})
		best := byte(0)
		for _, m := range c.copies(w, "x") {
			best = max(best, m.qos)
		}
		if best != qos {
			c.fatalf("delivered with QoS %d instead of %d", best, qos)
		}
	}
}

// copies returns the messages with that payload, of which there must be one:
// a server may send several to a client with several matching subscriptions.
func (c *check) copies(w *wire, payload string) []message {
	end := c.aside()
	w.subscribe(filter{end, 0})
	c.plain().publish(message{topic: end, payload: "end", qos: 1})
	var got []message
	for {
		m := w.message()
		if m.topic == end {
			break
		}
		if m.payload != payload {
			c.fatalf("received %q instead of %q", m.payload, payload)
		}
		w.acknowledge(m)
		got = append(got, m)
	}
	if len(got) == 0 {
		c.fatalf("%q is not delivered", payload)
	}
	return got
}

func testSubscriptionIDs(c *check) {
	w := c.plain()
	if w.ack.got.number(subIDAvailable, 1) == 0 {
		c.skip("the server has no subscription identifiers")
	}
	w.ask(prop(subscriptionID, varint(7)), filter{c.topic("t"), 0}) // to be replaced
	w.ask(prop(subscriptionID, varint(1)), filter{c.topic("t"), 0})
	w.ask(prop(subscriptionID, varint(268_435_455)), filter{c.topic("+"), 1})
	w.ask(nil, filter{c.topic("u"), 1})
	w.publish(message{topic: c.topic("t"), payload: "x", qos: 1})
	var ids []string
	copies := c.copies(w, "x")
	for _, m := range copies {
		got := m.got.all(subscriptionID)
		if len(copies) > 1 && len(got) > 1 {
			c.fatalf("one of several copies has the identifiers %q", got)
		}
		ids = append(ids, got...)
	}
	slices.Sort(ids)
	if !slices.Equal(ids, []string{"1", "268435455"}) {
		c.fatalf("subscription identifiers %q", ids)
	}
}

// testSubscriptionIDsStay looks at messages that were retained, or have waited.
func testSubscriptionIDsStay(c *check) {
	testSubscriptionIDs(c)
	o := c.kept("a")
	c.retain("kept", 1)
	w := c.client(o)
	w.ask(prop(subscriptionID, varint(300)), filter{c.topic("t"), 1})
	for _, payload := range []string{"kept", "waits", "live"} {
		if got := w.receive(payload).got.all(subscriptionID); !slices.Equal(got, []string{"300"}) {
			c.fatalf("%q has the subscription identifiers %q", payload, got)
		}
		switch payload {
		case "kept":
			w.bye()
			c.plain().publish(message{topic: c.topic("t"), payload: "waits", qos: 1})
			w = c.client(o)
		case "waits":
			c.plain().publish(message{topic: c.topic("t"), payload: "live", qos: 1})
		}
	}
}

func testSubscriptionIDFromAClient(c *check) {
	w := c.plain()
	w.send(message{topic: c.topic("t"), payload: "x", props: prop(subscriptionID, varint(1))}.bytes(c.v))
	w.ends(malformed, protocolError)
}

// testUnauthorizedPublish tries topics that servers keep to themselves.
func testUnauthorizedPublish(c *check) {
	for _, topic := range []string{"$SYS/broker/uptime", "$no/such/topic", c.topic("t")} {
		for qos := byte(1); qos <= 2; qos++ {
			w := c.plain()
			w.send(message{topic: topic, payload: "x", qos: qos, id: 1}.bytes(c.v))
			p, err := w.read()
			if err != nil {
				w.closed(err)
			} else if p.kind != puback+qos-1 {
				c.fatalf("packet type %d in answer", p.kind)
			}
		}
	}
}
