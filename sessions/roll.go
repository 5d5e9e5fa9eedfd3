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
	// InFlight of them wait for its acknowledgement.
	QueuedMessages, InFlight int
	Waiting                  time.Duration
	// Dropped messages were too many for it, and HeldUp is how often somebody who had a
	// message for it had to wait, since the session began or the server started.
	Dropped, HeldUp int64
	// Slow says that nobody waits for it any more: it has not kept pace.
	Slow bool
	// Fault is the last thing that the client was refused, or why the server has ended its
	// last connection. Nil if there was nothing since the process started.
	Fault *Fault
}

// A Fault is something that a client was refused.
type Fault struct {
	At time.Time
	// Topic is the topic or the topic filter that it is about, or "".
	Topic string
	Code  byte
	Text  string
}

// A Subscribed is one subscription of a session.
type Subscribed struct {
	TopicFilter string
	QoS         byte
	// Room is the hash of the room or the scope that it is for, or "".
	Room string
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

// Look returns the entry of one session, and what it has subscribed to, by topic filter.
func (e *Engine) Look(clientID string) (Entry, []Subscribed, bool) {
	s := e.session(clientID)
	if s == nil {
		return Entry{}, nil, false
	}
	s.mu.Lock()
	held := make([]Subscribed, 0, len(s.subs))
	for topicFilter, sub := range s.subs {
		held = append(held, Subscribed{topicFilter, sub.qos(), sub.Target.Hash})
	}
	s.mu.Unlock()
	slices.SortFunc(held, func(a, b Subscribed) int { return cmp.Compare(a.TopicFilter, b.TopicFilter) })
	return s.entry(), held, true
}

// fails notes that the client was refused something.
func (s *session) fails(topic string, why *Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = &Fault{time.Now().UTC(), clip(topic), why.Code, clip(why.Text)}
}

func (s *session) entry() Entry {
	s.mu.Lock()
	r := Entry{
		ClientID: s.id, User: s.record.User, Version: s.record.ProtocolVersion, Subscriptions: len(s.subs), Rooms: s.rooms,
		Since: s.record.DisconnectedAt, Fault: s.fault,
	}
	if c := s.client; c != nil {
		r.Connected, r.Remote, r.Listener, r.Version, r.Since = true, c.Remote.String(), c.Via.Name, c.Version, c.since
	}
	s.mu.Unlock()
	d := s.box.depth(time.Now())
	r.QueuedMessages, r.QueuedBytes, r.Waiting = d.messages, d.bytes, d.waiting
	r.Dropped, r.HeldUp, r.Slow = d.toll.dropped, d.toll.heldUp, d.slow
	r.InFlight = d.inFlight
	return r
}
