// Package sessions is the MQTT engine: connections, sessions with their queues
// and packet identifiers, the tree of topic filters, and what a subscription is told
// first.
//
// It knows what MQTT says and nothing of what Ambit adds: a [Handler] says what
// is let in, which messages are documents, and what a topic filter that is no
// plain one is about.
package sessions

import (
	"iter"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ambitmq/ambit/limits"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// A Handler gives packets their meaning. Its methods are called concurrently
// for different clients. An error that is an [*Error] is told with its code.
type Handler interface {
	// Admit says whether a client may connect that names no method of
	// authentication.
	Admit(c *Client) error
	// Authenticate begins an exchange by such a method: before the client may
	// connect, and again whenever it wants.
	Authenticate(c *Client, method string) (Exchange, error)
	// Name says what a topic means that a client may publish on.
	Name(topic string) (topics.Name, error)
	// Still says whether a client that was let in may stay. It is asked when the client
	// is known to [Engine.Recheck], and by that.
	Still(c *Client) error
	// Document returns the change that a message makes to a document, or nil if it
	// is an ordinary message. name is what its topic means. The message stays as
	// it is only until Document returns; what the change needs of it is to be kept. The
	// change is refused, here or when it is made, if by is not nil and may not.
	Document(by Rights, name topics.Name, m *Message) (*persistence.Write, error)
	// Stored returns what the store keeps of who a client is, if its session outlives it.
	Stored(c *Client) []byte
	// Rights returns what somebody may do of whom the store has kept this.
	Rights(client, user string, stored []byte) Rights
	// Heir returns the rights by which the will of a client is published, whenever that is, and
	// HeirOf those of somebody of whom the store has kept this: of who that is by then, if it
	// would be let in.
	Heir(c *Client) Rights
	HeirOf(client, user string, stored []byte) Rights
	// Subject returns what Rights are to know of the document that a message is about:
	// see [Message.Subject].
	Subject(doc *persistence.Document) any
	// Tell returns what tells the rooms of a collection of a message on its topic,
	// or nil if nobody is to be told. Whoever drains the store's tail calls that. The
	// message stays as it is only until Tell returns.
	Tell(name topics.Name, m *Message) func(kept *Message)
	// Request returns the answer to a request of a client, of so many bytes at most.
	// The client waits for it, and its later packets do.
	Request(c *Client, m *Message, most int) []byte
	// Resolve finds what a topic filter is about for somebody, and whether it may be
	// subscribed to. remembered is the content filter that the store has for it, or nil.
	Resolve(by Rights, to topics.Filter, remembered []byte) (Target, error)
	// Restore is called once, before anything else, by [Engine.Restore].
	Restore() error
	// Connected and Disconnected are told of each connection of a client that is let
	// in, in order. Resumed says that its session goes on. While Disconnected is called,
	// and later, the client has no subscription that ends with its session.
	Connected(c *Client, resumed bool)
	Disconnected(c *Client, why Parting)
	// Join has the handler deliver to a session what a target is about, from the
	// next change on, under the topic filter to; docs are the documents up to then.
	// Leave ends that. Pause has nothing delivered until it joins again, for which
	// there are no docs; the target is kept.
	Join(client string, to topics.Filter, t Target, docs Documents) error
	Pause(client string, to topics.Filter, t Target)
	Leave(client string, to topics.Filter, t Target)
	// First yields what a scope holds as of a snapshot, or what a presence is, for a client.
	// What it was told of a scope before goes with the target t, and since: it is told what
	// has left after that change, too.
	First(client string, to topics.Filter, t Target, since uint64, snap *persistence.Snapshot) iter.Seq2[*Message, error]
	// Replay yields what a target is told of the changes after one up to another,
	// read from the change log; a message without a topic says only how far that
	// is. Its error is persistence.ErrTrimmed if the log does not go back that far.
	Replay(to topics.Filter, t Target, after, upTo uint64) iter.Seq2[*Message, error]
	// Shift says whether a subscription of somebody, of what was told by a target, is to be told by
	// another one from now on: next. While it goes over to that, its client may have been
	// told by either: over is such a target, by which it is told again what it missed.
	Shift(by Rights, to topics.Filter, told Target) (next, over Target, ok bool)
	// Difference yields what it is told when it goes over, as of a snapshot.
	Difference(to topics.Filter, over Target, snap *persistence.Snapshot) iter.Seq2[*Message, error]
	// Gap yields what a room is told instead, as of a snapshot, or a scope before what it
	// holds.
	Gap(to topics.Filter, t Target, from uint64, snap *persistence.Snapshot) iter.Seq2[*Message, error]
}

// A Target is what a topic filter is about, beyond the topics that it matches.
// The zero value is nothing.
type Target struct {
	// Kind may differ from that of the topic filter: the same text may be a room
	// while it has members, and else a document.
	Kind topics.Kind
	// Options are those of a room.
	Options topics.Options
	// Hash names a room.
	Hash string
	// Filter is its content filter as the store remembers it.
	Filter string
	// Cost is what its conditions cost, of [Quotas].RoomCost.
	Cost int
	// Volatile is the user property of this name of the SUBSCRIBE or UNSUBSCRIBE, or
	// nil.
	Volatile []byte
	// NamesDocuments says that Join will ask for documents.
	NamesDocuments bool
	// Lost says, of one by which a subscription goes over, that its client has been told
	// by too many others: it is told of a gap instead.
	Lost bool
	// Content is the handler's own.
	Content any
}

// Documents are those of the store at one moment.
type Documents interface {
	// Get returns persistence.ErrNotFound for a document that is not there.
	Get(persistence.Key) (*persistence.Document, error)
}

var _ Documents = (*persistence.Snapshot)(nil)

// Options are the settings of an [Engine]. They are not written after [New] or [Engine.Reload].
type Options struct {
	Topics topics.Limits
	// UserProperties is how many a packet may have.
	UserProperties int
	// TopicAliases is the Topic Alias Maximum, and ReceiveMaximum how many QoS 1
	// and 2 messages of a client may await their acknowledgement.
	TopicAliases, ReceiveMaximum uint16
	// ConnectBytes and PacketBytes bound a CONNECT, and every later packet.
	ConnectBytes, PacketBytes int
	// QueueBytes bounds what waits for one client.
	QueueBytes int
	// Connections is how many clients may be connected.
	Connections int
	// ConnectTimeout is the time for a whole CONNECT.
	ConnectTimeout time.Duration
	// WriteTimeout is how long a client may leave its socket or its queue full.
	WriteTimeout time.Duration
	// KeepAlive is the longest keep-alive of an MQTT 5 client, in whole seconds, and
	// that of one without. 0 is no limit.
	KeepAlive time.Duration
	// Redirect is another server, as a Server Reference: whoever finds this one
	// full is told to use it. "" is none.
	Redirect string
	// SessionExpiry is the longest that an absent client's session is kept.
	SessionExpiry time.Duration
	// Quotas bound what one client may have, and what all may have together.
	Quotas Quotas
	// SharedBy says how shared subscriptions are shared. Empty is InTurn.
	SharedBy SharedBy
	// Follower follows publishes. Nil follows none, and costs nothing.
	Follower Follower
	// Log gets what an operator should know.
	Log *slog.Logger
}

// An Engine serves the clients of one node.
type Engine struct {
	// settings are as of New, or the last Reload; meanings counts what may have changed
	// those of topics.
	settings atomic.Pointer[Options]
	follower Follower
	meanings atomic.Uint32

	h     Handler
	log   *slog.Logger
	store *persistence.Store

	tree     *tree
	system   system
	turns    *turns
	schedule schedule
	sent     flusher
	gate     gate
	counts   counts
	traces   traces
	// tail is the list of whoever drains the store's tail, who has given sessions
	// everything up to the change applied.
	tail    flushes
	applied atomic.Uint64
	// users are the connections of each user, and subscriptions how many there are.
	users         limits.Shares[string]
	subscriptions atomic.Int64
	// writers are the goroutines of links, tasks the others.
	writers, tasks tasks

	mu       sync.RWMutex // guards what follows
	sessions map[string]*session
	clients  map[*Client]bool  // with a session
	early    map[net.Conn]bool // that have not said CONNECT
	leaving  *Error            // why nobody is let in any more, or nil
}

// New returns an engine that keeps sessions in store. The caller sets no client
// on it before [Engine.Restore], and drains the store's tail.
func New(store *persistence.Store, h Handler, o Options) *Engine {
	e := &Engine{
		h: h, log: o.Log, store: store,
		follower: o.Follower, tree: newTree(), turns: newTurns(), sessions: map[string]*session{}, clients: map[*Client]bool{}, early: map[net.Conn]bool{},
	}
	e.settings.Store(&o)
	e.counts.started = time.Now()
	e.sent.start()
	return e
}

// session returns the session of a client identifier, or nil.
func (e *Engine) session(id string) *session {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.sessions[id]
}

// Connected returns the number of clients that are connected.
func (e *Engine) Connected() int {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return len(e.clients)
}

// isConnected says whether a session has a connection.
func (e *Engine) isConnected(id string) bool {
	s := e.session(id)
	return s != nil && s.connected()
}

// Drain lets nobody in any more, and disconnects everybody with a reason, which
// with the code of [packets.ErrUseAnotherServer] names Options.Redirect. No wills
// are published for them.
func (e *Engine) Drain(why *Error) {
	e.mu.Lock()
	e.leaving = why
	for conn := range e.early {
		_ = conn.SetReadDeadline(time.Now()) // its reader closes it, which may take time
	}
	clients := make([]*Client, 0, len(e.clients))
	for c := range e.clients {
		clients = append(clients, c)
	}
	sessions := make([]*session, 0, len(e.sessions))
	for _, s := range e.sessions {
		sessions = append(sessions, s)
	}
	e.mu.Unlock()
	for _, s := range sessions {
		s.stopDates(e)
	}
	for _, c := range clients {
		c.end(why)
	}
}

// greet notes a connection that is to say CONNECT, and gives it its time for
// that.
func (e *Engine) greet(conn net.Conn, limit time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.early[conn] = true
	if e.leaving != nil {
		limit = farewell // just to be refused
	}
	_ = conn.SetReadDeadline(time.Now().Add(limit)) // fails when the connection is gone
}

// greeted ends what greet began.
func (e *Engine) greeted(conn net.Conn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.early, conn)
}

// away returns why nobody is let in any more, or nil.
func (e *Engine) away() *Error {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.leaving
}

// Close waits for what the engine has started. It is called once every [Engine.Serve]
// has returned, and before the store is closed.
func (e *Engine) Close() {
	e.schedule.stop()
	e.tasks.stop()
	e.writers.wait()
	e.sent.stop()
	e.gate.close()
}

// counts are the figures of $SYS.
type counts struct {
	started                 time.Time
	messagesIn, messagesOut atomic.Int64
	bytesIn, bytesOut       atomic.Int64
	shed                    atomic.Int64 // messages of QoS 0 for clients that did not keep pace
	oversize                atomic.Int64 // messages that were larger than their client takes
	lost                    atomic.Int64 // messages that the full queue of an absent client dropped
	lapsed                  atomic.Int64 // messages that expired before they were sent

	packetsIn, packetsOut packetCounts
	refused               [refusals]codeCounts
	ended                 [endings]codeCounts
	lostConnections       atomic.Int64
	expiredSessions       atomic.Int64
	mostConnected         atomic.Int64
	sockets               atomic.Int64
}
