package sessions

import (
	"slices"

	"github.com/mochi-mqtt/server/v2/packets"
)

// A flight is a QoS 1 or 2 message on its way.
type flight struct {
	delivery
	id       uint16
	turn     uint32 // how often the identifiers had come around before
	released bool   // PUBREC came; PUBREL is what counts now
	tried    bool   // it was sent before
	// Of a QoS 2 message whose exchange is to survive the process, nothing is sent
	// before the store knows of it: step is what it is told next, and tale which time
	// of telling that is, or 0.
	step step
	tale uint64
}

// dispatch encodes one message that is not in the queue.
func (l *link) dispatch(d delivery) {
	if d.qos == 0 {
		l.encode(&d, 0, false)
		return
	}
	b := l.box
	d.m = d.m.Keep()
	f := flight{delivery: d, id: b.nextID(), turn: b.turn}
	if d.qos == 2 && b.ledger.open {
		f.step = taking
		b.ledger.lacking = b.ledger.lacking || d.isLacking() // what is retained, for one
		b.settleSoon()
	}
	b.sent = append(b.sent, f)
	b.bytes += d.m.size()
	b.resend++
	l.proceed()
}

// proceed sends what is due of the flights that this connection has not seen, up to
// one that the store is being told of.
func (l *link) proceed() {
	b := l.box
	for b.resend > 0 && !b.held() && l.fits(1) {
		f := &b.sent[len(b.sent)-b.resend]
		b.resend--
		switch {
		case f.step == releasing: // PUBREL follows
		case f.released:
			l.ack(ack{kind: packets.Pubrel, id: f.id})
		default:
			l.send(f)
		}
	}
}

// send encodes a flight, or forgets it if it has expired or is too large for
// the client.
func (l *link) send(f *flight) {
	there := l.encode(&f.delivery, f.id, f.tried)
	if f.tried = true; !there {
		l.box.forget(l.box.find(f.id))
	}
}

// nextID returns a packet identifier that no flight has [MQTT-2.2.1-4]. There
// always is one: flights are bounded by the window. They are looked through only
// once the first of them has seen all identifiers come around.
func (b *outbox) nextID() uint16 {
	for {
		b.lastID++
		if b.lastID == 0 {
			b.turn++
			continue
		}
		if len(b.sent) == 0 || b.sent[0].seesFirst(b.lastID, b.turn) || b.find(b.lastID) < 0 {
			return b.lastID
		}
	}
}

// seesFirst says whether an identifier is new since the flight began.
func (f *flight) seesFirst(id uint16, turn uint32) bool {
	return turn == f.turn || turn == f.turn+1 && id < f.id
}

// find returns the place of a flight, or -1. Most often it is the first one.
func (b *outbox) find(id uint16) int {
	return slices.IndexFunc(b.sent, func(f flight) bool { return f.id == id })
}

// forget ends a flight. Where nobody is, -1, there is none.
func (b *outbox) forget(i int) {
	if i < 0 {
		return
	}
	b.bytes -= b.sent[i].m.size()
	b.done(&b.sent[i].delivery)
	b.landed(&b.sent[i])
	if i == 0 {
		b.sent[0] = flight{} // let the message go
		b.sent = b.sent[1:]
	} else {
		b.sent = slices.Delete(b.sent, i, i+1)
	}
	if len(b.sent) == 0 {
		b.sent = nil
	}
	b.changed.Broadcast()
}

// held says that the next flight waits for the store.
func (b *outbox) held() bool {
	return b.resend > 0 && b.sent[len(b.sent)-b.resend].step == taking
}

// awaiting is how many messages await an acknowledgement of this connection, or are
// about to.
func (b *outbox) awaiting() int {
	if b.held() {
		return len(b.sent)
	}
	return len(b.sent) - b.resend
}
