package conformance

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// The versions of MQTT, by their protocol level.
const (
	v311 byte = 4
	v5   byte = 5
)

// The types of control packets.
const (
	connect byte = iota + 1
	connack
	publish
	puback
	pubrec
	pubrel
	pubcomp
	subscribe
	suback
	unsubscribe
	unsuback
	pingreq
	pingresp
	disconnect
	auth
)

// The properties of MQTT 5.
const (
	payloadFormat     byte = 0x01
	messageExpiry     byte = 0x02
	contentType       byte = 0x03
	responseTopic     byte = 0x08
	correlationData   byte = 0x09
	subscriptionID    byte = 0x0b
	sessionExpiry     byte = 0x11
	assignedClientID  byte = 0x12
	serverKeepAlive   byte = 0x13
	authMethod        byte = 0x15
	authData          byte = 0x16
	requestProblem    byte = 0x17
	willDelay         byte = 0x18
	requestResponse   byte = 0x19
	responseInfo      byte = 0x1a
	serverReference   byte = 0x1c
	reasonString      byte = 0x1f
	receiveMaximum    byte = 0x21
	topicAliasMaximum byte = 0x22
	topicAlias        byte = 0x23
	maximumQoS        byte = 0x24
	retainAvailable   byte = 0x25
	userProperty      byte = 0x26
	maximumPacketSize byte = 0x27
	wildcardAvailable byte = 0x28
	subIDAvailable    byte = 0x29
	sharedAvailable   byte = 0x2a
)

// Reason codes that many tests name.
const (
	malformed     byte = 0x81
	protocolError byte = 0x82
)

func u16(n uint16) []byte { return binary.BigEndian.AppendUint16(nil, n) }
func u32(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

// varint is a variable byte integer, which is encoded as Go's unsigned varints.
func varint(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) }

// str is a string or binary data with its length.
func str(s string) []byte { return append(u16(uint16(len(s))), s...) }

