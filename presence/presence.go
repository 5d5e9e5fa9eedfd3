// Package presence knows who is there: which clients are connected, or since when
// and why they are not, and who is in which room. It says what of that is told, to
// whom, and what of it is stored.
//
// A client that loses its connection is still there for a time of grace: if it is
// back by then, and back in its rooms, nobody is told that it was away. Whoever
// leaves a room by itself is gone at once.
package presence

import (
	"container/list"
	"sync"
	"time"

	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// An Outlet carries messages to clients.
type Outlet interface {
	// Tell sends m to those clients that subscribed to a topic filter. It may wait for
	// slow ones, for a bounded time.
	Tell(topicFilter string, clients []string, m *Message)
}

// A Message is what the subscribers of a topic filter are told.
type Message struct {
	Topic   string
	Payload []byte
	// Retain is set on what $presence tells: the state as of now. It is empty if there
	// is none any more.
	Retain bool
	// User is "in", "out" or "update" in a user notification, and Count how many are
	// in the room then. Else "".
	User  string
	Count int
	// From is the client that has come or gone, for No Local [MQTT-3.8.3-3].
	From string
}

// A Why is why a client is not there.
type Why struct {
	// Text is for people.
	Text string
	// Code is the reason code of MQTT 5 that goes with it. It counts only when HasCode
	// is set.
	Code    byte
	HasCode bool
	// Ending says that the node ends: it may be back when the node is.
	Ending bool
}

var (
	// Crashed is why clients are gone that were there when the process ended, and said
	// nothing to them.
	Crashed = Why{Text: "server crashed"}
	// Unsubscribed is why a client is not in a room any more that is still there.
	Unsubscribed = Why{Text: "unsubscribed"}
)

// Options are settings of an [Engine]. They are not written after [New].
type Options struct {
	// Node is the name of the node in notifications.
	Node string
	// Grace is how long a client may be away before anybody is told. 0 is not at all.
	Grace time.Duration
	// Keep is how long it is known of a client that it is offline. Defaults to a week.
	Keep time.Duration
	// Clients is of how many that is known: those that are offline for the longest time
	// are forgotten first. Defaults to 100,000.
	Clients int
	// Called returns the hash of the room that a name points to for a client that
	// subscribed by it, or "" if it points to none. It must not call the engine.
	Called func(client string, to topics.Filter) string
}

// roomsEvery is how often the presence of rooms is told, at most.
const roomsEvery = 250 * time.Millisecond

// An Engine has the clients and the members of a node. It starts no goroutine and
// has no clock: whoever calls [Engine.Due] and [Engine.Flush] at the times that
// [Engine.Next] names has everybody told. Its methods may be called concurrently, but
// what is said of one client is to be said in order.
type Engine struct {
	opts Options
	out  Outlet

	mu      sync.Mutex // guards what follows
	clients map[string]*client
	rooms   map[string]*room // by hash
	// watched are the topic filters of those who are told of clients.
	watched map[string]*outlet
	// calls are the subscriptions by names of rooms, by name.
	calls map[string]map[callKey]*call
	// absences are the ends of connections whose grace is not over, in order.
	absences []absence
	// offline are the clients that are not there, those for the longest time in front.
	offline list.List // of *client
	known   int       // clients of which there is something to tell
	pending []*event
	// unsaved are the seats of which the store does not know how they are now, and saving
	// holds what is told of them.
	unsaved map[seatKey]persistence.Record
	saving  *Hold
	serial  uint64 // of the last event or call
	// dirty are the rooms whose presence has changed since it was told, and told is
	// when any was.
	dirty map[*room]bool
	told  time.Time
}

// New returns an engine that knows nobody.
func New(out Outlet, o Options) *Engine {
	if o.Keep == 0 {
		o.Keep = 7 * 24 * time.Hour
	}
	if o.Clients == 0 {
		o.Clients = 100_000
	}
	return &Engine{
		opts: o, out: out,
		clients: map[string]*client{}, rooms: map[string]*room{}, watched: map[string]*outlet{}, calls: map[string]map[callKey]*call{}, dirty: map[*room]bool{},
		unsaved: map[seatKey]persistence.Record{}, saving: &Hold{},
	}
}

// An outlet is a topic filter by which clients are told of others.
type outlet struct {
	to topics.Filter
	// watchers are who subscribed, with the last event that was before.
	watchers map[*client]uint64
}

// watch has a client told, of what comes after an event. It reports whether it was not
// before, and whether nobody was.
func watch(outlets map[string]*outlet, c *client, to topics.Filter, after uint64) (added, first bool) {
	o := outlets[to.Text]
	if o == nil {
		o = &outlet{to: to, watchers: map[*client]uint64{}}
		outlets[to.Text] = o
	}
	if _, ok := o.watchers[c]; ok {
		return false, false
	}
	first = len(o.watchers) == 0
	o.watchers[c] = after
	c.watching++
	return true, first
}

func unwatch(outlets map[string]*outlet, c *client, to topics.Filter) {
	o := outlets[to.Text]
	if o == nil {
		return
	}
	if _, ok := o.watchers[c]; !ok {
		return
	}
	delete(o.watchers, c)
	c.watching--
	if len(o.watchers) == 0 {
		delete(outlets, to.Text)
	}
}

// Next returns when there is something to do, which may be at once.
func (e *Engine) Next() (at time.Time, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	sooner := func(t time.Time) {
		if !ok || t.Before(at) {
			at, ok = t, true
		}
	}
	if len(e.unsaved) > 0 || len(e.pending) > 0 && !e.pending[0].held() || e.known > e.opts.Clients && e.offline.Len() > 0 {
		return time.Time{}, true
	}
	if len(e.dirty) > 0 {
		sooner(e.told.Add(roomsEvery))
	}
	if len(e.absences) > 0 {
		sooner(e.absences[0].end)
	}
	if front := e.offline.Front(); front != nil {
		sooner(front.Value.(*client).left.Add(e.opts.Keep))
	}
	return at, ok
}
