package sessions

import (
	"errors"
	"slices"

	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

const (
	// catchUpChanges is how many changes whoever drains the store's tail reads for
	// a feed so that it is live. A feed that does not come so close gets twice as many
	// each time, within a bound: it must not run behind the writers for ever.
	catchUpChanges        = 64
	maxCatchUp     uint64 = 8192
	// maxReplays is how many feeds of a session are replayed at a time.
	maxReplays = maxSources / 4
)

// A feed is where a subscription to a room or a scope stands in the sequence of
// changes. While it is live it is given each message as it comes. Else it is
// behind: what it is given comes from the change log, at the client's pace, and
// nothing is kept for it. See [Engine.proceed] for how it comes to be live.
//
// The outbox's mutex guards all of it.
type feed struct {
	pace pace
	// seen is the last change up to which everything was given to the client, so
	// that it is on its way or acknowledged.
	seen uint64
	// resumes says that a client that comes back is told what it missed. Else the
	// feed is live while the client is away, in vain.
	resumes bool
	// whole says that nothing is missing of the snapshot that a scope began with, or was
	// told again. Until then base is the change up to which its client was told what leaves.
	whole bool
	base  uint64
	// busy says that a source is replaying; most is how many changes behind it
	// may be to catch up; trimmed says that the change log does not go back to seen.
	busy, trimmed bool
	most          uint64
	// stored is the mark that the store has, and acknowledged says that something was
	// since it was taken.
	stored       mark
	acknowledged bool
	// target is what the subscription is told by. It went over to that as of the change
	// from; shifted is the same, or unfinished. over knows what it was told by until then,
	// and kept what it was told by since the mark; they are no rooms if it never went over.
	// shift is the next one, if it is set.
	target, over, kept Target
	from, shifted      uint64
	shift              *shift
}

// A pace is how a feed is given messages.
type pace byte

const (
	behind   pace = iota
	catching      // by whoever drains the store's tail, from the change log
	live
)

// feedOf returns the feed that a new subscription has: the one of the
// subscription that it replaces, unless it asks for another beginning.
func (e *Engine) feedOf(s *session, sub, old *Subscription) *feed {
	if !sub.Target.isRoom() {
		return nil
	}
	f := &feed{target: sub.Target}
	if old != nil && old.feed != nil && !sub.To.Room.Options.HasSince { // by the same text
		f = old.feed // if that has another target, it shifts when it is told everything by that
	}
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	f.resumes = sub.resumes()
	return f
}

// begin starts the feed of a subscription that counts from the change after
// seen on, unless it goes on as that of the one before.
func (b *outbox) begin(sub, old *Subscription, seen uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := sub.feed
	if old != nil && old.feed == f {
		b.retune(sub)
		return
	}
	if old != nil && old.feed != nil {
		old.feed.dropShift()
	}
	f.seen, f.base, f.pace, f.whole, f.most = seen, seen, live, true, catchUpChanges
	if o := sub.To.Room.Options; o.HasSince {
		f.seen, f.pace = o.Since, behind
	}
	if l := b.online(); l != nil {
		l.drop(sub.To.Text)
	}
}

// retune lets a subscription's replay go on with the options of its successor.
func (b *outbox) retune(sub *Subscription) {
	if l := b.online(); l != nil {
		for _, s := range l.sources {
			if s.topicFilter == sub.To.Text {
				s.qos, s.ids = sub.qos(), sub.ids
			}
		}
	}
}

// proceed takes the feeds of a session that are behind one step further, as of
// where it comes in the pipeline: those that are close to it are given the rest
// and are live; the others are replayed up to it at the client's pace, and then
// proceed again.
func (e *Engine) proceed(s *session, l *link) {
	s.keeping.Lock()
	defer s.keeping.Unlock()
	shifts, records := e.shiftsOf(s)
	snapshot := len(shifts) > 0 || e.needsSnapshot(s)
	op := &persistence.Op{Records: records, Snapshot: snapshot, Applied: func(r *persistence.Result) {
		if r.Err != nil {
			l.box.mu.Lock()
			defer l.box.mu.Unlock()
			l.end(errorOf(r.Err)) // so that it tries again
			return
		}
		e.step(s, l, r, shifts)
	}}
	if err := e.append(op); err != nil && !errors.Is(err, persistence.ErrClosed) {
		e.log.Error("replay", "client", s.id, "error", err)
		l.box.mu.Lock()
		defer l.box.mu.Unlock()
		l.end(errorOf(err))
	}
}

// isBehind says whether a feed of the session is, or is to shift.
func (e *Engine) isBehind(s *session) bool {
	return s.hasFeed(func(sub *Subscription) bool { return sub.feed.pace == behind || e.differs(s, sub) })
}

// needsSnapshot says whether a feed of the session is behind the change log, or is to
// shift.
func (e *Engine) needsSnapshot(s *session) bool {
	return s.hasFeed(func(sub *Subscription) bool {
		return sub.feed.pace == behind && sub.feed.trimmed || e.differs(s, sub)
	})
}

// hasFeed says whether a subscription with a feed is so.
func (s *session) hasFeed(is func(*Subscription) bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	for _, sub := range s.subs {
		if sub.feed != nil && is(sub) {
			return true
		}
	}
	return false
}

// step is what proceed does once its turn has come. The store knows of shifts.
func (e *Engine) step(s *session, l *link, r *persistence.Result, shifts []*shift) {
	snapshot := newShared(r.Snapshot)
	defer snapshot.release()
	replays, again := 0, false
	for _, sub := range s.subscriptions() {
		if sub.feed == nil {
			continue
		}
		if replays >= maxReplays {
			return // the next one that is done proceeds
		}
		switch e.stepFeed(s, sub, l, r, snapshot, shifts) {
		case reads:
			replays++
		case proceeds:
			again = true
		case rests:
		}
	}
	if again {
		e.tasks.Go(func() { e.proceed(s, l) })
	}
}

// What a feed does after a step.
type stride byte

const (
	rests    stride = iota
	reads           // a source, and proceeds when that is done
	proceeds        // at once
)

// stepFeed takes one feed further.
func (e *Engine) stepFeed(s *session, sub *Subscription, l *link, r *persistence.Result, snapshot *shared, shifts []*shift) stride {
	f := sub.feed
	s.box.mu.Lock()
	skip, busy, pace := s.box.online() != l || !f.whole, f.busy, f.pace
	trimmed, seen, most, shift := f.trimmed, f.seen, f.most, f.shift
	s.box.mu.Unlock()
	switch {
	case skip || pace == catching:
		return rests
	case busy:
		return reads
	case shift != nil && slices.Contains(shifts, shift):
		e.goOver(s, sub, l, r.Snapshot)
		return reads
	case shift != nil || pace == behind && trimmed && r.Snapshot == nil:
		return rests
	case pace == behind && trimmed:
		e.tellGap(s, sub, l, r, snapshot)
		return reads
	case pace == behind && (r.Seq-min(seen, r.Seq) > most || !e.catchUp(s, sub, l, r.Seq)):
		e.replay(s, sub, l, r.Seq)
		return reads
	case e.shift(s, sub, r.Seq, snapshot) != nil:
		return proceeds
	}
	return rests
}

// catchUp gives a feed everything up to a change, and makes it live. It reports
// whether the change log had all of it.
func (e *Engine) catchUp(s *session, sub *Subscription, l *link, upTo uint64) bool {
	b, f := s.box, sub.feed
	b.mu.Lock()
	if b.online() != l {
		b.mu.Unlock()
		return true // it is another connection's
	}
	f.pace = catching
	seen, told := f.seen, f.told()
	b.mu.Unlock()
	e.rejoin(s, sub)
	var failed error
	full := false
	for m, err := range e.h.Replay(sub.To, told, seen, upTo) {
		if failed = err; err != nil {
			break
		}
		if own := sub.request.noLocal() && m.From == s.id; m.Topic != "" && !own {
			e.deliver(m, sub.match(s), nil, nil, &e.tail)
		}
		if full = b.isCrowded(); full {
			break
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if f.pace != catching {
		return true // the client has gone meanwhile
	}
	if failed != nil || full {
		f.pace = behind
		return false // the link reads the rest, and meets the error, too
	}
	f.pace, f.seen = live, upTo
	return true
}

// isCrowded says whether so much waits that the client should read at its pace.
func (b *outbox) isCrowded() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes > b.engine.options().QueueBytes/4
}

// rejoin has the handler deliver to a subscription again, unless it has ended.
// The caller drains the store's tail, so that nothing is delivered meanwhile. Its
// feed is not behind any more: if the client goes now, and letGo pauses the
// subscription before this, the feed is behind again, and costs a little.
func (e *Engine) rejoin(s *session, sub *Subscription) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.subs[sub.request.topicFilter] != sub {
		return
	}
	if err := e.h.Join(s.id, sub.To, sub.Target, nil); err != nil { // it asks for no documents: the room is there
		e.log.Error("join again", "client", s.id, "topic_filter", clip(sub.To.Text), "error", err)
	}
}

// replay has the link read what a feed missed.
func (e *Engine) replay(s *session, sub *Subscription, l *link, upTo uint64) {
	f := sub.feed
	s.box.mu.Lock()
	seen, told := f.seen, f.told()
	s.box.mu.Unlock()
	src := newSource(sub, e.h.Replay(sub.To, told, seen, upTo), func() {})
	src.replays, src.noLocal, src.asPublished = true, sub.request.noLocal(), sub.request.asPublished()
	e.chain(s, l, src)
}

// tellGap has the link read a snapshot in place of what the change log does not
// have any more. A scope is live at once, as one that is new.
func (e *Engine) tellGap(s *session, sub *Subscription, l *link, r *persistence.Result, snapshot *shared) {
	s.box.mu.Lock()
	seen := sub.feed.seen
	next, kept, ok := e.h.Shift(s.box.rightsNow(), sub.To, s.box.storedTarget(sub.feed, r.Seq))
	s.box.mu.Unlock()
	if ok { // what the client knows is out of date, by whatever it was told
		if sub = e.exchange(s, sub, &shift{next: next, kept: kept, seq: r.Seq}, r.Snapshot); sub == nil {
			return
		}
	}
	snapshot.users.Add(1)
	if sub.Target.Kind == topics.Scope {
		e.goLive(s, sub, r)
		src := e.newFirst(s, sub, snapshot)
		if src.started = true; !s.box.addSource(src) {
			s.leaveUnfinished([]string{sub.To.Text})
		}
		return
	}
	src := newSource(sub, e.h.Gap(sub.To, sub.Target, seen, snapshot.snap), snapshot.release)
	src.complete, src.shifts = r.Seq, ok
	e.chain(s, l, src)
}

// chain adds a source after whose end the session proceeds.
func (e *Engine) chain(s *session, l *link, src *source) {
	f := src.feed
	src.started = true // SUBACK, or CONNACK, was written before
	src.done = func(err error) {
		f.busy, f.trimmed = false, errors.Is(err, persistence.ErrTrimmed)
		if f.most = min(2*f.most, maxCatchUp); src.complete > 0 {
			f.seen = src.complete
		}
		if src.shifts {
			f.shifted = src.complete
		}
		e.tasks.Go(func() { e.proceed(s, l) })
	}
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	if s.box.online() != l {
		src.stop()
		return
	}
	f.busy = true
	l.add(src)
}
