package sessions

import (
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/persistence"
)

// A ledger is what the store knows of the messages on their way to the client of
// a session that outlives the process. A message is put into the store before its
// publisher is answered; see [waiting]. That the client has it is told within
// [markInterval]: after a crash it may come again, which QoS 1 allows. At QoS 2 the
// exchange must go on where it was, so that the store is told of each step before
// the client is.
//
// The outbox's mutex guards it. Records are taken from it and appended by whoever has
// the turn of the client identifier, so that they are written in that order.
type ledger struct {
	// open says that the session is one that the store knows.
	open bool
	// done are records of what the store need not know any more.
	done []persistence.Record
	// settling says that the store is about to be told the next steps.
	settling bool
}

// A step is what the store is to be told next of a QoS 2 message.
type step byte

const (
	settled   step = iota // nothing
	taking                // the packet identifier that it goes out with
	releasing             // that the client has it, before PUBREL [MQTT-4.3.3-5]
)

// account says whether the store knows of the session from now on. If not, it has
// forgotten all of it.
func (b *outbox) account(open bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ledger.open = open; open {
		return
	}
	b.ledger.done = nil
	for i := range b.queue {
		b.queue[i].number = 0
	}
	for i := range b.sent {
		f := &b.sent[i]
		f.released = f.released || f.step == releasing
		f.number, f.step = 0, settled
	}
}

// done notes that a delivery need not wait any more. The caller holds b.mu.
func (b *outbox) done(d *delivery) {
	if d.number == 0 || !b.ledger.open {
		return
	}
	b.ledger.done = append(b.ledger.done, b.dequeue(d))
	d.number = 0
	b.markSoon()
}

func (b *outbox) dequeue(d *delivery) persistence.Record {
	return persistence.Dequeue(d.number, persistence.Recipient{ClientID: b.id, Life: b.life, Copy: d.copy})
}

// landed notes that the exchange of a QoS 2 message is over. The caller holds b.mu.
func (b *outbox) landed(f *flight) {
	if f.qos == 2 && b.ledger.open {
		b.ledger.done = append(b.ledger.done, persistence.DeleteFlight(b.id, f.id))
		b.markSoon()
	}
}

// tellDone tells the store what is done. The caller has the turn.
func (e *Engine) tellDone(b *outbox) error {
	b.mu.Lock()
	records := b.ledger.done
	b.ledger.done = nil
	b.mu.Unlock()
	if len(records) == 0 {
		return nil
	}
	return e.append(&persistence.Op{Records: records})
}

// release takes a client's PUBREC for the flight at i, or for an unknown one if i
// is -1.
func (b *outbox) release(l *link, i int, id uint16, f *flushes) {
	pubrel := ack{kind: packets.Pubrel, id: id}
	switch {
	case i < 0:
		pubrel.code = packets.ErrPacketIdentifierNotFound.Code
	case b.ledger.open && b.sent[i].qos == 2 && !b.sent[i].released:
		b.sent[i].step = releasing
		b.settleSoon()
		return
	default:
		b.sent[i].released = true // [MQTT-4.3.3-5]
	}
	l.out = l.peer.appendAck(l.room(), pubrel)
	f.add(l)
}

// settleSoon has the store told of the next steps of QoS 2 messages, all that there
// are at once. The caller holds b.mu.
func (b *outbox) settleSoon() {
	if !b.ledger.settling {
		b.ledger.settling = true
		b.engine.tasks.Go(func() { b.engine.settle(b) })
	}
}

// A settling is a flight of whose step the store is told.
type settling struct {
	id   uint16
	turn uint32
	step step
}

// settle tells the store of the next steps, and then takes them.
func (e *Engine) settle(b *outbox) {
	e.turns.take(b.id, &b.ledger)
	defer e.turns.give(&b.ledger)
	records, steps := b.nextSteps()
	if s := e.session(b.id); len(steps) == 0 || s == nil || s.box != b {
		return
	}
	err := e.tellDone(b)
	if err == nil {
		err = e.append(&persistence.Op{Records: records, Committed: func(r *persistence.Result) {
			var f flushes
			b.told(steps, r.Err, &f)
			e.sent.take(&f)
		}})
	}
	if err != nil {
		b.told(steps, err, new(flushes))
	}
}

// nextSteps returns the steps of which the store is not told yet, and the records
// that tell it.
func (b *outbox) nextSteps() (records []persistence.Record, steps []settling) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ledger.settling = false
	if !b.ledger.open {
		return nil, nil
	}
	for i := range b.sent {
		f := &b.sent[i]
		if f.step == settled || f.telling {
			continue
		}
		f.telling = true
		steps = append(steps, settling{f.id, f.turn, f.step})
		records = append(records, persistence.PutFlight(persistence.Flight{
			ClientID: b.id, ID: f.id, Number: f.number, Copy: f.copy, Released: f.step == releasing,
		}))
		if f.step == releasing && f.number != 0 {
			records = append(records, b.dequeue(&f.delivery))
		}
	}
	return records, steps
}

// told takes the steps that the store knows of now. If it could not be told, the
// connection ends, and they are taken on the next one.
func (b *outbox) told(steps []settling, err error, fl *flushes) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.online()
	if err != nil && l != nil {
		l.end(errorOf(err))
		l = nil
	}
	for _, s := range steps {
		i := b.find(s.id)
		if i < 0 || b.sent[i].turn != s.turn || b.sent[i].step != s.step {
			continue // it is over
		}
		f := &b.sent[i]
		f.telling = false
		if err != nil {
			continue
		}
		f.step = settled
		if s.step == releasing {
			f.released, f.number = true, 0
		}
		if f.released && l != nil && i < len(b.sent)-b.resend {
			l.out = l.peer.appendAck(l.room(), ack{kind: packets.Pubrel, id: f.id})
		}
	}
	if l != nil {
		l.next()
		fl.add(l)
	}
}
