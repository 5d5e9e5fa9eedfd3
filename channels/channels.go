// Package channels knows who is in which channel: clients that have joined it, with what
// they say of themselves. It says who comes, changes and goes, and passes messages on.
//
// A channel is there while somebody is in it. Who is in it says that he is there; who
// hears of it are those who subscribed to its topics. All of it is in memory, and a
// client that is away for longer than the grace time is in no channel any more.
package channels

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Publisher gives messages to those who subscribed to their topics.
type Publisher interface {
	// Tell puts a message behind those that it was given before. told gets a value when
	// its subscribers have been given it.
	Tell(ctx context.Context, m *Message) (told <-chan error, err error)
}

// A Message is what is told in a channel.
type Message struct {
	// Channel is "" for everyone.
	Channel, Event string
	// Payload is a JSON object.
	Payload []byte
	// From is the client that caused it, or "". It is told itself if Echo is set.
	From string
	Echo bool
}

// Events that channels tell of themselves: nobody can send them.
const (
	Joined  = "join"
	Left    = "leave"
	Updated = "update"
)

// Reserved says whether an event is one that nobody can send.
func Reserved(event string) bool { return event == Joined || event == Left || event == Updated }

var (
	// ErrNotMember says that a client is not in the channel.
	ErrNotMember = errors.New("channels: the client is not in the channel")
	// ErrTooMany says that a client is in as many channels as it may be.
	ErrTooMany = errors.New("channels: the client is in as many channels as it may be")
	// ErrFull says that there is no memory for another member, or for more metadata.
	ErrFull = errors.New("channels: the members of all channels take as much memory as they may")
)

// Options are the settings of an [Engine]. They are not written after [New].
type Options struct {
	// Node is what messages name as their node.
	Node string
	// Grace is how long a client may be away and stay a member. 0 is not at all.
	Grace time.Duration
	// PerClient is in how many channels a client may be. Defaults to 100.
	PerClient int
	// Bytes is how much memory all members may take, about. Defaults to 64 MiB.
	Bytes int
	// At has a function called at a time.
	At func(t time.Time, call func())
}

// An Engine has the channels of a node. Its methods may be called concurrently, but not
// by whoever gives messages to subscribers: some wait for that.
type Engine struct {
	o   Options
	out Publisher

	// order is held from a change of members until what is told of it is on its way, so
	// that it is told in the order in which it happens.
	order sync.Mutex

	mu       sync.RWMutex                  // guards what follows
	channels map[string]map[string]*member // by name and client, none of them empty
	clients  map[string]*client            // that are in any channel
	bytes    int
}

// A client is one that is in channels.
type client struct {
	in      map[string]*member // by channel
	away    bool
	absence int    // how many there were
	user    string // who was connected before the last one
}

// A Member is who is in a channel.
type Member struct {
	ClientID string `json:"clientId"`
	// User is who the client is signed in as, or nil.
	User *string `json:"user"`
	// Since is when it joined, in milliseconds since 1970.
	Since    int64           `json:"since"`
	Metadata json.RawMessage `json:"metadata"`
}

type member struct {
	Member
	channel string
	echo    bool
}

// memberOverhead is about what a member takes besides its texts.
const memberOverhead = 256

func (m *member) size() int {
	return memberOverhead + len(m.ClientID) + len(m.channel) + len(m.Metadata)
}

// New returns an engine in whose channels is nobody.
func New(out Publisher, o Options) *Engine {
	if o.PerClient == 0 {
		o.PerClient = 100
	}
	if o.Bytes == 0 {
		o.Bytes = 64 << 20
	}
	return &Engine{o: o, out: out, channels: map[string]map[string]*member{}, clients: map[string]*client{}}
}

// A Join is what a client says when it joins a channel.
type Join struct {
	Channel, ClientID, User string
	// Metadata is a JSON object. Nil is an empty one, or what it was before.
	Metadata []byte
	// Echo says whether the client is told what it causes itself. Nil is yes, or what it
	// was before.
	Echo *bool
	Now  time.Time
}

// Join makes a client a member of a channel, and returns how many there are. Of one that
// is a member, the others are told nothing but other metadata.
func (e *Engine) Join(ctx context.Context, j Join) (count int, err error) {
	e.order.Lock()
	c, err := e.join(j)
	if err == nil {
		count = e.count(j.Channel)
	}
	told, err := e.tell(ctx, c, err, j.Now)
	return count, await(ctx, told, err)
}

// A change is what has become of a member, and how that is undone. Without an event,
// nobody is told of it.
type change struct {
	member
	event, why string
	undo       func()
}

// hears says whether the client is told of the change itself. Nil is as it ever is.
func (c *change) hears(echo *bool) {
	if echo != nil {
		c.echo = *echo
	}
}

