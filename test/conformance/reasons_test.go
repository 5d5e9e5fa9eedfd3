package conformance

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A reason is what MQTT 5 names for an event. No numbered statement demands
// that a server says it, but clients are told what was wrong by nothing else.
type reason struct {
	event string
	code  byte
	test  func(*check) byte
	gap   string // as in a statement
}

// said sends a packet as a connected client and returns the reason code of the
// DISCONNECT that comes.
func (c *check) said(p []byte) byte {
	w := c.plain()
	w.send(p)
	return w.reason()
}

// saidOf answers a message in a way that is not that of its QoS.
func (c *check) saidOf(qos, kind byte) byte {
	w := c.plain()
	w.subscribe(filter{c.topic("t"), qos})
	c.plain().publish(message{topic: c.topic("t"), qos: qos})
	w.send(ackBytes(kind, w.message().id))
	return w.reason()
}

// reason waits until the server has closed the connection and returns the
// reason code of its DISCONNECT.
func (w *wire) reason() byte {
	code, said := w.end()
	if !said {
		w.c.fatalf("the connection is closed without DISCONNECT")
	}
	return code
}

// answeredTo returns the reason code of the CONNACK to a CONNECT.
func (c *check) answeredTo(p []byte) byte {
	w := c.dial()
	w.send(p)
	w.connacked(w.next())
	return w.ack.code
}

func reasons() []reason {
	return slices.Concat(connectReasons(), malformedReasons(), protocolReasons(), otherReasons())
}

func connectReasons() []reason {
	return []reason{
		{event: "CONNECT with the reserved flag", code: 0x81,
			test: func(c *check) byte { return c.answeredTo(c.connectBytes(options{flip: 1})) }},
		{event: "CONNECT with a user name that is not UTF-8", code: 0x81,
			test: func(c *check) byte { return c.answeredTo(c.connectBytes(options{user: "a\xff"})) }},
		{event: "CONNECT with Receive Maximum 0", code: 0x82,
			test: func(c *check) byte {
				return c.answeredTo(c.connectBytes(options{props: prop(receiveMaximum, u16(0))}))
			}},
		{event: "CONNECT with a property twice", code: 0x82,
			test: func(c *check) byte {
				return c.answeredTo(c.connectBytes(options{props: twice(prop(receiveMaximum, u16(1)))}))
			}},
		{event: "CONNECT of version 6", code: 0x84,
			test: func(c *check) byte { return c.answeredTo(c.connectBytes(options{level: 6})) }},
		{event: "CONNECT with a client identifier that the server does not take", code: 0x85,
			test: func(c *check) byte {
				code := c.answeredTo(c.connectBytes(options{id: strings.Repeat("x", 5000)}))
				if code == 0 {
					c.skip("the server takes every client identifier")
				}
				return code
			}},
		{event: "CONNECT with an unknown authentication method", code: 0x8c,
			test: func(c *check) byte { return c.answeredTo(c.refusable()) }},
		{event: "CONNECT with a will topic with wildcards", code: 0x90,
			test: func(c *check) byte { return c.answeredTo(c.connectBytes(options{will: c.will("+")})) }},
	}
}

func malformedReasons() []reason {
	return []reason{
		{event: "packet type 0", code: 0x81,
			test: func(c *check) byte { return c.said(frame(0, 0)) }},
		{event: "Remaining Length of five bytes", code: 0x81,
			test: func(c *check) byte { return c.said([]byte{0x30, 0xff, 0xff, 0xff, 0xff, 1}) }},
		{event: "SUBSCRIBE with wrong flags", code: 0x81,
			test: func(c *check) byte { return c.said(frame(subscribe, 0, u16(1), []byte{0}, str("t"), []byte{0})) }},
		{event: "SUBSCRIBE with reserved option bits", code: 0x81,
			test: func(c *check) byte { return c.said(subscribeBytes(v5, 1, nil, filter{c.topic("t"), 0x40})) }},
		{event: "DISCONNECT with wrong flags", code: 0x81,
			test: func(c *check) byte { return c.said(frame(disconnect, 1)) }},
		{event: "PUBLISH of QoS 3", code: 0x81,
			test: func(c *check) byte { return c.said(message{topic: c.topic("t"), qos: 3, id: 1}.bytes(v5)) }},
		{event: "PUBLISH with a topic that is not UTF-8", code: 0x81,
			test: func(c *check) byte { return c.said(message{topic: c.topic("\xff")}.bytes(v5)) }},
		{event: "PUBLISH that is cut short", code: 0x81,
			test: func(c *check) byte { return c.said(frame(publish, 0, u16(99))) }},
	}
}

