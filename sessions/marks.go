package sessions

import (
	"errors"
	"time"

	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// markInterval is how often the store is told at most what a client that is
// connected has acknowledged. After a crash it is told again what came since.
const markInterval = time.Second

// A mark is the change up to which a client needs nothing any more, if ok. Else it has
// not the whole of a scope's snapshot: it needs that again, and what has left since then.
type mark struct {
	seen uint64
	ok   bool
	// filter is the content filter by which it was told that, "" without a feed.
	filter string
}

// markSoon has the store told of acknowledgements. The caller holds b.mu.
func (b *outbox) markSoon() {
	if b.marking || !b.keep {
		return
	}
	b.marking = true
	b.engine.schedule.at(time.Now().Add(markInterval), func() {
		b.engine.tasks.Go(func() { b.engine.mark(b) })
	})
}

// mark tells the store what the client of an outbox needs no more: where its feeds
// stand, and which messages it has.
func (e *Engine) mark(b *outbox) {
	e.turns.take(b.id, b) // so that no record outlives its session
	defer e.turns.give(b)
	b.mu.Lock()
	b.marking = false
	b.mu.Unlock()
	s := e.session(b.id)
	if s == nil || s.box != b {
		return
	}
	s.keeping.Lock()
	defer s.keeping.Unlock()
	err := e.tellDone(b)
	if records := s.marks(e.applied.Load(), false); len(records) > 0 {
		err = errors.Join(err, e.append(&persistence.Op{Records: records}))
	}
	if err != nil {
		e.log.Warn("keep acknowledgements", "client", b.id, "error", err) // it is told more again
	}
}

// marks returns the subscriptions whose marks have moved since they were last
// taken, if the session outlives its connection: all of them, or only those of
// which something was acknowledged.
func (s *session) marks(applied uint64, all bool) []persistence.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.persistent.Load() || s.ended {
		return nil
	}
	var records []persistence.Record
	for _, sub := range s.subs {
		if sub.feed == nil || !all && !s.box.wasAcknowledged(sub.feed) {
			continue
		}
		if m, moved := s.box.takeMark(sub.feed, applied); moved {
			records = append(records, sub.record(s.id, m))
		}
	}
	return records
}

func (b *outbox) wasAcknowledged(f *feed) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return f.acknowledged
}

// takeMark returns the mark of a feed, nil for none, for the store, and whether
// the store has another one.
func (b *outbox) takeMark(f *feed, applied uint64) (m mark, moved bool) {
	if f == nil {
		return m, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	m = b.mark(f, applied)
	moved = m != f.stored
	f.stored, f.acknowledged = m, false
	return m, moved
}

// firstMark returns the mark of a subscription that is about to begin.
func (b *outbox) firstMark(sub *Subscription, applied uint64) mark {
	f := sub.feed
	if f == nil {
		return mark{}
	}
	m := mark{filter: f.target.Filter}
	switch {
	case f.most > 0: // it goes on
		m, _ = b.takeMark(f, applied)
	case !f.resumes:
	case sub.Target.Kind == topics.Scope:
		m.seen = applied
	case sub.To.Room.Options.HasSince:
		m.seen, m.ok = sub.To.Room.Options.Since, true
	default:
		m.seen, m.ok = applied, true
	}
	return m
}

// mark returns the mark of a feed. Everything up to applied was given to those
// that are live. The caller holds b.mu.
func (b *outbox) mark(f *feed, applied uint64) (m mark) {
	defer func() { m.filter = f.targetAt(m).Filter }()
	if !f.resumes {
		return mark{}
	}
	if !f.whole {
		return mark{seen: f.base}
	}
	seen := f.seen
	if f.pace == live {
		seen = max(seen, applied)
	}
	for i := range b.sent {
		if d := &b.sent[i]; d.feed == f && !d.released {
			seen = min(seen, d.m.Seq-1)
		}
	}
	for i := range b.queue {
		if d := &b.queue[i]; d.feed == f {
			seen = min(seen, d.m.Seq-1)
		}
	}
	return mark{seen: seen, ok: true}
}