func (e *Engine) join(j Join) (change, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.clients[j.ClientID]
	if c == nil {
		c = &client{in: map[string]*member{}}
	}
	old, event := c.in[j.Channel], ""
	n := &member{channel: j.Channel, echo: true}
	n.ClientID, n.Since, n.Metadata = j.ClientID, j.Now.UnixMilli(), json.RawMessage("{}")
	if j.User != "" {
		n.User = &j.User
	}
	switch {
	case old != nil:
		*n = *old
	case len(c.in) >= e.o.PerClient:
		return change{}, ErrTooMany
	default:
		event = Joined
	}
	if j.Metadata != nil {
		if old != nil && string(old.Metadata) != string(j.Metadata) {
			event = Updated
		}
		n.Metadata = slices.Clone(j.Metadata)
	}
	if j.Echo != nil {
		n.echo = *j.Echo
	}
	c.away = false
	return e.put(c, n, event)
}

// put makes n a member of its channel.
func (e *Engine) put(c *client, n *member, event string) (change, error) {
	old := c.in[n.channel]
	grown := n.size()
	if old != nil {
		grown -= old.size()
	}
	if grown > 0 && e.bytes+grown > e.o.Bytes {
		return change{}, ErrFull
	}
	e.set(c, n)
	return change{member: *n, event: event, undo: func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.drop(n.channel, n.ClientID); old != nil {
			e.set(c, old)
		}
	}}, nil
}

func (e *Engine) set(c *client, n *member) {
	if old := c.in[n.channel]; old != nil {
		e.bytes -= old.size()
	}
	e.bytes += n.size()
	e.clients[n.ClientID] = c
	if e.channels[n.channel] == nil {
		e.channels[n.channel] = map[string]*member{}
	}
	e.channels[n.channel][n.ClientID], c.in[n.channel] = n, n
}

// drop ends a membership.
func (e *Engine) drop(channel, clientID string) {
	c := e.clients[clientID]
	e.bytes -= c.in[channel].size()
	if delete(c.in, channel); len(c.in) == 0 {
		delete(e.clients, clientID)
	}
	if delete(e.channels[channel], clientID); len(e.channels[channel]) == 0 {
		delete(e.channels, channel)
	}
}

// Leave ends what Join began. The error is [ErrNotMember] if it did not. echo says whether
// the client is told itself of this; nil is what it said when it joined.
func (e *Engine) Leave(ctx context.Context, channel, clientID string, echo *bool, now time.Time) error {
	e.order.Lock()
	c, err := e.leave(channel, clientID, "left", 0)
	c.hears(echo)
	told, err := e.tell(ctx, c, err, now)
	return await(ctx, told, err)
}

// leave takes a client out of a channel, or only while it is away for the time with that
// number.
func (e *Engine) leave(channel, clientID, why string, absence int) (change, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.clients[clientID]
	if c == nil || c.in[channel] == nil || absence > 0 && (!c.away || c.absence != absence) {
		return change{}, ErrNotMember
	}
	m := c.in[channel]
	e.drop(channel, clientID)
	return change{member: *m, event: Left, why: why, undo: func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.set(c, m)
	}}, nil
}

// Update gives a client other metadata, a JSON object, in a channel, or in all that it is
// in if channel is "". It returns their names, in order. echo is that of [Engine.Leave].
func (e *Engine) Update(ctx context.Context, channel, clientID string, metadata []byte, echo *bool, now time.Time) ([]string, error) {
	names := []string{channel}
	if channel == "" {
		names = e.Of(clientID)
	}
	for _, name := range names {
		e.order.Lock()
		c, err := e.update(name, clientID, metadata)
		c.hears(echo)
		told, err := e.tell(ctx, c, err, now)
		err = await(ctx, told, err)
		if err != nil && (channel != "" || !errors.Is(err, ErrNotMember)) { // it may have left meanwhile
			return nil, err
		}
	}
	return names, nil
}

func (e *Engine) update(channel, clientID string, metadata []byte) (change, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.clients[clientID]
	if c == nil || c.in[channel] == nil {
		return change{}, ErrNotMember
	}
	n := *c.in[channel]
	if string(n.Metadata) == string(metadata) {
		return change{}, nil
	}
	n.Metadata = slices.Clone(metadata)
	return e.put(c, &n, Updated)
}

func (e *Engine) count(channel string) int {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return len(e.channels[channel])
}

// Of returns the channels that a client is in, in order.
func (e *Engine) Of(clientID string) []string {
	e.mu.RLock()
	defer e.mu.RUnlock()
	c := e.clients[clientID]
	if c == nil {
		return []string{}
	}
	return slices.Sorted(maps.Keys(c.in))
}

// Members returns so many members of a channel, in the order of their client identifiers,
// from a number on, and how many there are.
func (e *Engine) Members(channel string, from, size int) (some []Member, count int) {
	e.mu.RLock()
	all := slices.Collect(maps.Values(e.channels[channel]))
	e.mu.RUnlock()
	slices.SortFunc(all, func(a, b *member) int { return strings.Compare(a.ClientID, b.ClientID) })
	some = []Member{}
	count = len(all)
	for _, m := range all[min(from, count):min(from+size, count)] {
		some = append(some, m.Member)
	}
	return some, count
}

// Channels returns how many are in each channel. It returns false if there are more than
// most.
func (e *Engine) Channels(most int) (map[string]int, bool) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if len(e.channels) > most {
		return nil, false
	}
	all := make(map[string]int, len(e.channels))
	for name, members := range e.channels {
		all[name] = len(members)
	}
	return all, true
}