func protocolReasons() []reason {
	return []reason{
		{event: "a second CONNECT", code: 0x82,
			test: func(c *check) byte { return c.said(c.connectBytes(options{})) }},
		{event: "a packet that only servers send", code: 0x82,
			test: func(c *check) byte { return c.said(frame(pingresp, 0)) }},
		{event: "SUBSCRIBE without topic filters", code: 0x82,
			test: func(c *check) byte { return c.said(subscribeBytes(v5, 1, nil)) }},
		{event: "SUBSCRIBE with the subscription identifier 0", code: 0x82,
			test: func(c *check) byte {
				return c.said(subscribeBytes(v5, 1, prop(subscriptionID, []byte{0}), filter{c.topic("t"), 0}))
			}},
		{event: "No Local on a shared subscription", code: 0x82,
			test: func(c *check) byte {
				return c.said(subscribeBytes(v5, 1, nil, filter{"$share/g/" + c.topic("t"), noLocal}))
			}},
		{event: "PUBLISH with a subscription identifier", code: 0x82,
			test: func(c *check) byte {
				return c.said(message{topic: c.topic("t"), props: prop(subscriptionID, []byte{1})}.bytes(v5))
			}},
		{event: "PUBLISH with a property twice", code: 0x82,
			test: func(c *check) byte {
				return c.said(message{topic: c.topic("t"), props: twice(prop(payloadFormat, []byte{1}))}.bytes(v5))
			}},
		{event: "PUBLISH without topic and alias", code: 0x82,
			test: func(c *check) byte { return c.said(message{}.bytes(v5)) }},
		{event: "PUBLISH with an alias that is not known", code: 0x82,
			test: func(c *check) byte { return c.said(message{props: alias(1)}.bytes(v5)) }},
		{event: "AUTH without an authentication method", code: 0x82,
			test: func(c *check) byte { return c.said(frame(auth, 0)) }},
		{event: "PUBREC for a message of QoS 1", code: 0x82,
			test: func(c *check) byte { return c.saidOf(1, pubrec) }},
		{event: "PUBACK for a message of QoS 2", code: 0x82,
			test: func(c *check) byte { return c.saidOf(2, puback) }},
		{event: "PUBCOMP before PUBREC", code: 0x82,
			test: func(c *check) byte { return c.saidOf(2, pubcomp) }},
		{event: "DISCONNECT that makes a session expiry of 0 longer", code: 0x82,
			test: func(c *check) byte {
				return c.said(frame(disconnect, 0, []byte{0}, props(v5, prop(sessionExpiry, u32(1)))))
			}},
	}
}

func otherReasons() []reason {
	return []reason{
		{event: "silence for one and a half keep-alives", code: 0x8d,
			test: func(c *check) byte { return c.client(options{keepAlive: 1}).reason() }},
		{event: "another connection with the client identifier", code: 0x8e,
			test: func(c *check) byte {
				o := options{id: c.id("a")}
				w := c.client(o)
				c.client(o)
				return w.reason()
			}},
		{event: "more messages than the server's Receive Maximum", code: 0x93,
			test: func(c *check) byte {
				w := c.plain()
				for i := range w.ack.got.number(receiveMaximum, 65535) + 1 {
					w.send(message{topic: c.topic("t"), qos: 2, id: uint16(i + 1)}.bytes(v5))
				}
				return w.reason()
			}},
		{event: "topic alias 0", code: 0x94,
			test: func(c *check) byte { return c.said(message{topic: c.topic("t"), props: alias(0)}.bytes(v5)) }},
		{event: "a topic alias above the server's maximum", code: 0x94,
			test: func(c *check) byte { return c.said(message{topic: c.topic("t"), props: alias(65535)}.bytes(v5)) }},
		{event: "a packet that is larger than the server takes", code: 0x95,
			test: func(c *check) byte {
				w := c.plain()
				if !w.ack.got.has(maximumPacketSize) {
					c.skip("the server takes packets of any size")
				}
				large := strings.Repeat("x", w.ack.got.number(maximumPacketSize, 0))
				w.send(message{topic: c.topic("t"), payload: large}.bytes(v5))
				return w.reason()
			}},

		{event: "a topic filter that is none, in SUBACK", code: 0x8f,
			test: func(c *check) byte { return c.plain().ask(nil, filter{c.topic("#/a"), 0}).codes[0] }},
		{event: "an unsubscribed topic filter, in UNSUBACK", code: 0x11,
			test: func(c *check) byte { return c.plain().unsubscribe(c.topic("t")).codes[0] }},
		{event: "PUBREL without a PUBLISH, in PUBCOMP", code: 0x92,
			test: func(c *check) byte {
				w := c.plain()
				w.send(ackBytes(pubrel, 9))
				return w.reply(pubcomp, 9).code
			}},
		{event: "PUBREC without a PUBLISH, in PUBREL", code: 0x92,
			test: func(c *check) byte {
				w := c.plain()
				w.send(ackBytes(pubrec, 9))
				return w.reply(pubrel, 9).code
			}},
	}
}

func TestReasonCodes(t *testing.T) {
	s, isAmbit := target(t)
	for i, r := range reasons() {
		c := s.check(v5, 1000+i)
		if !isAmbit {
			r.gap = ""
		}
		st := statement{meaning: fmt.Sprintf("%s is %#x", r.event, r.code), gap: r.gap}
		t.Run(r.event, func(t *testing.T) {
			t.Parallel()
			c.run(func(c *check) {
				if code := r.test(c); code != r.code {
					c.fatalf("the server says %#x", code)
				}
			})
			judge(t, st, c, isAmbit)
		})
	}
}
