package sessions

import (
	"errors"
	"math/rand/v2"

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
	// open says that the session is one that the store knows, or is being told of.
	open bool
	// done are records of what the store need not know any more.
	done []persistence.Record
	// settling says that the store is about to be told the next steps, and lacking
	// that there are messages that it does not have.
	settling, lacking bool
	// tales counts how often it was told.
	tales uint64
	// sweeping says that the store is about to be told that the life swept is over.
	sweeping bool
	swept    uint64
}

// A step is what the store is to be told next of a QoS 2 message.
type step byte

const (
	settled   step = iota // nothing
	taking                // the packet identifier that it goes out with
	releasing             // that the client has it, before PUBREL [MQTT-4.3.3-5]
)

// account says whether the store knows of the session from now on. If it does not,
// it has forgotten all of it; if that is new, the session has a new life, and is told
// of what is on its way: see [Engine.adopt].
func (b *outbox) account(open bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if open == b.ledger.open {
		return
	}
	b.ledger.open, b.ledger.done = open, nil
	if open {
		b.life.Store(rand.Uint64())
	}
	for i := range b.queue {
		b.queue[i].number = 0
	}
	for i := range b.sent {
		f := &b.sent[i]
		f.released = f.released || f.step == releasing
		f.number, f.step, f.tale = 0, settled, 0
	}
}

// flightRecords has the store know of the QoS 2 exchanges whose messages are not in
// it: see [Engine.adopt] for the others.
func (b *outbox) flightRecords() []persistence.Record {
	b.mu.Lock()
	defer b.mu.Unlock()
	var records []persistence.Record
	for i := range b.sent {
		if f := &b.sent[i]; f.qos == 2 && (f.released || f.feed != nil) {
			records = append(records, persistence.PutFlight(persistence.Flight{ClientID: b.id, ID: f.id, Released: f.released}))
		}
	}
	return records
}

// check sees to it that a message that an outbox is given is in the store, if it is to
// be. The caller holds b.mu.
func (b *outbox) check(d *delivery) {
	if d.number != 0 && (b.over || !b.ledger.open || d.life != b.life.Load()) {
		b.sweep(d.life) // it came there when that life was being deleted
		d.number = 0
	}
	if b.ledger.open && d.isLacking() {
		b.ledger.lacking = true
		b.settleSoon()
	}
}

// sweep has the store forget what waits for a life of the session that is over. The
// caller holds b.mu.
func (b *outbox) sweep(life uint64) {
	e := b.engine
	if b.ledger.sweeping && b.ledger.swept == life || e.away() != nil {
		return // it is about to, or does so at the next start
	}
	b.ledger.sweeping, b.ledger.swept = true, life
	e.tasks.Go(func() {
		b.mu.Lock()
		b.ledger.sweeping = false
		b.mu.Unlock()
		if err := e.append(&persistence.Op{Records: []persistence.Record{persistence.DeleteQueue(b.id, life)}}); err != nil {
			e.log.Error("forget messages", "client", b.id, "error", err)
		}
	})
}

// done notes that a delivery need not wait any more. The caller holds b.mu.
func (b *outbox) done(d *delivery) {
	if d.number == 0 || d.number == toCome || d.life != b.life.Load() || !b.ledger.open {
		return
	}
	b.ledger.done = append(b.ledger.done, b.dequeue(d))
	d.number = 0
	b.markSoon()
}

func (b *outbox) dequeue(d *delivery) persistence.Record {
	return persistence.Dequeue(d.number, persistence.Recipient{ClientID: b.id, Life: d.life, Copy: d.copy})
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
	l.ack(pubrel)
	f.add(l)
}

// settleSoon has the store told of the next steps of QoS 2 messages, all that there
// are at once. The caller holds b.mu.
func (b *outbox) settleSoon() {
	if !b.ledger.settling && b.engine.away() == nil {
		b.ledger.settling = true
		b.engine.tasks.Go(func() { b.engine.settle(b) })
	}
}

// A settling is a flight of whose step the store is told.
type settling struct {
	id   uint16
	tale uint64
}

// settle tells the store of the next steps, and then takes them.
func (e *Engine) settle(b *outbox) {
	e.turns.take(b.id, &b.ledger)
	defer e.turns.give(&b.ledger)
	if s := e.session(b.id); s == nil || s.box != b {
		return
	}
	err := errors.Join(e.tellDone(b), e.adopt(b))
	records, steps := b.nextSteps()
	if err == nil && len(steps) > 0 {
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
	if b.ledger.lacking {
		b.settleSoon()
	}
	b.ledger.tales++
	for i := range b.sent {
		f := &b.sent[i]
		if f.step == settled || f.tale != 0 || f.number == toCome || f.step == taking && f.isLacking() {
			continue // there is nothing to tell, or not yet
		}
		f.tale = b.ledger.tales
		steps = append(steps, settling{f.id, f.tale})
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
		if i < 0 || b.sent[i].tale != s.tale {
			continue // it is over
		}
		f := &b.sent[i]
		if f.tale = 0; err != nil {
			continue
		}
		if f.step == releasing {
			f.released, f.number = true, 0
		}
		f.step = settled
		if f.released && l != nil && i < len(b.sent)-b.resend {
			l.ack(ack{kind: packets.Pubrel, id: f.id})
		}
	}
	if l != nil {
		l.next()
		fl.add(l)
	}
}
