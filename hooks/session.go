package hooks

import (
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// A session is what Ambit knows of one client identifier, connected or not.
type session struct {
	id  string
	box *outbox
	// pending counts the publishes of the client that wait for the disk. As long
	// as there are any, later ones queue up behind them, so that all are
	// acknowledged in order [MQTT-4.6.0-2].
	pending atomic.Int32

	mu     sync.Mutex // guards what follows
	record persistence.Session
	// persistent says that it outlives its connection, and the process.
	persistent bool
	client     *mqtt.Client // nil while it is away
	ended      bool
	subs       map[string]*subscription // by topic filter as typed
	// asking are the parts of the SUBSCRIBE that is in progress.
	asking []request
	// unfinished are the topic filters whose snapshot the last connection did not
	// get to its end.
	unfinished []string
	// received are the QoS 2 publishes of the client that await its PUBREL, by
	// packet identifier. mochi's own map of them can lock up the process.
	received map[uint16]*publication
	// will is the message that the connection leaves behind, and willTimer its
	// delay once the connection is gone.
	will      *message
	willDelay time.Duration
	willTimer *time.Timer
	// refusals counts the refused publishes since the last one that was logged.
	refusals   int
	refusalLog time.Time
}

// A subscription is one topic filter that a session subscribed to.
type subscription struct {
	to     topics.Filter
	filter *filter.Filter // of a room or a scope
	hash   string         // of a room or a scope
	qos    byte
	ids    []int
	opts   packets.Subscription
}

// isRoom says whether the rooms engine knows the subscription.
func (s *subscription) isRoom() bool { return s.to.Kind == topics.Room || s.to.Kind == topics.Scope }

// record returns the subscription as the store keeps it.
func (s *subscription) record(client string, text string) persistence.Record {
	r := persistence.Subscription{
		ClientID: client, TopicFilter: text, QoS: s.qos,
		NoLocal: s.opts.NoLocal, RetainAsPublished: s.opts.RetainAsPublished,
		RetainHandling: s.opts.RetainHandling, Identifier: uint32(s.opts.Identifier),
	}
	if s.filter != nil {
		r.Filter = []byte(s.filter.String())
	}
	return persistence.PutSubscription(r)
}

// sub returns the subscription with this topic filter.
func (s *session) sub(topicFilter string) *subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.subs[topicFilter]
}

// begin returns the session for a CONNECT: the one that is there, or a new one
// if there is none or the client wants a clean start. It reports whether an old
// session was on disk and must go. mochi decides by the same rule what it
// answers as Session Present.
func (h *Hook) begin(cl *mqtt.Client, clean, persistent bool) (s *session, stale bool) {
	h.mu.Lock()
	old := h.sessions[cl.ID]
	if old != nil && !clean && old.resume(persistent) {
		h.mu.Unlock()
		return old, !persistent
	}
	s = newSession(h, cl.ID, persistent)
	h.sessions[cl.ID] = s
	h.mu.Unlock()
	if old == nil {
		return s, false
	}
	h.leaveAll(old)
	return s, old.persistent
}

func newSession(h *Hook, id string, persistent bool) *session {
	return &session{
		id: id, persistent: persistent, box: newOutbox(h),
		subs: map[string]*subscription{}, received: map[uint16]*publication{},
	}
}

// resume makes a session go on with another connection, if it may.
func (s *session) resume(persistent bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.record.Clean && s.record.ProtocolVersion < 5 {
		return false
	}
	s.persistent = persistent
	return true
}

// keep notes what the store is to know of the session, and returns it.
func (s *session) keep(change func(*persistence.Session)) persistence.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.record)
	return persistence.PutSession(s.record)
}

// end forgets a session: it leaves its rooms, and its will is due.
func (h *Hook) end(s *session) {
	h.mu.Lock()
	if h.sessions[s.id] == s {
		delete(h.sessions, s.id)
	}
	h.mu.Unlock()
	h.leaveAll(s)
}

// leaveAll takes an ended session out of its rooms, and from the connection
// that it may still have. A will that still waits is
// due: the session ends before its delay has passed [MQTT-3.1.3-9].
func (h *Hook) leaveAll(s *session) {
	s.mu.Lock()
	subs, client := s.subs, s.client
	s.subs, s.client, s.ended = map[string]*subscription{}, nil, true
	s.stopWill(h)
	s.mu.Unlock()
	s.box.close(client)
	for _, sub := range subs {
		if sub.isRoom() {
			h.rooms.Leave(s.id, sub.to, sub.hash)
		}
	}
	h.publishWill(s)
}
