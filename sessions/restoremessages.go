package sessions

import (
	"time"

	"github.com/ambitmq/ambit/persistence"
)

// restoreMessages brings back what waits for sessions, and the exchanges at QoS 2
// that were under way.
func (e *Engine) restoreMessages(gone *leftovers) error {
	flights, err := e.restoreFlights(gone)
	if err != nil {
		return err
	}
	messages := map[*persistence.Message]*Message{} // those for several sessions stay one
	for q, err := range e.store.Queued() {
		if err != nil {
			return err
		}
		s := e.session(q.ClientID)
		if s == nil {
			gone.session(q.ClientID)
			continue
		}
		if s.box.life.Load() != q.Life { // it was queued while the session before was being deleted
			gone.records = append(gone.records, persistence.Dequeue(q.Number, q.Recipient))
			continue
		}
		m := messages[q.Message]
		if m == nil {
			m = messageOf(q.Message)
			messages[q.Message] = m
		}
		d := delivery{m: m, qos: q.QoS, retain: q.Retain, ids: q.Identifiers, number: q.Number, life: q.Life, copy: q.Copy}
		s.box.restore(d, flights[flightKey{q.ClientID, q.Number, q.Copy}])
	}
	for _, s := range e.sessions {
		s.box.identify()
	}
	for r, err := range e.store.Received() {
		if err != nil {
			return err
		}
		if s := e.session(r.ClientID); s == nil {
			gone.session(r.ClientID)
		} else {
			s.received[r.ID] = &publication{engine: e, session: s, id: r.ID, qos: 2, answered: true, stored: true}
		}
	}
	return nil
}

// A flightKey names a message that was on its way.
type flightKey struct {
	clientID string
	number   uint64
	copy     uint16
}

// restoreFlights returns the packet identifiers of the messages that were on their
// way. Of those that the client has, and of those that are not in the store (what rooms
// tell is told again), only PUBREL is due: it has the client forget the packet identifier.
func (e *Engine) restoreFlights(gone *leftovers) (map[flightKey]uint16, error) {
	flights := map[flightKey]uint16{}
	for f, err := range e.store.Flights() {
		if err != nil {
			return nil, err
		}
		s := e.session(f.ClientID)
		switch {
		case s == nil:
			gone.session(f.ClientID)
		case f.Released || f.Number == 0:
			s.box.restore(delivery{m: &Message{}, qos: 2}, f.ID)
			s.box.sent[len(s.box.sent)-1].released = true
		default:
			flights[flightKey{f.ClientID, f.Number, f.Copy}] = f.ID
		}
	}
	return flights, nil
}

// restore adds a message that waits for an absent client. id is the packet
// identifier that it went out with, or 0. What waits before such a message goes out
// before it.
func (b *outbox) restore(d delivery, id uint16) {
	b.bytes += d.m.size()
	if id == 0 {
		b.queue = append(b.queue, d)
		return
	}
	for _, earlier := range b.queue {
		b.sent = append(b.sent, flight{delivery: earlier, turn: restoredTurn})
	}
	b.queue = nil
	b.sent = append(b.sent, flight{delivery: d, id: id, turn: restoredTurn, tried: true})
	b.lastID = max(b.lastID, id)
}

// identify gives packet identifiers to flights that have none yet.
func (b *outbox) identify() {
	for i := range b.sent {
		if f := &b.sent[i]; f.id == 0 {
			f.id = b.nextID()
		}
	}
}

// restoredTurn is a turn in which no packet identifier is given out for long, so that
// those of restored flights are looked for.
const restoredTurn = 1 << 31

// stored returns the message as the store keeps it for sessions.
func (m *Message) stored() *persistence.Message {
	p := &persistence.Message{
		Topic: m.Topic, From: m.From, Payload: m.Payload, QoS: m.QoS, Retain: m.Retain, Properties: m.Properties,
	}
	if m.mortal {
		p.Expiry = m.expires
	}
	return p
}

// messageOf is the reverse of stored.
func messageOf(p *persistence.Message) *Message {
	m := &Message{
		Topic: p.Topic, From: p.From, Payload: p.Payload, QoS: p.QoS, Retain: p.Retain, Properties: p.Properties,
		mortal: !p.Expiry.IsZero(), expires: p.Expiry,
	}
	m.Supersedes = m.Retain
	if m.mortal {
		m.life = max(0, time.Until(p.Expiry))
	}
	return m
}
