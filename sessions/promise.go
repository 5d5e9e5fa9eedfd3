package sessions

import (
	"sync/atomic"
	"time"
)

// A promise is what is on its way through the pipeline to an outbox. It counts before
// it is there: else a burst would find room, and a member of a group ready, until the
// first of it is handed over.
type promise struct {
	messages, bytes atomic.Int64
}

// promise promises the message to those whom it waits for, and to whom a group has
// chosen. A client's reader, whose list f is, waits until they have room: the
// goroutine that hands over cannot wait for long. f may be nil.
func (w *waiting) promise(size int, f *flushes) {
	w.size = int64(size)
	for i := range w.waiters {
		b := w.waiters[i].match.session.box
		if f != nil {
			b.awaitRoom(size, f)
		}
		b.promised.messages.Add(1)
		b.promised.bytes.Add(w.size)
	}
}

// redeem undoes promise: the message is about to be handed over, or never will be.
func (w *waiting) redeem() {
	if w == nil {
		return
	}
	for i := range w.waiters {
		p := &w.waiters[i].match.session.box.promised
		p.messages.Add(-1)
		p.bytes.Add(-w.size)
	}
}

// awaitRoom waits until there is room for a message behind those that are promised,
// as long as the client has credit.
func (b *outbox) awaitRoom(size int, f *flushes) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var until time.Time
	for l := b.online(); l != nil && !l.slow && b.crowded(size, f); l = b.online() {
		if until.IsZero() {
			if l.settle(f) {
				continue // things may have changed
			}
			until = f.patience(time.Now(), l.took)
		}
		if !time.Now().Before(until) {
			l.slow = b.full(size, f) // and not held up by the store
			break
		}
		l.wait(until, f)
	}
	f.waited(until)
}

// crowded is [outbox.full] behind what is promised.
func (b *outbox) crowded(size int, f *flushes) bool {
	held := b.bytes + int(b.promised.bytes.Load())
	return held > 0 && held+size > b.limit(f)
}

// hasWindow says whether a message of this QoS may go out at once behind those that
// are promised.
func (l *link) hasWindow(qos byte) bool {
	return qos == 0 || l.box.awaiting()+int(l.box.promised.messages.Load()) < l.window
}
