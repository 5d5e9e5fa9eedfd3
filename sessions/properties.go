package sessions

import (
	"bytes"
	"encoding/binary"
	"iter"

	"github.com/mochi-mqtt/server/v2/packets"
)

// A form is how the value of a property is written.
type form byte

const (
	unknown form = iota
	oneByte
	twoBytes
	fourBytes
	variable
	text
	data
	pair
)

// A property says where a property may stand and how it is written.
type property struct {
	form form
	in   uint32 // a bit for each type of packet
}

// Of the types of packets, 0 is free: it stands for a will.
const will = 0

func in(types ...byte) uint32 {
	mask := uint32(0)
	for _, t := range types {
		mask |= 1 << t
	}
	return mask
}

// knownProperties is table 2-4 of MQTT 5, for what clients send.
var knownProperties = [...]property{
	packets.PropPayloadFormat:          {oneByte, in(packets.Publish, will)},
	packets.PropMessageExpiryInterval:  {fourBytes, in(packets.Publish, will)},
	packets.PropContentType:            {text, in(packets.Publish, will)},
	packets.PropResponseTopic:          {text, in(packets.Publish, will)},
	packets.PropCorrelationData:        {data, in(packets.Publish, will)},
	packets.PropSubscriptionIdentifier: {variable, in(packets.Subscribe, packets.Publish)},
	packets.PropSessionExpiryInterval:  {fourBytes, in(packets.Connect, packets.Disconnect)},
	packets.PropAuthenticationMethod:   {text, in(packets.Connect, packets.Auth)},
	packets.PropAuthenticationData:     {data, in(packets.Connect, packets.Auth)},
	packets.PropRequestProblemInfo:     {oneByte, in(packets.Connect)},
	packets.PropWillDelayInterval:      {fourBytes, in(will)},
	packets.PropRequestResponseInfo:    {oneByte, in(packets.Connect)},
	packets.PropReasonString: {text, in(packets.Puback, packets.Pubrec, packets.Pubrel, packets.Pubcomp,
		packets.Disconnect, packets.Auth)},
	packets.PropReceiveMaximum:    {twoBytes, in(packets.Connect)},
	packets.PropTopicAliasMaximum: {twoBytes, in(packets.Connect)},
	packets.PropTopicAlias:        {twoBytes, in(packets.Publish)},
	packets.PropUser: {pair, in(packets.Connect, packets.Publish, packets.Puback, packets.Pubrec, packets.Pubrel,
		packets.Pubcomp, packets.Subscribe, packets.Unsubscribe, packets.Disconnect, packets.Auth, will)},
	packets.PropMaximumPacketSize: {fourBytes, in(packets.Connect)},
}

// properties are those of one packet, as far as the server heeds them.
type properties struct {
	has uint64 // a bit for each that is there
	// number holds the values of those that are numbers.
	number [packets.PropSharedSubAvailable + 1]uint32
	// text holds the values of those that are strings or bytes. They are in the
	// packet, and must not outlive it.
	method, data, responseTopic []byte
	users                       int // user properties
	// passed are those that go on to whom a message is for, as they are written.
	passed []byte
}

func (p *properties) is(id byte) bool { return p.has&(1<<id) != 0 }

// properties reads the properties of a packet of MQTT 5.
func (c *cursor) properties(of byte) properties {
	var p properties
	section := cursor{rest: c.take(c.varint())}
	for c.err == nil && len(section.rest) > 0 {
		c.property(&p, &section, of)
	}
	return p
}

func (c *cursor) property(p *properties, section *cursor, of byte) {
	start := section.rest
	id := section.varint()
	if section.err == nil && (id >= len(knownProperties) || knownProperties[id].in&(1<<of) == 0) {
		c.fail(malformed("the property 0x%02X must not stand in %s", id, nameOf(of)))
		return
	}
	if section.err != nil {
		c.fail(section.err)
		return
	}
	if id != int(packets.PropUser) && p.is(byte(id)) {
		c.fail(violation("the property 0x%02X stands twice", id))
		return
	}
	p.has |= 1 << id
	if err := p.value(byte(id), section); err != nil {
		c.fail(err)
		return
	}
	switch byte(id) {
	case packets.PropPayloadFormat, packets.PropContentType, packets.PropResponseTopic,
		packets.PropCorrelationData, packets.PropUser:
		p.pass(start[:len(start)-len(section.rest)])
	}
}

