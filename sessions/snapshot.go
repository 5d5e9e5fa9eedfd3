package sessions

import (
	"errors"

	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// A scope begins with a snapshot. The client that was not told all of it, because its
// connection has ended, is told a new one; so is one that subscribes again, or was away for
// longer than the change log goes back. What it was told before may have left since: the
// feed knows by which target it was told, and since which change it was not told what
// leaves, so that the new snapshot says that, too. If the change log does not go back that
// far, the client is told to forget what it knows.

// goLive makes the feed of a scope live as of a change: the snapshot that the
// client is told says everything up to it. A client that has gone is told when it
// is back.
func (e *Engine) goLive(s *session, sub *Subscription, r *persistence.Result) {
	b, f := s.box, sub.feed
	b.mu.Lock()
	f.dropShift() // it is too early
	m := b.mark(f, e.applied.Load())
	f.base, f.kept, f.over = m.seen, f.targetAt(m), Target{}
	f.from, f.shifted = r.Seq, r.Seq
	f.pace, f.seen, f.whole, f.busy, f.trimmed = behind, r.Seq, false, false, false
	if b.online() != nil {
		f.pace = live
	}
	base := f.base
	b.mu.Unlock()
	if forgets(r.Snapshot, sub.To, base) {
		e.clear(s, sub, base, r.Snapshot)
	}
	e.rejoin(s, sub)
}

// forgets says whether the change log lacks changes of a collection after one.
func forgets(snap *persistence.Snapshot, to topics.Filter, since uint64) bool {
	if snap.Lost(to.Index, to.Collection) > since {
		return true
	}
	for _, err := range snap.Changes(since) {
		return errors.Is(err, persistence.ErrTrimmed) // the source meets others
	}
	return false
}

// clear tells a client that it cannot be told what has left a scope, before anything that
// is told of it from now on. The caller drains the store's tail.
func (e *Engine) clear(s *session, sub *Subscription, since uint64, snap *persistence.Snapshot) {
	for m, err := range e.h.Gap(sub.To, sub.Target, since, snap) {
		if err != nil {
			e.log.Error("snapshot", "client", s.id, "topic_filter", clip(sub.To.Text), "error", err)
			return
		}
		e.deliver(m, sub.match(s), nil, nil, &e.tail)
	}
}

// toldOf returns the target by which the client of a subscription was told what it may
// know of a scope, and the change since which it was not told what has left.
func (e *Engine) toldOf(s *session, sub *Subscription) (Target, uint64) {
	f := sub.feed
	if f == nil {
		return sub.Target, 0
	}
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	return f.targetAt(mark{}), f.base
}
