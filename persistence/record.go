package persistence

import (
	"fmt"
	"slices"
	"time"
)

// NeverExpires is the ExpirySeconds of a session that is kept for ever
// [MQTT-3.1.2-11.2].
const NeverExpires uint32 = 0xffffffff

// A Session is what must be known of a client's session after a restart.
type Session struct {
	ClientID, User string
	// ProtocolVersion is that of CONNECT: 3, 4 or 5.
	ProtocolVersion byte
	// Clean is Clean Start, or Clean Session before MQTT 5.
	Clean bool
	// ExpirySeconds is how long the session is kept after DisconnectedAt.
	ExpirySeconds uint32
	// DisconnectedAt is zero while the client is connected.
	DisconnectedAt time.Time
	// Life tells apart the sessions that a client id has one after the other.
	Life uint64
	// Will is what the client leaves behind if it does not come back, or nil.
	Will *Will
	// Identity is what is known of who the client is besides. Nil is nothing.
	Identity []byte
}

// A Will is a message that is to be published when a client has gone.
type Will struct {
	// Message has no expiry: it begins when the message is published.
	Message *Message
	// Delay is how long the client may stay away before.
	Delay time.Duration
	// Life is how long the message may be delivered, if Mortal is set.
	Life   time.Duration
	Mortal bool
}

// A Subscription belongs to the session of its client.
type Subscription struct {
	ClientID, TopicFilter      string
	QoS                        byte
	NoLocal, RetainAsPublished bool
	RetainHandling             byte
	Identifier                 uint32
	// Filter is the canonical filter when the topic filter is a room. May be nil.
	Filter []byte
	// Seen is the seq up to which the client needs to be told nothing any more. It
	// counts only when HasSeen is set.
	Seen    uint64
	HasSeen bool
	// Volatile is the JSON data that the client subscribed with. May be nil.
	Volatile []byte
}

// A Retained is the retained message of a topic that is not a document.
type Retained struct {
	Topic      string
	Payload    []byte
	QoS        byte
	Properties Properties
	// Created is when it was published, by the client of this id.
	Created  time.Time
	ClientID string
}

// Properties are the MQTT 5 properties of a message that outlive its delivery.
type Properties struct {
	ContentType, ResponseTopic string
	CorrelationData            []byte
	// PayloadFormat counts only when HasPayloadFormat is set.
	PayloadFormat    byte
	HasPayloadFormat bool
	User             [][2]string
	// Expiry is when the message expires; zero for never.
	Expiry time.Time
}

// A Record is a change to something other than a document. It is made by the
// functions below, which encode their argument at once, and is written in the
// batch of its [Op].
type Record struct {
	action     recordAction
	key, value []byte
	clientID   string    // of recordDropSession and recordDropQueue
	expires    time.Time // of a retained message that is put; zero for never
	due        uint64    // of recordExpire
	small      bool      // it is written though the disk is almost full
}

type recordAction byte

const (
	recordPut recordAction = iota
	recordDelete
	recordDropSession
	recordDequeue
	recordDropQueue
	recordExpire // delete a retained message if it expires in the second that is due
)

// PutSession stores s in place of the session of the same client id.
func PutSession(s Session) Record {
	b := append([]byte{valueFormat}, s.ProtocolVersion)
	b = appendBool(b, s.Clean)
	b = appendUint(b, uint64(s.ExpirySeconds))
	b = appendTime(b, s.DisconnectedAt)
	b = appendString(b, s.User)
	b = appendUint(b, s.Life)
	if b = appendBool(b, s.Will != nil); s.Will != nil {
		b = appendMessage(b, s.Will.Message)
		b = appendUint(b, uint64(s.Will.Delay))
		b = appendUint(b, uint64(s.Will.Life))
		b = appendBool(b, s.Will.Mortal)
	}
	if len(s.Identity) > 0 {
		b = appendBytes(b, s.Identity)
	}
	return Record{key: nameKey(spaceSessions, s.ClientID), value: b}
}

// DeleteSession deletes the session of a client id and all that goes with it:
// subscriptions, also those that an earlier record of the same op puts, what is queued,
// and what is on its way in either direction.
func DeleteSession(clientID string) Record {
	return Record{action: recordDropSession, key: nameKey(spaceSessions, clientID), clientID: clientID}
}