func cat(parts ...[]byte) []byte {
	var all []byte
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// prop is one property.
func prop(id byte, value ...[]byte) []byte { return append([]byte{id}, cat(value...)...) }

// user is a user property.
func user(name, value string) []byte { return prop(userProperty, str(name), str(value)) }

// props are all properties of a packet, which MQTT 3.1.1 does not have.
func props(v byte, list ...[]byte) []byte {
	if v < v5 {
		return nil
	}
	all := cat(list...)
	return append(varint(len(all)), all...)
}

// frame is a control packet of the given type and flags.
func frame(kind, flags byte, body ...[]byte) []byte {
	all := cat(body...)
	return cat([]byte{kind<<4 | flags}, varint(len(all)), all)
}

// A message is a PUBLISH or a will, to be sent or as it came.
type message struct {
	topic, payload string
	qos            byte
	retain, dup    bool
	id             uint16
	props          []byte     // to be sent
	got            properties // received
}

func (m message) bytes(v byte) []byte {
	flags := m.qos << 1
	if m.retain {
		flags |= 1
	}
	if m.dup {
		flags |= 8
	}
	var id []byte
	if m.qos > 0 {
		id = u16(m.id)
	}
	return frame(publish, flags, str(m.topic), id, props(v, m.props), []byte(m.payload))
}

// A filter is a topic filter with its options.
type filter struct {
	topic   string
	options byte // of MQTT 5; in 3.1.1 the QoS alone
}

// Subscription options besides the QoS.
const (
	noLocal           byte = 1 << 2
	retainAsPublished byte = 1 << 3
	retainIfNew       byte = 1 << 4
	retainNever       byte = 2 << 4
)

func subscribeBytes(v byte, id uint16, properties []byte, filters ...filter) []byte {
	var list []byte
	for _, f := range filters {
		list = append(append(list, str(f.topic)...), f.options)
	}
	return frame(subscribe, 2, u16(id), props(v, properties), list)
}

func unsubscribeBytes(v byte, id uint16, topics ...string) []byte {
	var list []byte
	for _, t := range topics {
		list = append(list, str(t)...)
	}
	return frame(unsubscribe, 2, u16(id), props(v), list)
}

// ackBytes is an acknowledgement; rest may be a reason code, and properties.
func ackBytes(kind byte, id uint16, rest ...byte) []byte {
	flags := byte(0)
	if kind == pubrel {
		flags = 2
	}
	return frame(kind, flags, u16(id), rest)
}

// A packet is a control packet as it came.
type packet struct {
	kind, flags byte
	body        []byte
	size        int
}

var errLength = errors.New("the server sent a length that is longer than it must be [MQTT-1.5.5-1]")

func readPacket(r *bufio.Reader) (packet, error) {
	first, err := r.ReadByte()
	if err != nil {
		return packet{}, err
	}
	n, err := binary.ReadUvarint(r)
	if err != nil {
		return packet{}, err
	}
	p := packet{kind: first >> 4, flags: first & 15, body: make([]byte, n)}
	p.size = 1 + len(varint(int(n))) + int(n)
	_, err = io.ReadFull(r, p.body)
	return p, err
}

// A reader takes a packet apart. After an error it reads zeros.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) take(n int) []byte {
	if n > len(r.rest) {
		r.err = fmt.Errorf("the server sent a packet that ends %d bytes too soon", n-len(r.rest))
		return make([]byte, n)
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) u8() byte    { return r.take(1)[0] }
func (r *reader) u16() uint16 { return binary.BigEndian.Uint16(r.take(2)) }
func (r *reader) str() string { return string(r.take(int(r.u16()))) }

func (r *reader) varint() int {
	n, width := binary.Uvarint(r.rest)
	if width <= 0 || width > 4 {
		r.err = errors.New("the server sent a malformed variable byte integer")
		return 0
	}
	if width > len(varint(int(n))) {
		r.err = errLength
	}
	r.rest = r.rest[width:]
	return int(n)
}

// A property is one as it came: a number as text, a pair as name=value.
type property struct {
	id    byte
	value string
}

type properties []property

// all returns the values of a property.
func (p properties) all(id byte) []string {
	var values []string
	for _, one := range p {
		if one.id == id {
			values = append(values, one.value)
		}
	}
	return values
}

func (p properties) has(id byte) bool { return p.all(id) != nil }

// number returns the value of a property, or what is meant when it is absent.
func (p properties) number(id byte, absent int) int {
	for _, value := range p.all(id) {
		n := 0
		_, _ = fmt.Sscan(value, &n) // the reader has written it
		return n
	}
	return absent
}

// permitted are the properties that a packet from a server may have.
func permitted(kind byte) []byte {
	switch kind {
	case connack:
		return []byte{sessionExpiry, receiveMaximum, maximumQoS, retainAvailable, maximumPacketSize, assignedClientID,
			topicAliasMaximum, reasonString, userProperty, wildcardAvailable, subIDAvailable, sharedAvailable,
			serverKeepAlive, responseInfo, serverReference, authMethod, authData}
	case publish:
		return []byte{payloadFormat, messageExpiry, topicAlias, responseTopic, correlationData, userProperty,
			subscriptionID, contentType}
	case disconnect:
		return []byte{sessionExpiry, reasonString, userProperty, serverReference} // the first: see [MQTT-3.14.2-2]
	case auth:
		return []byte{authMethod, authData, reasonString, userProperty}
	default:
		return []byte{reasonString, userProperty}
	}
}

// properties reads those of a packet of that type.
func (r *reader) properties(kind byte) properties {
	in := reader{rest: r.take(r.varint())}
	var list properties
	for len(in.rest) > 0 && in.err == nil {
		p := in.property()
		again := list.has(p.id) && p.id != userProperty && p.id != subscriptionID
		if in.err == nil && (again || !slices.Contains(permitted(kind), p.id)) {
			in.err = fmt.Errorf("the server sent property %#x twice, or where it does not belong, in packet type %d", p.id, kind)
		}
		list = append(list, p)
	}
	if in.err != nil {
		r.err = in.err
	}
	return list
}

func (r *reader) property() property {
	p := property{id: r.u8()}
	switch p.id {
	case payloadFormat, requestProblem, requestResponse, maximumQoS, retainAvailable,
		wildcardAvailable, subIDAvailable, sharedAvailable:
		p.value = fmt.Sprint(r.u8())
	case serverKeepAlive, receiveMaximum, topicAliasMaximum, topicAlias:
		p.value = fmt.Sprint(r.u16())
	case messageExpiry, sessionExpiry, willDelay, maximumPacketSize:
		p.value = fmt.Sprint(binary.BigEndian.Uint32(r.take(4)))
	case subscriptionID:
		p.value = fmt.Sprint(r.varint())
	case userProperty:
		name := r.str()
		p.value = name + "=" + r.str()
	case contentType, responseTopic, correlationData, assignedClientID, authMethod, authData,
		responseInfo, serverReference, reasonString:
		p.value = r.str()
	default:
		r.err = fmt.Errorf("the server sent property %#x, which there is not", p.id)
	}
	return p
}
