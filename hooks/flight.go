package hooks

import (
	"bytes"
	"slices"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// A flight is a QoS 1 or 2 message on its way.
type flight struct {
	delivery
	id       uint16
	awaiting bool // sent on this connection
	released bool // PUBREC came; PUBREL is what counts now
}

// nextID returns a packet identifier that no flight has [MQTT-2.2.1-4]. There
// always is one: flights are bounded by the window.
func (b *outbox) nextID() uint16 {
	for {
		b.lastID++
		if b.lastID != 0 && b.find(b.lastID) < 0 {
			return b.lastID
		}
	}
}

func (b *outbox) find(id uint16) int {
	return slices.IndexFunc(b.sent, func(f *flight) bool { return f.id == id })
}

func (b *outbox) forget(id uint16) {
	if i := b.find(id); i >= 0 {
		b.bytes -= b.sent[i].size()
		b.sent = slices.Delete(b.sent, i, i+1)
		b.changed.Broadcast()
	}
}

// acknowledged takes a client's PUBACK, PUBREC or PUBCOMP for a message.
func (b *outbox) acknowledged(cl *mqtt.Client, pk *packets.Packet) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := b.find(pk.PacketID)
	if b.client != cl || i >= 0 && !b.sent[i].awaiting {
		return // of another connection, or not sent yet on this one
	}
	if pk.FixedHeader.Type != packets.Pubrec || pk.ReasonCode >= packets.ErrUnspecifiedError.Code {
		b.forget(pk.PacketID)
		return
	}
	pubrel := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pubrel, Qos: 1}, PacketID: pk.PacketID}
	if i >= 0 {
		b.sent[i].released = true // [MQTT-4.3.3-5]
	} else {
		pubrel.ReasonCode = packets.ErrPacketIdentifierNotFound.Code
	}
	b.acks = append(b.acks, pubrel)
	b.changed.Broadcast()
}

// encodeAck appends a PUBACK, PUBREC, PUBREL or PUBCOMP packet.
func encodeAck(buf *bytes.Buffer, cl *mqtt.Client, pk *packets.Packet) {
	pk.ProtocolVersion = cl.Properties.ProtocolVersion
	props := cl.Properties.Props
	pk.Mods.DisallowProblemInfo = props.RequestProblemInfoFlag && props.RequestProblemInfo == 0 // [MQTT-3.1.2-29]
	var err error
	switch pk.FixedHeader.Type {
	case packets.Pubrec:
		err = pk.PubrecEncode(buf)
	case packets.Pubrel:
		err = pk.PubrelEncode(buf)
	case packets.Pubcomp:
		err = pk.PubcompEncode(buf)
	default:
		err = pk.PubackEncode(buf)
	}
	_ = err // these encoders have no way to fail
}
