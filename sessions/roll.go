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
}

// Roll returns an entry for each session, by client identifier.
func (e *Engine) Roll() []Entry {
	e.mu.RLock()
	sessions := make([]*session, 0, len(e.sessions))
	for _, s := range e.sessions {
		sessions = append(sessions, s)
	}
	e.mu.RUnlock()
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
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	r.QueuedBytes = s.box.bytes
	return r
}
