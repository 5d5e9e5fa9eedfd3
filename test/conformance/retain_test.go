package conformance

// Retained messages (3.3.1).

// retain publishes a retained message and waits until it is stored.
func (c *check) retain(payload string, qos byte) {
	w := c.plain()
	w.subscribe(filter{c.topic("t"), 0})
	w.publish(message{topic: c.topic("t"), payload: payload, qos: qos, retain: true})
	for w.message().payload != payload { // one that is retained already comes first
	}
	w.bye()
}

// retained subscribes anew, and returns the retained message.
func (c *check) retained() message {
	w := c.plain()
	w.subscribe(filter{c.topic("t"), 2})
	m := w.message()
	if !m.retain {
		c.fatalf("RETAIN is 0")
	}
	w.acknowledge(m)
	return m
}

// nothingRetained subscribes anew, and must get nothing.
func (c *check) nothingRetained() {
	w := c.plain()
	w.subscribe(filter{c.topic("t"), 2})
	w.silent()
}

func testRetainedIsStored(c *check) {
	for i, payload := range []string{"first", "second", "third"} {
		c.retain(payload, byte(2-i))
		if m := c.retained(); m.payload != payload || int(m.qos) != 2-i {
			c.fatalf("retained %q with QoS %d instead of %q with %d", m.payload, m.qos, payload, 2-i)
		}
	}
}

func testRetainedAtQoS0Replaces(c *check) {
	c.retain("first", 1)
	c.retain("second", 0)
	w := c.plain()
	w.subscribe(filter{c.topic("t"), 1})
	w.publish(message{topic: c.topic("t"), payload: "live", qos: 1})
	m := w.message()
	if m.payload == "first" {
		c.fatalf("the replaced message is retained")
	}
}

func testEmptyRetainedRemoves(c *check) {
	c.retain("kept", 1)
	sub := c.plain()
	sub.subscribe(filter{c.topic("t"), 1})
	sub.receive("kept")
	c.retain("", 1)
	sub.receive("") // as any message
	c.nothingRetained()
}

func testEmptyIsNotRetained(c *check) {
	c.retain("", 1)
	c.nothingRetained()
}

func testOthersAreNotRetained(c *check) {
	w := c.plain()
	w.publish(message{topic: c.topic("t"), payload: "live", qos: 1})
	c.nothingRetained()
	c.retain("kept", 1)
	w.publish(message{topic: c.topic("t"), payload: "live", qos: 1})
	w.publish(message{topic: c.topic("t"), payload: "", qos: 1})
	if m := c.retained(); m.payload != "kept" {
		c.fatalf("retained %q", m.payload)
	}
}

func testRetainedAreSent(c *check) {
	c.retain("kept", 1)
	w := c.plain()
	for _, f := range []string{c.topic("t"), c.topic("+"), c.topic("#")} {
		w.subscribe(filter{f, 1})
		w.receive("kept")
		w.subscribe(filter{f, 1}) // again: retain handling is 0
		w.receive("kept")
	}
}

func testRetainedHaveTheFlag(c *check) {
	c.retain("kept", 0)
	c.retained() // fails without the flag
}

func testLiveHaveNotTheFlag(c *check) {
	w := c.plain()
	w.subscribe(filter{c.topic("t"), 2})
	c.retain("kept", 1)
	if w.receive("kept").retain {
		c.fatalf("RETAIN is 1")
	}
}

func testRetainHandlingOne(c *check) {
	c.retain("kept", 1)
	o := c.kept("a")
	w := c.client(o)
	w.subscribe(filter{c.topic("t"), 1 | retainIfNew})
	w.receive("kept")
	w.subscribe(filter{c.topic("t"), 1 | retainIfNew})
	w.silent()
	w.bye()
	w = c.client(o) // the subscription of a session that is resumed is not new
	w.subscribe(filter{c.topic("t"), 1 | retainIfNew})
	w.silent()
	w.unsubscribe(c.topic("t"))
	w.subscribe(filter{c.topic("t"), 1 | retainIfNew})
	w.receive("kept")
}

func testRetainHandlingTwo(c *check) {
	c.retain("kept", 1)
	w := c.plain()
	w.subscribe(filter{c.topic("t"), 1 | retainNever})
	w.silent()
}

func testRetainAsPublished(c *check) {
	o := c.kept("a")
	w := c.client(o)
	w.subscribe(filter{c.topic("t"), 1 | retainAsPublished})
	c.retain("kept", 1)
	if !w.receive("kept").retain {
		c.fatalf("RETAIN is 0")
	}
	w.bye()
	c.retain("waits", 1)
	w = c.client(o)
	if !w.receive("waits").retain {
		c.fatalf("RETAIN is 0 of a message that has waited")
	}
	c.plain().publish(message{topic: c.topic("t"), payload: "live", qos: 1})
	if w.receive("live").retain {
		c.fatalf("RETAIN is 1")
	}
}