// pass notes a property as one of those that go on. Most often they are all
// next to each other, and nothing is copied.
func (p *properties) pass(written []byte) {
	if n := len(p.passed); n == 0 {
		p.passed = written
	} else if cap(p.passed) > n && &p.passed[:n+1][n] == &written[0] {
		p.passed = p.passed[:n+len(written)]
	} else {
		p.passed = append(p.passed[:n:n], written...)
	}
}

// value reads the value of a property.
func (p *properties) value(id byte, c *cursor) *Error {
	switch knownProperties[id].form {
	case oneByte:
		p.number[id] = uint32(c.byte())
		if p.number[id] > 1 {
			return violation("the property 0x%02X must be 0 or 1", id)
		}
	case twoBytes:
		p.number[id] = uint32(c.uint16())
	case fourBytes:
		p.number[id] = c.uint32()
	case variable:
		p.number[id] = uint32(c.varint())
	case text:
		p.keep(id, c.text())
	case data:
		p.keep(id, c.binary())
	case pair:
		c.text()
		c.text()
		p.users++
	case unknown:
	}
	if c.err != nil {
		return c.err
	}
	return p.check(id)
}

func (p *properties) keep(id byte, value []byte) {
	switch id {
	case packets.PropAuthenticationMethod:
		p.method = value
	case packets.PropAuthenticationData:
		p.data = value
	case packets.PropResponseTopic:
		p.responseTopic = value
	}
}

// check refuses values that the standard does not allow.
func (p *properties) check(id byte) *Error {
	switch id {
	case packets.PropReceiveMaximum, packets.PropMaximumPacketSize, packets.PropSubscriptionIdentifier:
		if p.number[id] == 0 {
			return violation("the property 0x%02X must not be 0", id) // [MQTT-3.1.2-24]
		}
	case packets.PropTopicAlias:
		if p.number[id] == 0 { // [MQTT-3.3.2-8]
			return &Error{packets.ErrTopicAliasInvalid.Code, "the topic alias must not be 0"}
		}
	case packets.PropResponseTopic:
		if len(p.responseTopic) == 0 || bytes.ContainsAny(p.responseTopic, "+#") { // [MQTT-3.3.2-14]
			return violation("the response topic must not be empty or contain wildcards")
		}
	}
	return nil
}

// A Property is one of those that go on with a message: its value is a number
// for PayloadFormat, and a string or bytes for the others, with Key the name of
// a user property.
type Property struct {
	ID         byte // packets.PropUser and so on
	Number     byte
	Key, Value []byte
}

// all yields the properties in a message, which have been checked.
func all(passed []byte) iter.Seq[Property] {
	return func(yield func(Property) bool) {
		c := cursor{rest: passed}
		for len(c.rest) > 0 {
			p := Property{ID: c.byte()}
			switch p.ID {
			case packets.PropPayloadFormat:
				p.Number = c.byte()
			case packets.PropUser:
				p.Key, p.Value = c.binary(), c.binary()
			default:
				p.Value = c.binary()
			}
			if !yield(p) {
				return
			}
		}
	}
}

// User properties that the handler is given.
const (
	volatileProperty = "volatile"
	metadataProperty = "metadata"
)

// userProperty returns the value of the last user property of this name, if there is
// one.
func userProperty(passed []byte, key string) (value []byte, ok bool) {
	for p := range all(passed) {
		if p.ID == packets.PropUser && string(p.Key) == key {
			value, ok = p.Value, true
		}
	}
	return value, ok
}

// AppendProperty appends a property to those of a message.
func AppendProperty(b []byte, p Property) []byte {
	b = append(b, p.ID)
	switch p.ID {
	case packets.PropPayloadFormat:
		return append(b, p.Number)
	case packets.PropUser:
		b = append(binary.BigEndian.AppendUint16(b, uint16(len(p.Key))), p.Key...)
	}
	return append(binary.BigEndian.AppendUint16(b, uint16(len(p.Value))), p.Value...)
}

// AppendUser appends a user property to the properties of a message.
func AppendUser(b []byte, key, value string) []byte {
	b = append(b, packets.PropUser)
	b = append(binary.BigEndian.AppendUint16(b, uint16(len(key))), key...)
	return append(binary.BigEndian.AppendUint16(b, uint16(len(value))), value...)
}

func nameOf(kind byte) string {
	if kind == will {
		return "a will"
	}
	return packets.PacketNames[kind]
}
