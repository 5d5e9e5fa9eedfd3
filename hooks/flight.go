package hooks

import (
	"bytes"

	"github.com/mochi-mqtt/server/v2/packets"
)

// A flight is a QoS 1 or 2 message on its way.
type flight struct {
	delivery
	id       uint16
	released bool // PUBREC came; PUBREL is what counts now
}

// ackOverhead is at least what an acknowledgement is longer than its reason
// string.
const ackOverhead = 16

// An ack is a PUBACK, PUBREC, PUBREL or PUBCOMP on its way.
type ack struct {
	kind byte
	code byte
	id   uint16
	text string // reason string
}

// encode appends the packet.
func (a ack) encode(buf *bytes.Buffer, peer peerLimits) {
	pk := packets.Packet{
		FixedHeader: packets.FixedHeader{Type: a.kind}, ProtocolVersion: peer.version,
		PacketID: a.id, ReasonCode: a.code, Properties: packets.Properties{ReasonString: a.text},
		Mods: packets.Mods{DisallowProblemInfo: peer.noProblemInfo},
	}
	if peer.packetBytes > 0 && len(a.text)+ackOverhead > int(peer.packetBytes) {
		pk.Properties.ReasonString = "" // [MQTT-3.4.2-2]
	}
	var err error
	switch a.kind {
	case packets.Pubrec:
		err = pk.PubrecEncode(buf)
	case packets.Pubrel:
		pk.FixedHeader.Qos = 1 // [MQTT-3.6.1-1]
		err = pk.PubrelEncode(buf)
	case packets.Pubcomp:
		err = pk.PubcompEncode(buf)
	default:
		err = pk.PubackEncode(buf)
	}
	_ = err // these encoders have no way to fail
}
