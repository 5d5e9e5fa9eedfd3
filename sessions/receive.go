package sessions

import (
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/persistence"
)

// This file is the receiver's side of QoS 2 [MQTT-4.3.3-8] to [MQTT-4.3.3-12].

// await notes that a QoS 2 publish has come, so that it counts once when it
// comes again.
func (p *publication) await() {
	if p.qos != 2 {
		return
	}
	p.stored = p.session.persistent.Load()
	p.session.mu.Lock()
	defer p.session.mu.Unlock()
	p.session.received[p.id] = p
}

// remember has the store know of a QoS 2 publish whose message op delivers; a nil
// op delivers m.
func (p *publication) remember(op *persistence.Op, m *Message) *persistence.Op {
	if op == nil {
		op = p.engine.delivery(m.Keep())
	}
	op.Records = append(op.Records, persistence.PutReceived(p.received()))
	return op
}

// receivedRecords has the store know of all publishes that await their PUBREL.
func (s *session) receivedRecords() []persistence.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	var records []persistence.Record
	for _, p := range s.received {
		p.stored = true
		records = append(records, persistence.PutReceived(p.received()))
	}
	return records
}

func (p *publication) received() persistence.Received {
	return persistence.Received{ClientID: p.session.id, ID: p.id}
}

// receiver returns the connection that is answered on, as far as it is known.
func (p *publication) receiver() *Client {
	p.session.mu.Lock()
	defer p.session.mu.Unlock()
	return p.client
}

// answer notes how a publish is answered, and returns the connection to answer
// on. One that is refused awaits no PUBREL [MQTT-4.3.3-9].
func (p *publication) answer(code byte) *Client {
	p.session.mu.Lock()
	defer p.session.mu.Unlock()
	p.answered = true
	if code >= packets.ErrUnspecifiedError.Code && p.session.received[p.id] == p {
		delete(p.session.received, p.id)
	}
	return p.client
}

// resent says whether a PUBLISH is one that was received before and awaits its
// PUBREL, and sees to it that it is answered once more: now if it was answered,
// else when it is.
func (s *session) resent(c *Client, id uint16) bool {
	s.mu.Lock()
	p := s.received[id]
	answered := p != nil && p.answered
	if p != nil && p.client != c {
		p.client = c
		c.receiving.Add(1) // it counts for this connection now
	}
	s.mu.Unlock()
	if answered {
		s.box.ack(c.link, ack{kind: packets.Pubrec, id: id}, &c.flushes)
	}
	return p != nil
}

// release takes a client's PUBREL. What the store knows of, it forgets before the
// client is told: the next publish with the packet identifier is another one.
func (s *session) release(c *Client, id uint16) {
	s.mu.Lock()
	p := s.received[id]
	stored := p != nil && p.stored
	s.mu.Unlock()
	if p == nil {
		pubcomp := ack{kind: packets.Pubcomp, id: id, code: packets.ErrPacketIdentifierNotFound.Code}
		s.box.ack(c.link, pubcomp, &c.flushes)
		return
	}
	if !stored || !s.persistent.Load() {
		p.complete(c, &c.flushes)
		return
	}
	op := &persistence.Op{Records: []persistence.Record{persistence.DeleteReceived(p.received())}}
	op.Committed = func(*persistence.Result) {
		var f flushes
		p.complete(c, &f)
		c.engine.sent.take(&f)
	}
	defer s.box.waits()()
	if err := c.engine.append(op); err != nil {
		c.end(errorOf(err)) // it is released on the next connection
	}
}

// complete ends the exchange of a publish: PUBCOMP goes to whoever has sent PUBREL.
func (p *publication) complete(c *Client, f *flushes) {
	s := p.session
	s.mu.Lock()
	ends := s.received[p.id] == p
	if ends {
		delete(s.received, p.id)
	}
	counted := ends && p.client == c
	s.mu.Unlock()
	if counted {
		c.receiving.Add(-1)
	}
	s.box.ack(c.link, ack{kind: packets.Pubcomp, id: p.id}, f)
}
