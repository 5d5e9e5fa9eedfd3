package sessions

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// A delivery is a message as one client gets it.
type delivery struct {
	m      *Message
	qos    byte
	retain bool
	// ids are the subscription identifiers [MQTT-3.3.4-3], each as the property is
	// written.
	ids []byte
	// feed is that of a room or a scope, else nil.
	feed *feed
	// number, life and copy are those of the message in the store; the number is 0 if
	// it is not there.
	number, life uint64
	copy         uint16
}

// A peer is what CONNECT said that the encoder must know.
type peer struct {
	version     byte
	packetBytes int // the largest packet that the client takes
	problemInfo bool
	aliases     aliases
}

// aliases are the topic aliases of one connection, towards its client.
type aliases struct {
	most  int
	known map[string]uint16
}

// maxAliases is how many topics of one connection get an alias, whatever its
// client allows.
const maxAliases = 64

// aliasBytes is how long the property is.
const aliasBytes = 3

func newPeer(c *Connect) peer {
	p := peer{version: max(c.Version, 4), packetBytes: int(c.PacketBytes), problemInfo: c.ProblemInfo}
	if p.packetBytes == 0 {
		p.packetBytes = 1<<28 - 1 + 5 // the most that a length can say
	}
	p.aliases.most = min(int(c.AliasMaximum), maxAliases)
	return p
}

// A fate says what has become of a message: whether there is a packet.
type fate byte

const (
	isWritten  fate = iota
	hasExpired      // [MQTT-3.3.2-5]
	isTooLarge      // for its client, for which it counts as sent [MQTT-3.1.2-24], [MQTT-3.1.2-25]
	isHidden        // from its client, by its rights
)

// encode appends a PUBLISH to what the link writes next, and reports whether
// there is one.
func (l *link) encode(d *delivery, id uint16, dup bool) bool {
	seen := *d
	if seen.m = l.seen(d.m); seen.m == nil {
		l.traceDelivery(d, id, isHidden)
		return false
	}
	if l.format != nil {
		return l.encodeAs(seen.m)
	}
	b, fate := l.peer.appendPublish(l.room(), &seen, id, dup)
	l.out = b
	l.traceDelivery(&seen, id, fate)
	switch fate {
	case isHidden:
	case isWritten:
		l.sent.packets[packets.Publish]++
		l.sent.payload += int64(len(seen.m.Payload))
	case hasExpired:
		l.box.engine.counts.lapsed.Add(1)
	case isTooLarge:
		l.box.engine.counts.oversize.Add(1)
	}
	return fate == isWritten
}

// ack appends an acknowledgement to what the link writes next.
func (l *link) ack(a ack) {
	l.out = l.peer.appendAck(l.room(), a)
	l.sent.packets[a.kind]++
	l.box.engine.traceOut(l.box.id, a.kind, a.id, a.code, a.text)
}

// appendPublish appends a PUBLISH, unless it has another fate.
func (p *peer) appendPublish(b []byte, d *delivery, id uint16, dup bool) ([]byte, fate) {
	m := d.m
	topic, alias, fresh := m.Topic, uint16(0), false
	seconds := uint32(0)
	if m.mortal {
		left := time.Until(m.expires)
		if left <= 0 && !dup {
			return b, hasExpired // but what was sent is sent again [MQTT-4.4.0-1]
		}
		seconds = uint32((max(left, 1) + time.Second - 1) / time.Second) // [MQTT-3.3.2-6]
	}
	length := 2 + len(topic) + len(m.Payload)
	if d.qos > 0 {
		length += 2
	}
	section := 0
	if p.version == 5 {
		section = len(d.ids) + len(m.Properties)
		if m.mortal {
			section += 5
		}
		alias, fresh = p.aliases.of(topic)
		aliased := length
		if alias != 0 && !fresh {
			aliased -= len(topic)
		}
		switch {
		case alias == 0:
		case !p.takes(aliased, section+aliasBytes): // nothing is too large because of its alias
			alias, fresh = 0, false
		case fresh:
			section += aliasBytes
		default:
			topic, length, section = "", aliased, section+aliasBytes
		}
	}
	if !p.takes(length, section) {
		return b, isTooLarge
	}
	if p.version == 5 {
		length += varintSize(section) + section
	}
	b = append(b, flagsOf(d, dup))
	b = binary.AppendUvarint(b, uint64(length)) // the same as MQTT's variable byte integer
	b = append(binary.BigEndian.AppendUint16(b, uint16(len(topic))), topic...)
	if d.qos > 0 {
		b = binary.BigEndian.AppendUint16(b, id)
	}
	if p.version == 5 {
		b = binary.AppendUvarint(b, uint64(section))
		if m.mortal {
			b = binary.BigEndian.AppendUint32(append(b, packets.PropMessageExpiryInterval), seconds)
		}
		if alias != 0 {
			b = binary.BigEndian.AppendUint16(append(b, packets.PropTopicAlias), alias)
		}
		if fresh {
			p.aliases.add(topic, alias)
		}
		b = append(append(b, d.ids...), m.Properties...)
	}
	return append(b, m.Payload...), isWritten
}

