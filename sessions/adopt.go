package sessions

import (
	"iter"
	"math"

	"github.com/ambitmq/ambit/persistence"
)

// adopt puts what is on its way to a client into the store, as far as it is not
// there: of a session that was to end with its connection, and was taken over by one
// that it outlives, and what has come between two looks at who waits for a message. The
// caller has the turn.
func (e *Engine) adopt(b *outbox) error {
	lacking := b.takeLacking()
	for i, f := range lacking {
		to := persistence.Recipient{ClientID: b.id, Life: f.life, QoS: f.qos, Retain: f.retain, Identifiers: f.ids}
		if f.qos == 2 {
			to.PacketID = f.id
		}
		q := &persistence.Queue{Message: f.m.stored(), Recipients: []persistence.Recipient{to}}
		op := &persistence.Op{Queue: q, Committed: func(r *persistence.Result) {
			if r.Err != nil {
				b.notAdopted(lacking[i:i+1], r.Err)
			} else {
				b.adopted(&f.delivery, r.Queued)
			}
		}}
		if err := e.append(op); err != nil {
			b.notAdopted(lacking[i:], err)
			return err
		}
	}
	return nil
}

// toCome is the number of a message that is about to get one.
const toCome = math.MaxUint64

// deliveries yields all that are not over, with the packet identifiers of those that
// have one. The caller holds b.mu.
func (b *outbox) deliveries() iter.Seq2[*delivery, uint16] {
	return func(yield func(*delivery, uint16) bool) {
		for i := range b.sent {
			if f := &b.sent[i]; !f.released && !yield(&f.delivery, f.id) {
				return
			}
		}
		for i := range b.queue {
			if !yield(&b.queue[i], 0) {
				return
			}
		}
	}
}

// takeLacking returns what the store is to know of, and does not.
func (b *outbox) takeLacking() []flight {
	b.mu.Lock()
	defer b.mu.Unlock()
	var lacking []flight
	if b.ledger.lacking = false; b.ledger.open {
		for d, id := range b.deliveries() {
			if d.isLacking() {
				d.number, d.life, d.copy = toCome, b.life.Load(), 0
				lacking = append(lacking, flight{delivery: *d, id: id})
			}
		}
	}
	return lacking
}

// isLacking says whether a message is to be in the store, and is not.
func (d *delivery) isLacking() bool { return d.number == 0 && d.qos > 0 && d.feed == nil }

// adopted notes the number that a message has in the store now.
func (b *outbox) adopted(was *delivery, number uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for d := range b.deliveries() {
		if d.awaitsNumber(was) {
			d.number = number
			b.settleSoon() // if it waits for that
			return
		}
	}
	b.done(&delivery{number: number, life: was.life}) // it was dropped meanwhile
}

// notAdopted notes that messages could not be put into the store. They are when one
// more lacks there, or on the next connection.
func (b *outbox) notAdopted(lacking []flight, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range lacking {
		for d := range b.deliveries() {
			if d.awaitsNumber(&lacking[i].delivery) {
				d.number = 0
			}
		}
	}
	if l := b.online(); l != nil {
		l.end(errorOf(err))
	}
}

// awaitsNumber says whether a message is the one that was put into the store.
func (d *delivery) awaitsNumber(was *delivery) bool {
	return d.m == was.m && d.qos == was.qos && d.number == toCome && d.life == was.life
}
