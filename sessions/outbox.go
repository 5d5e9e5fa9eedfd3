package sessions

import (
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/limits"
)

const (
	// maxAwaiting is how many messages may await a client's acknowledgement,
	// whatever Receive Maximum the client allows.
	maxAwaiting = 1024
	// maxSources bounds the snapshots that one client reads at a time.
	maxSources = 1024
	// busyFactor is how many times its bound an outbox may hold while the client's
	// own reader is what everybody would have to wait for.
	busyFactor = 8
)

// An outbox is the way out to one session: what waits for its client, in order,
// within a bound. It outlives connections; see [link] for what does not.
//
// A message that may be sent at once is encoded at once, into the bytes that
// the connection writes next. Only others are queued: those for an absent
// client, or one whose window or socket is full.
type outbox struct {
	engine *Engine
	id     string
	life   atomic.Uint64 // of the session: see [persistence.Session]
	// promised is what is in the pipeline.
	promised promise
	// rights are what the client may see; nil is everything.
	rights atomic.Pointer[holder]

	mu      sync.Mutex // guards what follows
	changed *sync.Cond // there is more room, or nobody to wait for
	// link is the connection, the last one if the client is away. May be nil.
	link *link
	// keep says that QoS 1 and 2 messages wait for an absent client.
	keep bool
	// over says that the session has ended: nothing waits any more.
	over bool
	// ledger is what the store knows of them.
	ledger ledger
	// busy counts the calls in which the client's reader waits for somebody.
	busy  int
	queue []delivery
	bytes int // in queue and in sent
	// sent are the messages without a complete acknowledgement, in order. The last
	// ones, as many as resend, are still to be sent on this connection, before others.
	sent   []flight
	resend int
	lastID uint16
	turn   uint32 // how often the identifiers have come around
	lost   int    // messages that an absent client's full outbox dropped
	toll   toll
	// marking says that the store will be told what was acknowledged.
	marking bool
}

func newOutbox(e *Engine, id string) *outbox {
	b := &outbox{engine: e, id: id}
	b.life.Store(rand.Uint64())
	b.changed = sync.NewCond(&b.mu)
	return b
}

// open starts to write to a client. What the last connection left
// unacknowledged is sent again first, in order [MQTT-4.4.0-1], [MQTT-4.6.0-1].
func (b *outbox) open(l *link, keep bool, f *flushes) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.link, b.keep, l.started, l.took = l, keep, true, time.Now()
	f.add(l)
	if l.ended { // before it began
		l.wake()
		return
	}
	b.resend = len(b.sent)
	if slices.ContainsFunc(b.sent, func(f flight) bool { return f.step != settled && f.tale == 0 }) {
		b.settleSoon()
	}
	l.next()
	l.wake()
}

// resume has QoS 1 and 2 messages wait for the next connection, and reports
// whether they have so far: they are lost once there is none that they could go
// out on, and nothing is to be kept.
func (b *outbox) resume() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.keep = b.keep || b.online() != nil
	return b.keep
}

// close ends what open began, if l is still the connection, and returns the
// topic filters whose snapshot was not complete. Feeds and applied are as in
// suspend.
func (b *outbox) close(l *link, feeds []*feed, applied uint64) (unfinished []string, closed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.link != l {
		return nil, false
	}
	l.end(nil)
	unfinished, l.unfinished = l.unfinished, nil
	if !b.keep {
		b.queue, b.sent, b.resend, b.bytes = nil, nil, 0, 0
	}
	b.suspend(feeds, applied)
	b.queue = slices.DeleteFunc(b.queue, func(d delivery) bool {
		if d.qos == 0 {
			b.bytes -= d.m.size()
		}
		return d.qos == 0
	})
	return unfinished, true
}

// end ends the waiting of messages, with the session.
func (b *outbox) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over, b.ledger.done = true, nil
}

// online returns the connection, or nil while the client is away.
func (b *outbox) online() *link {
	if b.link == nil || b.link.ended {
		return nil
	}
	return b.link
}

// waits notes that the client's reader begins to wait for somebody else, which
// may in turn wait for this outbox; the function that it returns ends that.
func (b *outbox) waits() (done func()) {
	b.addBusy(1)
	return func() { b.addBusy(-1) }
}

func (b *outbox) addBusy(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.busy += n
	b.changed.Broadcast()
}

// ack sends an acknowledgement on a connection, if it still is one. It never
// waits: see [link.pace].
func (b *outbox) ack(l *link, a ack, f *flushes) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l != nil && b.online() == l {
		l.ack(a)
		f.add(l)
	}
}

// push sends a message, or queues it. It waits while the outbox is full, as long
// as the client has credit.
func (b *outbox) push(d delivery, f *flushes) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.online()
	if d.feed != nil && !d.feed.takes(d.m, l != nil) {
		return
	}
	if b.check(&d); b.over {
		return
	}
	if l != nil && l.slow && b.bytes <= b.engine.options().QueueBytes/2 {
		l.slow = false
	}
	if l != nil && l.free(d.qos) && (d.qos == 0 || !b.full(d.m.size(), f)) {
		l.overtake(d.m)
		l.dispatch(d)
		f.add(l)
		return
	}
	if l == nil && (d.qos == 0 || !b.keep) || !b.makeRoom(d, f) {
		b.done(&d)
		return
	}
	if d.feed != nil && d.feed.pace == behind {
		d.feed.lose(d.m) // the client has gone meanwhile, and perhaps is back
		return
	}
	d.m = d.m.Keep()
	b.queue = append(b.queue, d)
	b.bytes += d.m.size()
	if l := b.online(); l != nil {
		l.overtake(d.m)
		l.next()
		f.add(l)
	}
}

