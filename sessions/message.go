package sessions

import (
	"bytes"
	"strconv"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/persistence"
)

// A Message is an application message on its way to any number of clients. It
// is not written once it is made.
type Message struct {
	Topic   string
	Payload []byte
	QoS     byte
	Retain  bool
	// Properties are those that go on with the message, as MQTT 5 writes them: see
	// [AppendProperty]. Its expiry is not among them.
	Properties []byte
	// From is the client that caused it, for No Local [MQTT-3.8.3-3].
	From string
	// Unheard says that this client is not told, even if it did not ask for No Local.
	Unheard bool
	// Silent says that clients of other protocols are not told.
	Silent bool
	// User is who that client was signed in as, or "".
	User string
	// Supersedes says that what a snapshot holds for the same topic is out of date.
	Supersedes bool
	// Last says that the message tells of the end of a snapshot.
	Last bool
	// Seq is that of the change that a handler's message is about.
	Seq uint64
	// Cleared says that nobody is given the message who may not be: it was made for
	// whoever gets it.
	Cleared bool
	// Subject is the handler's own: what it knows of the document that the message is
	// about. Nil is nothing, or no document.
	Subject any

	// Of a mortal message, life is how long it may be delivered, and expires until
	// when.
	mortal  bool
	life    time.Duration
	expires time.Time
	// rights are those of whoever leaves a will.
	rights Rights
	// borrowed says that Payload and Properties are in a buffer that is used again.
	borrowed bool
}

// messageOverhead is what a message takes beside its text.
const messageOverhead = 128

// size is about what a message takes in memory.
func (m *Message) size() int {
	return messageOverhead + len(m.Topic) + len(m.Payload) + len(m.Properties)
}

// skips says whether a session is not told that subscribed: what it caused itself, where
// it does not want that [MQTT-3.8.3-3].
func (m *Message) skips(s *session, sub *Subscription) bool {
	return (m.Unheard || sub.request.noLocal()) && s.id == m.From
}

// begin returns m with its life beginning now.
func (m *Message) begin(now time.Time) *Message {
	if m.mortal {
		m.expires = now.Add(m.life)
	}
	return m
}

// Keep returns a message that stays as it is: m itself, or a copy of one whose
// text is only lent.
func (m *Message) Keep() *Message {
	if !m.borrowed {
		return m
	}
	n := *m
	n.borrowed = false
	n.Payload, n.Properties = bytes.Clone(m.Payload), bytes.Clone(m.Properties)
	return &n
}

// UserProperty returns the value of the user property of this name, if there is one.
func (m *Message) UserProperty(key string) (value []byte, ok bool) {
	return userProperty(m.Properties, key)
}

// record returns the message as the store keeps it, whose time is now.
func (m *Message) record(now time.Time) persistence.Record {
	if len(m.Payload) == 0 {
		return persistence.DeleteRetained(m.Topic) // [MQTT-3.3.1-6]
	}
	var props persistence.Properties
	if m.mortal {
		props.Expiry = now.Add(time.Until(m.expires))
	}
	for p := range all(m.Properties) {
		switch p.ID {
		case packets.PropPayloadFormat:
			props.PayloadFormat, props.HasPayloadFormat = p.Number, true
		case packets.PropContentType:
			props.ContentType = string(p.Value)
		case packets.PropResponseTopic:
			props.ResponseTopic = string(p.Value)
		case packets.PropCorrelationData:
			props.CorrelationData = bytes.Clone(p.Value)
		case packets.PropUser:
			props.User = append(props.User, [2]string{string(p.Key), string(p.Value)})
		}
	}
	return persistence.PutRetained(persistence.Retained{
		Topic: m.Topic, Payload: m.Payload, QoS: m.QoS, Properties: props, Created: now, ClientID: m.From,
	})
}

// restored is the reverse of record.
func restored(r persistence.Retained, now time.Time) *Message {
	m := &Message{
		Topic: r.Topic, Payload: r.Payload, QoS: r.QoS, Retain: true, From: r.ClientID, Supersedes: true,
		mortal: !r.Properties.Expiry.IsZero(), expires: time.Now().Add(r.Properties.Expiry.Sub(now)),
	}
	add := func(id byte, value []byte) {
		if len(value) > 0 {
			m.Properties = AppendProperty(m.Properties, Property{ID: id, Value: value})
		}
	}
	if r.Properties.HasPayloadFormat {
		m.Properties = AppendProperty(m.Properties, Property{ID: packets.PropPayloadFormat, Number: r.Properties.PayloadFormat})
	}
	add(packets.PropContentType, []byte(r.Properties.ContentType))
	add(packets.PropResponseTopic, []byte(r.Properties.ResponseTopic))
	add(packets.PropCorrelationData, r.Properties.CorrelationData)
	for _, u := range r.Properties.User {
		m.Properties = AppendUser(m.Properties, u[0], u[1])
	}
	return m
}

// AppendUint appends a user property whose value is a number.
func AppendUint(b []byte, key string, value uint64) []byte {
	return AppendUser(b, key, strconv.FormatUint(value, 10))
}

// ResponseTopic returns the response topic of the message, if it has one.
func (m *Message) ResponseTopic() (topic string, ok bool) {
	for p := range all(m.Properties) {
		if p.ID == packets.PropResponseTopic {
			return string(p.Value), true
		}
	}
	return "", false
}