// PutSubscription stores s in place of the client's subscription to the same
// topic filter. It does not ask whether there is such a session.
func PutSubscription(s Subscription) Record {
	b := append([]byte{valueFormat}, s.QoS)
	b = appendBool(b, s.NoLocal)
	b = appendBool(b, s.RetainAsPublished)
	b = append(b, s.RetainHandling)
	b = appendUint(b, uint64(s.Identifier))
	b = appendBytes(b, s.Filter)
	b = appendBool(b, s.HasSeen)
	b = appendUint(b, s.Seen)
	b = appendBytes(b, s.Volatile)
	return Record{key: append(subscriptionsOf(s.ClientID), s.TopicFilter...), value: b}
}

// DeleteSubscription deletes one subscription. It may be absent.
func DeleteSubscription(clientID, topicFilter string) Record {
	return Record{action: recordDelete, key: append(subscriptionsOf(clientID), topicFilter...)}
}

// PutRetained stores m in place of the retained message of the same topic. When it
// has expired, the store deletes it within some seconds.
func PutRetained(m Retained) Record {
	b := append([]byte{valueFormat}, m.QoS)
	b = appendBytes(b, m.Payload)
	b = appendString(b, m.Properties.ContentType)
	b = appendString(b, m.Properties.ResponseTopic)
	b = appendBytes(b, m.Properties.CorrelationData)
	b = append(b, m.Properties.PayloadFormat)
	b = appendBool(b, m.Properties.HasPayloadFormat)
	b = appendUint(b, uint64(len(m.Properties.User)))
	for _, p := range m.Properties.User {
		b = appendString(b, p[0])
		b = appendString(b, p[1])
	}
	b = appendTime(b, m.Properties.Expiry)
	b = appendTime(b, m.Created)
	b = appendString(b, m.ClientID)
	return Record{key: nameKey(spaceRetained, m.Topic), value: b, expires: m.Properties.Expiry}
}

// DeleteRetained deletes the retained message of a topic. It may be absent.
func DeleteRetained(topic string) Record {
	return Record{action: recordDelete, key: nameKey(spaceRetained, topic)}
}

func decodeSession(key, value []byte) (Session, error) {
	r := reader{rest: value}
	format := r.format()
	s := Session{ClientID: string(key[1:]), ProtocolVersion: r.byte(), Clean: r.bool()}
	s.ExpirySeconds = r.uint32()
	s.DisconnectedAt = r.time()
	s.User = r.string()
	if format >= 3 {
		s.Life = r.uint()
		if r.bool() {
			s.Will = &Will{Message: r.message(), Delay: time.Duration(r.uint()), Life: time.Duration(r.uint()), Mortal: r.bool()}
		}
		if len(r.rest) > 0 { // of those who have one
			if s.Identity = slices.Clone(r.optionalBytes()); s.Identity == nil {
				r.fail(errMalformed)
			}
		}
	}
	if err := r.end(); err != nil {
		return Session{}, fmt.Errorf("session %q: %w", s.ClientID, err)
	}
	return s, nil
}

func decodeSubscription(key, value []byte) (Subscription, error) {
	clientID, topicFilter, ok := cutPart(key[1:])
	if !ok {
		return Subscription{}, fmt.Errorf("subscription key %q: %w", key, errMalformed)
	}
	r := reader{rest: value}
	format := r.format()
	s := Subscription{ClientID: clientID, TopicFilter: string(topicFilter), QoS: r.byte()}
	s.NoLocal = r.bool()
	s.RetainAsPublished = r.bool()
	s.RetainHandling = r.byte()
	s.Identifier = r.uint32()
	s.Filter = slices.Clone(r.optionalBytes())
	if format >= 2 {
		s.HasSeen = r.bool()
		s.Seen = r.uint()
	}
	if format >= 4 {
		s.Volatile = slices.Clone(r.optionalBytes())
	}
	if err := r.end(); err != nil {
		return Subscription{}, fmt.Errorf("subscription of %q to %q: %w", s.ClientID, s.TopicFilter, err)
	}
	return s, nil
}

// decodeRetained decodes value, whose bytes the message keeps.
func decodeRetained(key, value []byte) (Retained, error) {
	r := reader{rest: value}
	r.format()
	m := Retained{Topic: string(key[1:]), QoS: r.byte()}
	m.Payload = r.optionalBytes()
	p := &m.Properties
	p.ContentType = r.string()
	p.ResponseTopic = r.string()
	p.CorrelationData = r.optionalBytes()
	p.PayloadFormat = r.byte()
	p.HasPayloadFormat = r.bool()
	for n := r.uint(); n > 0 && r.err == nil; n-- {
		p.User = append(p.User, [2]string{r.string(), r.string()})
	}
	p.Expiry = r.time()
	m.Created = r.time()
	m.ClientID = r.string()
	if err := r.end(); err != nil {
		return Retained{}, fmt.Errorf("retained message of %q: %w", m.Topic, err)
	}
	return m, nil
}
