package sessions

import (
	"errors"
	"iter"
	"slices"
	"sync/atomic"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/persistence"
)

// A source is what a new subscription is told first: the documents in scope, or
// the retained messages. The link's goroutine pulls it at the client's pace, one
// batch at a time, so that it has no size.
//
// Messages that arrive meanwhile are newer than the snapshot. They go out as
// they come; the source then leaves the same topic out.
type source struct {
	topicFilter string
	qos         byte
	ids         []byte
	messages    iter.Seq2[*Message, error]
	release     func()
	// next and end come with the first pull: most sources have nothing to tell, and
	// one that waits is to cost little.
	next func() (*Message, error, bool)
	end  func()
	// feed is that of a room or a scope, else nil. done is called at the end of what
	// is not a new subscription's snapshot, under the outbox's mutex.
	feed *feed
	done func(error)
	// replays says that the source is the past of the feed, without the messages of
	// the client itself if noLocal; complete is the change as of which a snapshot is
	// all of a room, or 0.
	replays, noLocal, asPublished bool
	complete                      uint64
	// shifts says that the source is the difference that a shift makes; after, which may
	// be nil, is called at the end of a new subscription's snapshot, under the outbox's mutex.
	shifts bool
	after  func()

	// Under the outbox's mutex:
	started   bool            // it may be pulled
	overtaken map[string]bool // topics that a newer message went out on
	ahead     int             // how many messages in the queue go before it
	cancelled bool
}

// newSource returns a source of messages for one subscription. release is
// called once, when no more of it is needed.
func newSource(sub *Subscription, messages iter.Seq2[*Message, error], release func()) *source {
	return &source{
		topicFilter: sub.To.Text, qos: sub.qos(), ids: sub.ids, overtaken: map[string]bool{},
		messages: messages, release: release, feed: sub.feed,
	}
}

// newFirst returns the source of what a new subscription is told first. A scope that is
// to shift does so behind that.
func (e *Engine) newFirst(s *session, sub *Subscription, snapshot *shared) *source {
	src := newSource(sub, e.first(s, sub, snapshot.snap), snapshot.release)
	src.after = func() {
		if l := s.box.online(); l != nil && e.differs(s, sub) {
			e.tasks.Go(func() { e.proceed(s, l) })
		}
	}
	return src
}

func (s *source) begin() {
	if s.next == nil {
		s.next, s.end = iter.Pull2(s.messages)
	}
}

func (s *source) stop() {
	if s.end != nil {
		s.end()
	}
	s.release()
}

// addSource makes the outbox send a source once it is started, in place of one
// for the same topic filter. It reports whether the client was still there and
// did not read too many already; if not, the source is stopped.
func (b *outbox) addSource(s *source) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.online()
	if l == nil || len(l.sources) >= maxSources {
		s.stop()
		return false
	}
	l.add(s)
	return true
}

// add makes a source the one of its topic filter.
func (l *link) add(s *source) {
	l.drop(s.topicFilter)
	if s.feed != nil {
		s.ahead = len(l.box.queue)
	}
	l.sources = append(l.sources, s)
	if s.started {
		l.wake()
	}
}

// awaitSources waits until the client reads few enough snapshots that those of
// these subscriptions may come, too. It returns false if that does not come by
// itself: when the client has to acknowledge messages first.
func (b *outbox) awaitSources(subs []*Subscription) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		l := b.online()
		if l == nil || l.reading(subs)+len(subs) <= maxSources {
			return true
		}
		if len(subs) > maxSources || !l.working {
			return false
		}
		b.changed.Wait()
	}
}

// reading returns how many snapshots the client reads now, besides those that
// these subscriptions replace.
func (l *link) reading(replacing []*Subscription) int {
	n := len(l.sources)
	if n+len(replacing) <= maxSources {
		return n
	}
	for _, sub := range replacing {
		if slices.ContainsFunc(l.sources, func(s *source) bool { return s.topicFilter == sub.To.Text }) {
			n--
		}
	}
	return n
}

