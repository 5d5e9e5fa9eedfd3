package hooks

import (
	"slices"
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
	// pending counts the publishes of the client that are in the pipeline. As long
	// as there are any, later ones queue up behind them, so that all are
	// acknowledged and delivered in order [MQTT-4.6.0-2], [MQTT-4.6.0-6].
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

// begin returns the session for a CONNECT: the one that is there, which is
// resumed, or a new one if there is none or the client wants a clean start.
// stored says that there was one before that outlived its connections. mochi
// decides by the same rule what it answers as Session Present.
func (h *Hook) begin(cl *mqtt.Client, clean, persistent bool) (s *session, resumed, stored bool) {
	old := h.session(cl.ID)
	if old != nil {
		old.mu.Lock()
		stored = old.persistent
		resumed = !clean && !old.ended && (!old.record.Clean || old.record.ProtocolVersion == 5)
		if resumed {
			old.persistent = persistent
		}
		old.mu.Unlock()
	}
	if resumed {
		return old, true, stored
	}
	if old != nil {
		h.leaveAll(old)
	}
	s = newSession(h, cl.ID, persistent)
	h.mu.Lock()
	h.sessions[cl.ID] = s
	h.mu.Unlock()
	return s, false, stored
}

func newSession(h *Hook, id string, persistent bool) *session {
	return &session{
		id: id, persistent: persistent, box: newOutbox(h),
		subs: map[string]*subscription{}, received: map[uint16]*publication{},
	}
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
// that it may still have. A will that still waits is due: the session ends
// before its delay has passed [MQTT-3.1.3-9].
func (h *Hook) leaveAll(s *session) {
	s.mu.Lock()
	subs, client := s.subs, s.client
	s.subs, s.client, s.ended = map[string]*subscription{}, nil, true
	s.stopWill(h)
	s.mu.Unlock()
	if client != nil {
		s.retire(client)
	}
	for _, sub := range subs {
		if sub.isRoom() {
			h.rooms.Leave(s.id, sub.to, sub.hash)
		}
	}
	h.publishWill(s)
}

// retire takes the session from a connection that another one replaces. mochi
// closes it, after a DISCONNECT that MQTT 3.1.1 does not know. A stalled one must
// not keep its successor waiting for long.
func (s *session) retire(old *mqtt.Client) (unfinished []string) {
	_ = old.Net.Conn.SetWriteDeadline(time.Now().Add(takeOverTimeout)) // it fails when the connection is gone
	if old.Properties.ProtocolVersion < 5 {
		old.Stop(packets.ErrSessionTakenOver)
	}
	return s.box.close(old)
}

// has says whether the session is that of a connection.
func (s *session) has(cl *mqtt.Client) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.client == cl
}

// connected says whether the session has a connection.
func (s *session) connected() bool { return !s.has(nil) }

// subscriptionRecords returns all subscriptions as the store keeps them.
func (s *session) subscriptionRecords() []persistence.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	var records []persistence.Record
	for text, sub := range s.subs {
		records = append(records, sub.record(s.id, text))
	}
	return records
}

// leaveUnfinished notes the topic filters of snapshots that were cut off.
func (s *session) leaveUnfinished(topicFilters []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unfinished = append(s.unfinished, topicFilters...)
}

// takeUnfinished returns the subscriptions whose snapshot must be sent again:
// those that were cut off, and all scopes if messages were lost.
func (s *session) takeUnfinished(lost bool) []*subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	var subs []*subscription
	for _, sub := range s.subs {
		if slices.Contains(s.unfinished, sub.to.Text) || lost && sub.to.Kind == topics.Scope {
			subs = append(subs, sub)
		}
	}
	s.unfinished = nil
	return subs
}
