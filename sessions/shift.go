package sessions

import (
	"iter"
	"math"

	"github.com/ambitmq/ambit/persistence"
)

// A shift is that a subscription goes over from one target to another: a name points to
// another filter, or a right is another one. It has two steps. When the feed has been
// told everything up to a change by the old target, the shift is set: it keeps a snapshot as of
// that change, and the feed is behind. When the store knows that the client may have been
// told by either target, the link reads the difference from the snapshot, and then what
// came since by the new target.
//
// If the connection ends between, it begins again: the client is told what it missed by a
// target that takes nothing for granted of which the two differ, and then the difference.
type shift struct {
	next, over, kept Target
	snapshot         *shared
	seq              uint64
}

// unfinished is the shifted of a feed whose difference is not told to its end.
const unfinished = math.MaxUint64

// told returns the target by which the client was told what it knows. The caller holds
// the outbox's mutex.
func (f *feed) told() Target {
	if f.over.isRoom() && f.seen < f.shifted {
		return f.over
	}
	return f.target
}

// targetAt returns the target that goes with a mark: by which the client was told what it
// has acknowledged, and all that it may know beyond. The caller holds the outbox's mutex.
func (f *feed) targetAt(m mark) Target {
	switch {
	case !f.resumes:
		return f.told() // it is told nothing again
	case f.shift != nil:
		return f.shift.kept
	case f.kept.isRoom() && (!m.ok || m.seen < f.shifted):
		return f.kept
	}
	return f.target
}

// storedTarget is targetAt of where a feed stands now.
func (b *outbox) storedTarget(f *feed, applied uint64) Target { return f.targetAt(b.mark(f, applied)) }

// differs says whether a subscription is to go over to another target. The caller holds
// the outbox's mutex.
func (e *Engine) differs(s *session, sub *Subscription) bool {
	if sub.feed == nil || sub.feed.shift != nil {
		return false
	}
	_, _, ok := e.h.Shift(s.box.rightsNow(), sub.To, sub.feed.told())
	return ok
}

// Shift has subscriptions go over to what the handler says that their targets are from
// now on, as of a result with a snapshot, which it closes: those that are told everything
// up to it at once, others when they are. They are pairs of a client and a
// topic filter. Only whoever drains the store's tail may call it.
func (e *Engine) Shift(subscriptions iter.Seq2[string, string], r *persistence.Result) {
	snapshot := newShared(r.Snapshot)
	defer snapshot.release()
	shifting := map[*session]*link{}
	for client, topicFilter := range subscriptions {
		s := e.session(client)
		if s == nil {
			continue
		}
		sub := s.sub(topicFilter)
		if sub == nil || sub.feed == nil {
			continue
		}
		if l := e.shift(s, sub, r.Seq, snapshot); l != nil {
			shifting[s] = l
		}
	}
	for s, l := range shifting {
		e.tasks.Go(func() { e.proceed(s, l) })
	}
}

// shift sets the shift of a subscription that is to go over, if its feed is live: it is
// told nothing more by the old target. It returns the connection that proceeds then.
func (e *Engine) shift(s *session, sub *Subscription, seq uint64, snapshot *shared) *link {
	b, f := s.box, sub.feed
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.online()
	if l == nil || f.pace != live || f.busy || !f.whole || f.shift != nil {
		return nil // it shifts when it has come so far
	}
	next, over, ok := e.h.Shift(b.rightsNow(), sub.To, sub.feed.told())
	if !ok {
		return nil
	}
	_, kept, _ := e.h.Shift(b.rightsNow(), sub.To, b.storedTarget(f, seq))
	if over.Lost || kept.Lost {
		f.pace, f.seen, f.trimmed = behind, max(f.seen, seq), true
		return l
	}
	if snapshot.snap == nil {
		return l // it asks for one
	}
	snapshot.users.Add(1)
	f.shift = &shift{next: next, over: over, kept: kept, snapshot: snapshot, seq: seq}
	f.pace, f.seen = behind, max(f.seen, seq)
	return l
}

// dropShift ends a shift of which nothing was told. The caller holds the outbox's mutex.
func (f *feed) dropShift() {
	if f.shift != nil {
		f.shift.snapshot.release()
		f.shift = nil
	}
}

// shifts returns the shifts of a session that are set, with the records by which the store
// knows of them. The caller holds s.keeping.
func (e *Engine) shiftsOf(s *session) (shifts []*shift, records []persistence.Record) {
	for _, sub := range s.subscriptions() {
		if sub.feed == nil {
			continue
		}
		s.box.mu.Lock()
		t := sub.feed.shift
		s.box.mu.Unlock()
		if t == nil {
			continue
		}
		shifts = append(shifts, t)
		if s.persistent.Load() && sub.resumes() {
			m, _ := s.box.takeMark(sub.feed, e.applied.Load())
			records = append(records, sub.record(s.id, m))
		}
	}
	return shifts, records
}

// goOver has the link read the difference of a shift that the store knows of. docs are the
// documents up to now.
func (e *Engine) goOver(s *session, sub *Subscription, l *link, docs Documents) {
	b, f := s.box, sub.feed
	b.mu.Lock()
	t := f.shift
	b.mu.Unlock()
	if t == nil {
		return // the client has gone
	}
	next := e.exchange(s, sub, t, docs)
	b.mu.Lock()
	if next == nil || f.shift != t {
		f.dropShift()
		b.mu.Unlock()
		return
	}
	f.shift = nil // not before: what the store is told meanwhile is to know of both targets
	f.seen = t.seq
	b.mu.Unlock()
	src := newSource(next, e.h.Difference(next.To, t.over, t.snapshot.snap), t.snapshot.release)
	src.complete, src.shifts, src.asPublished = t.seq, true, next.request.asPublished()
	e.chain(s, l, src)
}

// exchange puts a subscription with the next target of a shift in place of one, with the
// same feed. The caller drains the store's tail; it returns nil if the subscription has ended, or
// the new target cannot be joined.
func (e *Engine) exchange(s *session, sub *Subscription, t *shift, docs Documents) *Subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.subs[sub.request.topicFilter] != sub {
		return nil
	}
	next := *sub
	next.Target = t.next
	next.Target.Volatile = sub.Target.Volatile
	if err := e.h.Join(s.id, next.To, next.Target, docs); err != nil {
		e.log.Error("go over", "client", s.id, "topic_filter", clip(sub.To.Text), "error", err)
		return nil
	}
	if sub.Target.Hash != next.Target.Hash {
		e.leave(s, sub)
	}
	s.subs[sub.request.topicFilter] = &next
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	f := sub.feed
	f.target, f.over, f.kept, f.from, f.shifted = next.Target, t.over, t.kept, t.seq, unfinished
	return &next
}