// startSources lets what was added be pulled.
func (b *outbox) startSources() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.online(); l != nil {
		for _, s := range l.sources {
			s.started = true
		}
		l.wake()
	}
}

// dropSource ends the source of a topic filter.
func (b *outbox) dropSource(topicFilter string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.online(); l != nil {
		l.drop(topicFilter)
	}
}

func (l *link) drop(topicFilter string) {
	for _, s := range l.sources {
		if s.topicFilter == topicFilter {
			l.cancel(s)
			return
		}
	}
}

// cancel removes a source. One that is being pulled is stopped by the puller.
func (l *link) cancel(s *source) {
	s.cancelled = true
	l.sources = slices.DeleteFunc(l.sources, func(other *source) bool { return other == s })
	if l.pulling != s {
		s.stop()
	}
}

// advance notes that messages have left the queue before a place in it.
func (l *link) advance(place, messages int) {
	for _, s := range l.sources {
		if place < s.ahead {
			s.ahead = max(0, s.ahead-messages)
		}
	}
}

// source returns the one that may be pulled now, or nil.
func (l *link) source() *source {
	b := l.box
	if len(l.sources) == 0 || b.resend > 0 && !b.held() || b.bytes >= b.engine.options().QueueBytes/2 {
		return nil
	}
	for _, s := range l.sources {
		if s.started && s.ahead == 0 && l.fits(s.qos) && (b.resend == 0 || s.feed != nil && s.qos == 2) {
			return s
		}
	}
	return nil
}

// pull encodes a batch of a source. Only the link's goroutine pulls, and not
// under the mutex, since it reads the store.
func (l *link) pull(s *source) {
	s.begin()
	for more := true; more; {
		m, err, ok := s.next()
		more = l.offer(s, m, err, ok && err == nil)
		if err != nil && (s.done == nil || !errors.Is(err, persistence.ErrTrimmed)) {
			l.box.engine.log.Error("snapshot", "client", l.box.id, "topic_filter", s.topicFilter, "error", err)
			l.box.mu.Lock()
			l.end(&Error{packets.ErrUnspecifiedError.Code, "the snapshot cannot be read"}) // so that it subscribes again
			l.box.mu.Unlock()
		}
	}
	l.box.mu.Lock()
	defer l.box.mu.Unlock()
	l.pulling = nil
	if s.cancelled {
		s.stop()
	}
}

// offer encodes one message of a source, unless a newer one went out on its
// topic. It reports whether the source may be pulled again now.
func (l *link) offer(s *source, m *Message, err error, ok bool) bool {
	b := l.box
	b.mu.Lock()
	defer b.mu.Unlock()
	if !ok && !s.cancelled {
		l.cancel(s)
		s.finish(err)
	}
	if s.cancelled {
		return false
	}
	if s.replays {
		s.feed.seen = m.Seq
	}
	if m.Topic == "" {
		return false // what others have appended is written before it goes on
	}
	if s.overtaken[m.Topic] || s.replays && s.noLocal && m.From == b.id {
		return true
	}
	d := delivery{m: m, qos: min(m.QoS, s.qos), retain: m.Retain && (!s.replays && !s.shifts || s.asPublished), ids: s.ids, feed: s.feed}
	if m.Last {
		b.queue = append(b.queue, d) // behind what has overtaken the snapshot
		b.bytes += m.size()
		l.next()
		return true
	}
	l.dispatch(d)
	return l.source() == s
}

// finish notes the end of a source that was not cancelled.
func (s *source) finish(err error) {
	switch {
	case s.done != nil:
		s.done(err)
	case s.feed != nil && err == nil:
		s.feed.whole = true
		if s.after != nil {
			s.after()
		}
	}
}

// A shared snapshot is closed after the last of its users.
type shared struct {
	snap  *persistence.Snapshot
	users atomic.Int32
}

// newShared returns a snapshot with one user. It may be nil.
func newShared(snap *persistence.Snapshot) *shared {
	s := &shared{snap: snap}
	s.users.Store(1)
	return s
}

func (s *shared) release() {
	if s.users.Add(-1) == 0 && s.snap != nil {
		s.snap.Close()
	}
}
