package integration

import (
	"encoding/binary"
	"testing"
)

// A message is an application message with the properties that the tests look at.
type message struct {
	topic        string
	payload      []byte
	qos          byte
	retain, dup  bool
	id           uint16
	alias        uint16            // sent in MQTT 5 when it is not 0
	response     string            // the response topic, sent in MQTT 5 when it is not ""
	subscription uint32            // identifier, received
	user         map[string]string // user properties, received
}

// connectOptions are what a CONNECT says. The zero value is a clean session of
// MQTT 3.1.1 without a keep-alive, under a name that the broker makes up.
type connectOptions struct {
	v5     bool
	id     string
	keep   bool   // no clean start
	expiry uint32 // of the session in seconds, MQTT 5
	will   *message
	// user and password are there both, or neither.
	user, password string
}

// The identifiers of the properties that the tests use [MQTT-2.2.2.2].
const (
	propSessionExpiry  = 0x11
	propResponseTopic  = 0x08
	propSubscriptionID = 0x0b
	propReason         = 0x1f
	propTopicAlias     = 0x23
	propUser           = 0x26
)

func connectPacket(o connectOptions) []byte {
	flags, version := byte(0), byte(4)
	if !o.keep {
		flags |= 2
	}
	if o.v5 {
		version = 5
	}
	if o.will != nil {
		if flags |= 4 | o.will.qos<<3; o.will.retain {
			flags |= 32
		}
	}
	if o.user != "" {
		flags |= 0xC0
	}
	body := appendString(nil, "MQTT")
	body = append(body, version, flags, 0, 0)
	if o.v5 {
		properties := binary.BigEndian.AppendUint32([]byte{propSessionExpiry}, o.expiry)
		body = append(binary.AppendUvarint(body, uint64(len(properties))), properties...)
	}
	body = appendString(body, o.id)
	if o.will != nil {
		if o.v5 {
			body = append(body, o.will.properties()...)
		}
		body = appendString(appendString(body, o.will.topic), string(o.will.payload))
	}
	if o.user != "" {
		body = appendString(appendString(body, o.user), o.password)
	}
	return frame(typeConnect<<4, body)
}

func publishPacket(m message, v5 bool) []byte {
	first := byte(typePublish<<4) | m.qos<<1
	if m.retain {
		first |= 1
	}
	if m.dup {
		first |= 8
	}
	body := appendString(make([]byte, 0, len(m.topic)+len(m.payload)+8), m.topic)
	if m.qos > 0 {
		body = binary.BigEndian.AppendUint16(body, m.id)
	}
	if v5 {
		body = append(body, m.properties()...)
	}
	return frame(first, append(body, m.payload...))
}

// properties returns those of a PUBLISH, or of a will, with their length.
func (m message) properties() []byte {
	var all []byte
	if m.alias != 0 {
		all = binary.BigEndian.AppendUint16(append(all, propTopicAlias), m.alias)
	}
	if m.response != "" {
		all = appendString(append(all, propResponseTopic), m.response)
	}
	return append(binary.AppendUvarint(nil, uint64(len(all))), all...)
}

func parsePublish(t testing.TB, p packet, v5 bool) message {
	t.Helper()
	m := message{qos: p.flags >> 1 & 3, retain: p.flags&1 != 0, dup: p.flags&8 != 0}
	rest := p.body
	m.topic, rest = cutString(rest)
	if m.qos > 0 {
		m.id, rest = binary.BigEndian.Uint16(rest), rest[2:]
	}
	if v5 {
		length, width := binary.Uvarint(rest)
		properties := parseProperties(t, rest)
		m.user, m.subscription = properties.user, properties.subscription
		rest = rest[width+int(length):]
	}
	m.payload = rest
	return m
}

func subscribePacket(id uint16, v5 bool, topicFilters ...string) []byte {
	return subscribePacketAt(1, id, v5, topicFilters...)
}

func subscribePacketAt(qos byte, id uint16, v5 bool, topicFilters ...string) []byte {
	body := idAndNoProperties(id, v5)
	for _, f := range topicFilters {
		body = append(appendString(body, f), qos)
	}
	return frame(typeSubscribe<<4|2, body)
}

func unsubscribePacket(id uint16, v5 bool, topicFilter string) []byte {
	return frame(typeUnsubscribe<<4|2, appendString(idAndNoProperties(id, v5), topicFilter))
}

func idAndNoProperties(id uint16, v5 bool) []byte {
	body := binary.BigEndian.AppendUint16(nil, id)
	if v5 {
		body = append(body, 0)
	}
	return body
}

// ackPacket is a PUBACK, PUBREC, PUBREL or PUBCOMP that says success.
func ackPacket(kind byte, id uint16) []byte {
	first := kind << 4
	if kind == typePubrel {
		first |= 2 // [MQTT-3.6.1-1]
	}
	return frame(first, binary.BigEndian.AppendUint16(nil, id))
}

func frame(first byte, body []byte) []byte {
	return append(binary.AppendUvarint([]byte{first}, uint64(len(body))), body...)
}

func appendString(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

func cutString(b []byte) (string, []byte) {
	n := int(binary.BigEndian.Uint16(b)) + 2
	return string(b[2:n]), b[n:]
}

// properties are those of a packet from the broker, as far as tests ask for them.
type properties struct {
	reason       string
	user         map[string]string
	subscription uint32
}

// parseProperties reads the length of the properties, and them.
func parseProperties(t testing.TB, b []byte) properties {
	t.Helper()
	length, width := binary.Uvarint(b)
	p := properties{user: map[string]string{}}
	for b = b[width : width+int(length)]; len(b) > 0; {
		id := b[0]
		b = b[1:]
		switch id {
		case propReason:
			p.reason, b = cutString(b)
		case propUser:
			var name string
			name, b = cutString(b)
			p.user[name], b = cutString(b)
		case propSubscriptionID:
			n, width := binary.Uvarint(b)
			p.subscription, b = uint32(n), b[width:]
		default:
			b = b[propertySize(t, id, b):]
		}
	}
	return p
}

// propertySize returns the length of the value of any other property that a
// broker may send.
func propertySize(t testing.TB, id byte, b []byte) int {
	t.Helper()
	switch id {
	case 0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2a: // a byte
		return 1
	case 0x13, 0x21, 0x22, propTopicAlias: // two bytes
		return 2
	case 0x02, propSessionExpiry, 0x18, 0x27: // four bytes
		return 4
	case 0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1a, 0x1c: // a string, or binary data
		return 2 + int(binary.BigEndian.Uint16(b))
	}
	t.Fatalf("a broker does not send property %#x", id)
	return 0
}
