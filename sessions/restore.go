package sessions

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ambitmq/ambit/persistence"
)

// Restore brings back what must be in memory of what outlives the process: sessions
// with their subscriptions. It is called once, before any client is
// served.
func (e *Engine) Restore() error {
	if err := e.h.Restore(); err != nil {
		return fmt.Errorf("sessions: restore: %w", err)
	}
	snap := e.store.Snapshot()
	e.applied.Store(snap.Seq())
	snap.Close()
	now := time.Now()
	var gone leftovers
	for record, err := range e.store.Sessions() {
		switch {
		case err != nil:
			return fmt.Errorf("sessions: restore: %w", err)
		case expired(record, now):
			gone.session(record.ClientID)
			if record.Will != nil {
				gone.wills = append(gone.wills, e.willOf(record))
			}
		default:
			e.restoreSession(record, now)
		}
	}
	for record, err := range e.store.Subscriptions() {
		if err != nil {
			return fmt.Errorf("sessions: restore subscriptions: %w", err)
		}
		if err := e.restoreSubscription(record); err != nil {
			e.log.Error("subscription lost", "client", record.ClientID, "topic_filter", record.TopicFilter, "error", err)
		}
	}
	if err := e.restoreMessages(&gone); err != nil {
		return fmt.Errorf("sessions: restore messages: %w", err)
	}
	e.restoreDates(now)
	for _, will := range gone.wills { // the session ends before its delay has passed
		e.publishWill(will.From, will)
	}
	if len(gone.records) == 0 {
		return nil
	}
	return e.submit(&persistence.Op{Records: gone.records})
}

// leftovers are what the store has and nobody needs any more.
type leftovers struct {
	records  []persistence.Record
	wills    []*Message
	sessions map[string]bool
}

// session leaves all of a session, once.
func (l *leftovers) session(id string) {
	if !l.sessions[id] {
		if l.sessions == nil {
			l.sessions = map[string]bool{}
		}
		l.sessions[id] = true
		l.records = append(l.records, persistence.DeleteSession(id))
	}
}

// expired says whether a session's time was over while nobody was here to see.
func expired(r persistence.Session, now time.Time) bool {
	if r.DisconnectedAt.IsZero() {
		return false
	}
	return now.Sub(r.DisconnectedAt) > time.Duration(r.ExpirySeconds)*time.Second
}

// restoreSession makes a session without a connection.
func (e *Engine) restoreSession(r persistence.Session, now time.Time) {
	if r.DisconnectedAt.IsZero() {
		r.DisconnectedAt = now // it was connected when the process ended
	}
	s := e.newSession(r.ClientID, true)
	s.record = r
	s.box.grant(e.h.Rights(r.ClientID, r.User, r.Identity))
	s.box.life.Store(r.Life)
	e.mu.Lock()
	e.sessions[r.ClientID] = s
	e.mu.Unlock()
}

// restoreDates has restored sessions end after what is left of their time, and their
// wills published. They may be due at once, and what a will is for is all back now.
func (e *Engine) restoreDates(now time.Time) {
	for _, s := range slices.Collect(maps.Values(e.sessions)) { // of which some are about to end
		left := time.Duration(s.record.ExpirySeconds)*time.Second - now.Sub(s.record.DisconnectedAt)
		e.restoreWill(s)
		e.expireAfter(s, left)
	}
}

// restoreSubscription subscribes a restored session again.
func (e *Engine) restoreSubscription(r persistence.Subscription) error {
	s := e.session(r.ClientID)
	if s == nil {
		return nil // it has expired
	}
	sub, err := e.read(nil, requestOf(r), r.Identifier, r.Filter)
	if err != nil {
		return err
	}
	sub.Target.Volatile = r.Volatile
	sub.feed = e.feedOf(s, sub, nil)
	if err := e.join(s, sub, e.store); err != nil {
		return err
	}
	if sub.feed != nil {
		sub.feed.restore(mark{r.Seen, r.HasSeen, string(r.Filter)}, e.applied.Load())
	}
	if sub.resumes() {
		e.h.Pause(s.id, sub.To, sub.Target)
	}
	return nil
}

// restore puts a feed where the store has it. A scope of which the store does
// not know that the client has it all is told again from the beginning.
func (f *feed) restore(m mark, applied uint64) {
	f.pace, f.seen, f.whole, f.most = live, applied, true, catchUpChanges
	if f.resumes {
		f.pace, f.seen, f.base, f.whole, f.stored = behind, m.seen, m.seen, m.ok, m
	}
}

// requestOf returns the request that a stored subscription was.
func requestOf(r persistence.Subscription) request {
	options := r.QoS | r.RetainHandling<<4
	if r.NoLocal {
		options |= 4
	}
	if r.RetainAsPublished {
		options |= 8
	}
	return request{topicFilter: r.TopicFilter, options: options}
}
