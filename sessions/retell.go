package sessions

import (
	"errors"
	"slices"
	"time"

	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// A scope says of each document what it is now. If messages of one are shed, the last one
// of a document may be among them, and what the client knows of it would be wrong until
// the next one. So it is told a snapshot again, once it keeps pace.

const (
	// retellDelay is how long a client has to come to keep pace.
	retellDelay = time.Second
	// retellInterval is how often it is told again at most: a snapshot is a load, too.
	retellInterval = 10 * time.Second
)

// misses notes that a message is shed, for a client that is there. The caller holds b.mu.
func (b *outbox) misses(d delivery) {
	b.shed()
	f := d.feed
	if f == nil || f.target.Kind != topics.Scope {
		return
	}
	if seq := max(1, d.m.Seq); f.missing == 0 || seq < f.missing {
		f.missing = seq
	}
	b.retellSoon()
}

// retellSoon has the client told again what it missed. The caller holds b.mu.
func (b *outbox) retellSoon() {
	if b.retelling {
		return
	}
	b.retelling = true
	now := time.Now()
	at := now.Add(retellDelay)
	if next := b.retold.Add(retellInterval); next.After(at) {
		at = next
	}
	b.engine.schedule.at(at, func() {
		b.engine.tasks.Go(func() { b.engine.retell(b) })
	})
}

// retell tells a client again the scopes of which it missed something, if it keeps pace,
// and else looks again later. If it has gone, it is told when it is back: see
// [outbox.suspend].
func (e *Engine) retell(b *outbox) {
	s := e.session(b.id)
	if s == nil || s.box != b {
		return
	}
	s.keeping.Lock() // nobody subscribes or unsubscribes meanwhile
	defer s.keeping.Unlock()
	subs := s.subscriptions()
	b.mu.Lock()
	b.retelling = false
	l := b.online()
	subs = slices.DeleteFunc(subs, func(sub *Subscription) bool { return sub.feed == nil || sub.feed.missing == 0 })
	if l == nil || len(subs) == 0 {
		b.mu.Unlock()
		return
	}
	if len(b.queue) > 0 || len(l.sources) > 0 {
		b.retellSoon()
		b.mu.Unlock()
		return
	}
	b.retold = time.Now()
	b.mu.Unlock()
	if err := e.tellFirst(s, subs, &persistence.Op{}); err != nil {
		if !errors.Is(err, persistence.ErrClosed) {
			e.log.Error("tell a scope again", "client", b.id, "error", err)
		}
		return
	}
	b.startSources()
}
