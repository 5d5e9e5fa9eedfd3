package sessions

import (
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// answerOverhead is what an answer takes in its packet besides its topic,
// properties and payload, at most.
const answerOverhead = 64

// request has the handler answer a request, and gives the answer to the client
// that asks and to nobody else, whether it subscribed to the topic or not: as the
// properties of the request say [MQTT5 4.10], or on the topic for answers. It goes
// out with the QoS of the request, behind its acknowledgement. An error ends the
// connection.
func (e *Engine) request(c *Client, m *Message, id uint16) error {
	p := &publication{engine: e, session: c.session, client: c, id: id, qos: m.QoS, topic: m.Topic}
	p.await()
	if c.Rights != nil {
		if err := c.Rights.MayPublish(c.name, m); err != nil {
			p.refuse(err, &c.flushes)
			return nil
		}
	}
	topic := topics.Response(m.Topic)
	c.asked.Store(&topic)
	answer := &Message{Topic: topic, QoS: m.QoS, Cleared: true}
	for property := range all(m.Properties) {
		switch property.ID {
		case packets.PropResponseTopic:
			answer.Topic = string(property.Value)
		case packets.PropCorrelationData:
			answer.Properties = AppendProperty(nil, property)
		}
	}
	most := c.link.peer.packetBytes - len(answer.Topic) - len(answer.Properties) - answerOverhead
	answer.Payload = e.ask(c, m.Keep(), most)
	if p.stored { // as late as it can be: a request that was not done is not forgotten
		if err := e.submit(p.remember(&persistence.Op{}, nil)); err != nil {
			return errorOf(err)
		}
	}
	p.ack(packets.CodeSuccess.Code, "", &c.flushes)
	to := match{session: c.session, qos: m.QoS}
	if sub := c.session.sub(answer.Topic); sub != nil && sub.isPlain() {
		to = sub.match(c.session)
	}
	e.deliver(answer, to, nil, nil, &c.flushes)
	return nil
}

// ask asks the handler, once what the client published before is in the store.
func (e *Engine) ask(c *Client, m *Message, most int) []byte {
	c.pass() // what comes next may wait
	defer c.session.box.waits()()
	if c.session.pending.Load() > 0 {
		_ = e.submit(&persistence.Op{}) // fails when the store is closed: the handler will say so
	}
	return e.h.Request(c, m, most)
}