// makeRoom waits until a message fits. For a client that is not waited for any
// more it sheds messages of QoS 0, the oldest first, and gives the client up if
// that is not enough. One that is no client of MQTT is given up at once: nothing would tell it
// what is missing. For an absent client it drops the oldest messages.
func (b *outbox) makeRoom(d delivery, f *flushes) bool {
	size := d.m.size()
	var until time.Time
	for l := b.online(); l != nil && b.full(size, f); l = b.online() {
		if until.IsZero() && !l.slow {
			if l.settle(f) {
				continue // things may have changed
			}
			until = f.patience(time.Now(), l.took)
		}
		if l.slow = l.slow || !time.Now().Before(until); !l.slow {
			b.toll.heldUp++
			l.wait(until, f)
			continue
		}
		if l.format == nil && b.shedOldest(size, f) {
			break
		}
		if l.format == nil && d.qos == 0 {
			b.shed()
			return false
		}
		l.end(b.engine.reached(limits.Queue, packets.ErrQuotaExceeded.Code, "the client does not keep pace"))
	}
	f.waited(until)
	if b.online() != nil {
		return true
	}
	if d.feed != nil && d.feed.resumes {
		d.feed.lose(d.m)
		return false
	}
	if d.qos == 0 || !b.keep {
		return false
	}
	for len(b.queue) > 0 && b.full(size, f) {
		b.drop(0)
		b.lose()
	}
	if b.full(size, f) {
		b.lose()
		return false
	}
	return true
}

// lose counts a message that the full queue of an absent client drops.
func (b *outbox) lose() {
	b.lost++
	b.toll.dropped++
	b.engine.counts.lost.Add(1)
}

// shed counts a message of QoS 0 that a client that does not keep pace is not given.
func (b *outbox) shed() {
	b.toll.dropped++
	b.engine.counts.shed.Add(1)
}

// shedOldest drops messages of QoS 0 until size more bytes fit, and reports
// whether they do.
func (b *outbox) shedOldest(size int, f *flushes) bool {
	for i := 0; i < len(b.queue) && b.full(size, f); {
		if b.queue[i].qos > 0 {
			i++
			continue
		}
		b.drop(i)
		b.shed()
	}
	return !b.full(size, f)
}

func (b *outbox) drop(i int) {
	b.bytes -= b.queue[i].m.size()
	b.done(&b.queue[i])
	if f := b.queue[i].feed; f != nil && f.resumes && b.online() == nil {
		f.lose(b.queue[i].m)
	}
	if l := b.online(); l != nil {
		l.advance(i, 1)
	}
	if i == 0 {
		b.queue[0] = delivery{} // let the message go
		b.queue = b.queue[1:]
		return
	}
	b.queue = slices.Delete(b.queue, i, i+1)
}

// full says whether size more bytes are too many. One message always fits. A
// client whose reader waits cannot read the acknowledgements that make room:
// whoever waited for it here would wait for itself.
func (b *outbox) full(size int, f *flushes) bool {
	return b.bytes > 0 && b.bytes+size > b.limit(f)
}

func (b *outbox) limit(f *flushes) int {
	if b.busy > 0 || f.reader == b {
		return busyFactor * b.engine.options().QueueBytes
	}
	return b.engine.options().QueueBytes
}

// acknowledged takes a client's PUBACK, PUBREC or PUBCOMP for a message.
// It refuses one that does not answer what was sent.
func (b *outbox) acknowledged(l *link, kind byte, id uint16, code byte, f *flushes) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := b.find(id)
	if b.online() != l || i >= len(b.sent)-b.resend || i >= 0 && b.sent[i].step != settled {
		return nil // of another connection, or not sent yet on this one, or said before
	}
	if i >= 0 && !b.sent[i].awaits(kind) {
		return violation("%s for a message that awaits another answer", nameOf(kind))
	}
	l.took = time.Now()
	if kind == packets.Pubrec && code < packets.ErrUnspecifiedError.Code {
		b.release(l, i, id, f)
		return nil
	}
	if i >= 0 && b.sent[i].feed != nil {
		b.sent[i].feed.acknowledged = true
		b.markSoon()
	}
	b.forget(i)
	if len(b.queue) > 0 || b.resend > 0 || len(l.sources) > 0 {
		l.next()
		f.add(l)
	}
	return nil
}

// awaits says whether a client may answer a flight so [MQTT-4.3.2-1], [MQTT-4.3.3-1].
func (f *flight) awaits(kind byte) bool {
	switch {
	case f.qos == 1:
		return kind == packets.Puback
	case f.released:
		return kind != packets.Puback // PUBREC may come twice
	}
	return kind == packets.Pubrec
}

// takeLost returns how many messages were dropped since it was last called.
func (b *outbox) takeLost() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.lost
	b.lost = 0
	return n
}
