// Package hooks is where MQTT packets become calls, and errors become reason
// codes. It is the one hook that decides in the MQTT server; everything above
// it is ignorant of which server that is.
//
// mochi decodes packets and keeps CONNECT, keep-alive and the topic tree.
// Everything that goes out to a client as PUBLISH, every acknowledgement, and
// both halves of QoS 2 go through the outbox of its session instead: see
// [outbox] for the reasons.
package hooks

import (
	"log/slog"
	"net"
	"sync"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/rooms"
	"github.com/ambitmq/ambit/topics"
)

// Options are the settings of a [Hook]. They are not written after [New].
type Options struct {
	Topics    topics.Limits
	Documents filter.DocumentLimits
	Filters   filter.Limits
	// UserProperties is how many a packet may have.
	UserProperties int
	// TopicAliases and PacketBytes are told to clients in CONNACK.
	TopicAliases uint16
	PacketBytes  uint32
	// QueueBytes bounds what waits for one client.
	QueueBytes int
	// WriteTimeout is how long a client may leave its queue full.
	WriteTimeout time.Duration
	// SessionExpiry is the longest that an absent client's session is kept.
	SessionExpiry time.Duration
	// AutoCreate lets any index and collection hold documents.
	AutoCreate bool
	// Collections are the declared ones, by "<index>/<collection>".
	Collections map[string]Collection
	// AllowRemote lets clients from other machines in without signing in.
	AllowRemote bool
	// Log gets what an operator should know.
	Log *slog.Logger
}

// A Collection has the settings of one collection.
type Collection struct {
	// Strict refuses what is not a JSON object.
	Strict bool
}

// A Hook serves the clients of one MQTT server. Its methods are called by the
// server, concurrently for different clients.
type Hook struct {
	mqtt.HookBase
	opts   Options
	log    *slog.Logger
	server *mqtt.Server
	store  *persistence.Store
	rooms  *rooms.Engine
	// timers are those of delayed wills, writers those of outboxes.
	timers, writers sync.WaitGroup

	// turns orders connections with the same client identifier.
	turns *turns

	mu       sync.RWMutex // guards what follows
	sessions map[string]*session
	conns    map[net.Conn]*mqtt.Client // between OnSessionEstablish and Closed
	draining bool
}

var _ rooms.Publisher = (*Hook)(nil)

// New returns the hook of server, which keeps documents and sessions in store.
// The caller adds it to the server, calls [Hook.Restore] before it serves, and
// drains the store's tail into [Hook.Apply]. It calls [Hook.Closed] for every
// connection that it gave the server.
func New(server *mqtt.Server, store *persistence.Store, o Options) *Hook {
	h := &Hook{
		opts: o, log: o.Log, server: server, store: store, turns: newTurns(),
		sessions: map[string]*session{}, conns: map[net.Conn]*mqtt.Client{},
	}
	h.rooms = rooms.New(store.NodeID(), h)
	return h
}

// ID names the hook in the server's logs.
func (h *Hook) ID() string { return "ambit" }

// Provides says which events the hook wants. mochi asks for every event of
// every packet.
func (h *Hook) Provides(event byte) bool {
	switch event {
	case mqtt.OnConnect, mqtt.OnConnectAuthenticate, mqtt.OnACLCheck,
		mqtt.OnSessionEstablish, mqtt.OnSessionEstablished, mqtt.OnDisconnect, mqtt.OnClientExpired,
		mqtt.OnPacketRead, mqtt.OnPacketEncode, mqtt.OnPacketProcessed, mqtt.OnPublish, mqtt.OnRetainedExpired,
		mqtt.OnSubscribe, mqtt.OnSubscribed, mqtt.OnUnsubscribe, mqtt.OnUnsubscribed:
		return true
	}
	return false
}

// Apply takes one result from the store's tail: it notifies rooms of the
// change, and then does what the operation's author waits for. One goroutine
// calls it, in the order of the tail.
func (h *Hook) Apply(r *persistence.Result) {
	if r.Change != nil {
		if err := h.rooms.Apply(r.Change); err != nil {
			h.log.Error("notify", "error", err)
		}
	}
	r.Apply()
}

// Drain makes the disconnects that follow those of a broker that stops: no
// wills are published for them, and nobody is let in any more.
func (h *Hook) Drain() {
	h.mu.Lock()
	h.draining = true
	sessions := make([]*session, 0, len(h.sessions))
	for _, s := range h.sessions {
		sessions = append(sessions, s)
	}
	h.mu.Unlock()
	for _, s := range sessions {
		s.mu.Lock()
		s.stopWill(h)
		s.mu.Unlock()
	}
}

func (h *Hook) isDraining() bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.draining
}

// Wait waits for what the hook has started. It returns once every connection
// is closed, and before the store may be.
func (h *Hook) Wait() {
	h.timers.Wait()
	h.writers.Wait()
}

// Rooms returns the number of rooms.
func (h *Hook) Rooms() int { return h.rooms.Len() }

// session returns the session of a client identifier.
func (h *Hook) session(id string) *session {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.sessions[id]
}

// OnACLCheck lets everything pass: publishes are checked in OnPublish, where
// topic aliases are resolved, and subscriptions in OnSubscribe.
func (h *Hook) OnACLCheck(*mqtt.Client, string, bool) bool { return true }
