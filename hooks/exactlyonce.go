package hooks

import (
	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// What follows is the receiver's side of QoS 2 [MQTT-4.3.3-8] to [MQTT-4.3.3-12].
// mochi's is left out: its map of packet identifiers takes the same lock twice,
// so that a write to it from another goroutine stops its reader for ever.

// await notes that a QoS 2 publish has come, so that it counts once when it
// comes again.
func (p *publication) await() {
	if p.qos != 2 {
		return
	}
	p.session.mu.Lock()
	defer p.session.mu.Unlock()
	p.session.received[p.packetID] = p
}

// to returns the connection that the publish is answered on.
func (p *publication) to() *mqtt.Client {
	p.session.mu.Lock()
	defer p.session.mu.Unlock()
	return p.client
}

// receive notes how a QoS 2 publish is answered, and returns the connection to
// answer on. One that is refused awaits no PUBREL [MQTT-4.3.3-9].
func (p *publication) receive(code byte) *mqtt.Client {
	p.session.mu.Lock()
	defer p.session.mu.Unlock()
	p.answered = true
	if code >= packets.ErrUnspecifiedError.Code && p.session.received[p.packetID] == p {
		delete(p.session.received, p.packetID)
	}
	return p.client
}

// resent says whether a PUBLISH is one that was received before and awaits its
// PUBREL, and sees to it that it is answered once more: now if it was answered,
// else when it is.
func (s *session) resent(cl *mqtt.Client, pk *packets.Packet) bool {
	if pk.FixedHeader.Qos != 2 {
		return false
	}
	s.mu.Lock()
	p := s.received[pk.PacketID]
	answered := p != nil && p.answered
	if p != nil {
		p.client = cl
	}
	s.mu.Unlock()
	if answered {
		s.box.ack(cl, ack{kind: packets.Pubrec, id: pk.PacketID})
	}
	return p != nil
}

// release takes a client's PUBREL.
func (s *session) release(cl *mqtt.Client, id uint16) {
	pubcomp := ack{kind: packets.Pubcomp, id: id}
	s.mu.Lock()
	p := s.received[id]
	delete(s.received, id)
	s.mu.Unlock()
	if p == nil {
		pubcomp.code = packets.ErrPacketIdentifierNotFound.Code
	} else {
		p.quota(+1)
	}
	s.box.ack(cl, pubcomp)
}
