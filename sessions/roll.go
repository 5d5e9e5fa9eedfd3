package sessions

import (
	"cmp"
	"slices"
	"time"
)

// An Entry says what there is of one session.
type Entry struct {
	ClientID, User string
	Version        byte
	Connected      bool
	// Remote and Listener are those of the connection.
	Remote, Listener string
	// Since is when the connection was made, or ended.
	Since                             time.Time
	Subscriptions, Rooms, QueuedBytes int
	// QueuedMessages wait for the client, and Waiting is for how long it has taken nothing
	// of what waits, if it is there.
	QueuedMessages int
	Waiting        time.Duration
	// Dropped messages were too many for it, and HeldUp is how often somebody who had a
	// message for it had to wait, since the session began or the server started.
	Dropped, HeldUp int64
	// Slow says that nobody waits for it any more: it has not kept pace.
	Slow bool
}

// A toll is what a client that does not keep pace has cost.
type toll struct{ dropped, heldUp int64 }

// Roll returns an entry for each session, by client identifier.
func (e *Engine) Roll() []Entry {
	sessions := e.everySession()
	entries := make([]Entry, len(sessions))
	for i, s := range sessions {
		entries[i] = s.entry()
	}
	slices.SortFunc(entries, func(a, b Entry) int { return cmp.Compare(a.ClientID, b.ClientID) })
	return entries
}

func (s *session) entry() Entry {
	s.mu.Lock()
	r := Entry{
		ClientID: s.id, User: s.record.User, Version: s.record.ProtocolVersion, Subscriptions: len(s.subs), Rooms: s.rooms,
		Since: s.record.DisconnectedAt,
	}
	if c := s.client; c != nil {
		r.Connected, r.Remote, r.Listener, r.Version, r.Since = true, c.Remote.String(), c.Via.Name, c.Version, c.since
	}
	s.mu.Unlock()
	d := s.box.depth(time.Now())
	r.QueuedMessages, r.QueuedBytes, r.Waiting = d.messages, d.bytes, d.waiting
	r.Dropped, r.HeldUp, r.Slow = d.toll.dropped, d.toll.heldUp, d.slow
	return r
}