// takes says whether a PUBLISH is not too large for the client that is length
// bytes long without its properties.
func (p *peer) takes(length, properties int) bool {
	if p.version == 5 {
		length += varintSize(properties) + properties
	}
	return 1+varintSize(length)+length <= p.packetBytes
}

func flagsOf(d *delivery, dup bool) byte {
	flags := byte(packets.Publish<<4) | d.qos<<1
	if dup {
		flags |= 8
	}
	if d.retain {
		flags |= 1
	}
	return flags
}

// of returns the alias of a topic, 0 for none, and whether the client has yet to
// be told.
func (a *aliases) of(topic string) (alias uint16, fresh bool) {
	if a.most == 0 {
		return 0, false
	}
	if alias, ok := a.known[topic]; ok {
		return alias, false
	}
	if len(a.known) == a.most {
		return 0, false
	}
	return uint16(len(a.known) + 1), true
}

func (a *aliases) add(topic string, alias uint16) {
	if a.known == nil {
		a.known = map[string]uint16{}
	}
	a.known[topic] = alias
}

func varintSize(v int) int {
	n := 1
	for ; v >= 0x80; v >>= 7 {
		n++
	}
	return n
}

// appendIdentifier appends a subscription identifier as the property is written.
func appendIdentifier(b []byte, id uint32) []byte {
	return binary.AppendUvarint(append(b, packets.PropSubscriptionIdentifier), uint64(id))
}

// An ack is a PUBACK, PUBREC, PUBREL or PUBCOMP on its way.
type ack struct {
	kind byte
	code byte
	id   uint16
	text string // reason string
}

// appendAck appends an acknowledgement.
func (p *peer) appendAck(b []byte, a ack) []byte {
	first := a.kind << 4
	if a.kind == packets.Pubrel {
		first |= 2 // [MQTT-3.6.1-1]
	}
	text := a.text
	if !p.problemInfo || 4+2+1+3+len(text) > p.packetBytes {
		text = "" // [MQTT-3.1.2-29], [MQTT-3.4.2-2]
	}
	switch {
	case p.version < 5 || a.code == 0 && text == "":
		return binary.BigEndian.AppendUint16(append(b, first, 2), a.id)
	case text == "":
		return append(binary.BigEndian.AppendUint16(append(b, first, 3), a.id), a.code)
	}
	section := 3 + len(text)
	b = append(b, first)
	b = binary.AppendUvarint(b, uint64(3+varintSize(section)+section))
	b = append(binary.BigEndian.AppendUint16(b, a.id), a.code)
	b = binary.AppendUvarint(b, uint64(section))
	b = append(b, packets.PropReasonString)
	return append(binary.BigEndian.AppendUint16(b, uint16(len(text))), text...)
}

// appendRare appends a packet that mochi's codec writes. What does not fit the
// client's limit loses its reason string and user properties.
func (p *peer) appendRare(b []byte, pk *packets.Packet) []byte {
	written, ok := p.encodeRare(pk)
	if ok && len(written) > p.packetBytes { // [MQTT-3.2.2-19] and others
		pk.Properties.ReasonString, pk.Properties.User = "", nil
		written, ok = p.encodeRare(pk)
	}
	if !ok || len(written) > p.packetBytes {
		return b
	}
	return append(b, written...)
}

func (p *peer) encodeRare(pk *packets.Packet) ([]byte, bool) {
	pk.ProtocolVersion = p.version
	pk.Mods.AllowResponseInfo = true
	if !p.problemInfo && pk.FixedHeader.Type != packets.Connack && pk.FixedHeader.Type != packets.Disconnect {
		pk.Properties.ReasonString, pk.Properties.User = "", nil // [MQTT-3.1.2-29]
	}
	var buf bytes.Buffer
	var err error
	switch pk.FixedHeader.Type {
	case packets.Connack:
		err = pk.ConnackEncode(&buf)
	case packets.Suback:
		err = pk.SubackEncode(&buf)
	case packets.Unsuback:
		err = pk.UnsubackEncode(&buf)
	case packets.Disconnect:
		err = pk.DisconnectEncode(&buf)
	case packets.Auth:
		err = pk.AuthEncode(&buf)
	default:
		return nil, false
	}
	return buf.Bytes(), err == nil
}
