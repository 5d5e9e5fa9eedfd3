package pocketbase

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/api"
	"github.com/ambitmq/ambit/events"
	"github.com/ambitmq/ambit/hooks"
	"github.com/ambitmq/ambit/sessions"
	"github.com/ambitmq/ambit/web"
)

// A connection is one stream, and who subscribed on it.
type connection struct {
	*Server
	id     string
	from   net.Addr
	via    sessions.Via
	stream *events.Stream
	wrote  chan struct{} // gets a value when something was written
	ended  chan struct{} // is closed when the engine has ended who is on it
	ending sync.Once

	setting sync.Mutex // held while subscriptions are set; guards the seat
	seat    *seat
	left    bool // the stream is over

	mu   sync.Mutex                 // guards subs and told, which are replaced, and not changed
	subs map[string]*subscription   // by their texts
	told map[string][]*subscription // by their topics
}

// A seat is who subscribed: a client of the engine.
type seat struct {
	*sessions.Subscriber
	connection *connection
	who        *access.Identity
	topics     map[string]int // how many subscriptions stand for a topic filter
}

var (
	_ api.Member    = (*seat)(nil)
	_ sessions.Wire = (*seat)(nil)
)

// connect answers GET /api/realtime for as long as the client and the broker are there. Who it is, it says
// when it subscribes: in a browser it cannot do so here.
func (s *Server) connect(w http.ResponseWriter, r *http.Request, site *web.Server, via sessions.Via) {
	if r.Method != http.MethodGet {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	a, err := site.Arrive(w, r)
	if err == nil {
		err = s.hook.Door().Approach("", a.From)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	c := &connection{
		Server: s, id: newID(40), from: a.From, via: via, stream: events.NewStream(w, s.opts.WriteTimeout),
		wrote: make(chan struct{}, 1), ended: make(chan struct{}), subs: map[string]*subscription{},
	}
	s.mu.Lock()
	s.connections[c.id] = c
	s.mu.Unlock()
	defer c.leave()
	c.stream.Open()
	if c.stream.Write(append(c.appendHead(nil, connected), `{"clientId":"`+c.id+"\"}\n\n"...)) == nil {
		c.stay(r.Context())
	}
}

// stay waits until the client, its session or the broker ends, or nothing is told for long.
func (c *connection) stay(ctx context.Context) {
	idle := time.NewTimer(c.opts.Idle)
	defer idle.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.ended:
			return
		case <-idle.C:
			return
		case <-c.wrote:
			idle.Reset(c.opts.Idle)
		}
	}
}

// leave ends all subscriptions. Nothing is written any more.
func (c *connection) leave() {
	c.Server.mu.Lock()
	delete(c.connections, c.id)
	c.Server.mu.Unlock()
	c.stream.Close()
	c.setting.Lock()
	defer c.setting.Unlock()
	c.left = true
	if c.seat != nil {
		c.seat.Close()
	}
}

// become has the connection be who asks: nobody may become somebody, and nobody else.
func (c *connection) become(who *access.Identity) error {
	switch {
	case c.left:
		return errNoClient()
	case c.seat != nil && c.seat.who.User == who.User:
		if c.seat.who.Credential != who.Credential {
			c.seat.who = who
			c.hook.RenewAs(c.seat.Subscriber, who)
		}
		return nil
	case c.seat != nil && c.seat.who.User != "":
		return &Error{Status: http.StatusForbidden, Message: "The current and the previous request authorization don't match.", Data: object{}}
	}
	s := &seat{connection: c, who: who, topics: map[string]int{}}
	var err error
	s.Subscriber, err = c.hook.Attach(s, sessions.Attachment{Protocol: protocol, Format: c.format, Remote: c.from, Via: c.via, Identity: who})
	if err != nil {
		return err
	}
	if c.seat != nil {
		c.seat.Close()
		c.replace(map[string]*subscription{})
	}
	c.seat = s
	c.via.Asked()
	return nil
}

// set has the connection be told by these subscriptions and no others. If one is refused, all is as it was.
func (c *connection) set(q *request, texts []string) error {
	c.setting.Lock()
	defer c.setting.Unlock()
	if err := c.become(q.caller.Identity); err != nil {
		return err
	}
	defer c.seat.Answered()
	c.mu.Lock()
	before := c.subs
	c.mu.Unlock()
	after := map[string]*subscription{}
	for _, text := range texts {
		if after[text] = before[text]; after[text] != nil || text == connected {
			continue
		}
		sub, err := c.join(q, text)
		if err != nil {
			c.part(after, before)
			return err
		}
		after[text] = sub
	}
	delete(after, connected)
	c.replace(after)
	c.part(before, after)
	return nil
}

// replace swaps the subscriptions.
func (c *connection) replace(subs map[string]*subscription) {
	told := map[string][]*subscription{}
	for _, sub := range subs {
		told[sub.topic] = append(told[sub.topic], sub)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.subs, c.told = subs, told
}

// part leaves the rooms of those subscriptions that are not among others.
func (c *connection) part(subs, others map[string]*subscription) {
	for text, sub := range subs {
		if sub == nil || others[text] != nil {
			continue
		}
		if c.seat.topics[sub.topic]--; c.seat.topics[sub.topic] <= 0 {
			delete(c.seat.topics, sub.topic)
			c.seat.Subscriber.Unsubscribe(sub.topic, nil)
		}
	}
}

// join subscribes, as whoever asks.
func (c *connection) join(q *request, text string) (*subscription, error) {
	sub, err := c.readSubscription(text)
	if err != nil {
		return nil, err
	}
	as := *q
	as.caller.Member = func(*access.Identity) (api.Member, error) { return c.seat, nil }
	var channel struct{ Channel string }
	ask := object{"index": sub.index, "collection": sub.collection, "rule": sub.rule, "body": sub.filter}
	if err := as.call("realtime", "subscribe", ask, &channel); err != nil {
		return nil, err
	}
	sub.topic = channel.Channel
	c.seat.topics[sub.topic]++
	return sub, nil
}

// Subscribe implements [api.Member].
func (s *seat) Subscribe(_, topicFilter string, _ []byte) (channel string, err error) {
	if s.topics[topicFilter] > 0 {
		return topicFilter, nil
	}
	if err = s.Pause(); err == nil {
		err = s.Subscriber.Subscribe(topicFilter, nil)
	}
	if err != nil {
		return "", hooks.Told(err)
	}
	return topicFilter, nil
}

// Unsubscribe implements [api.Member]: subscriptions are set all at once.
func (s *seat) Unsubscribe(string) bool { return false }

// SetWriteDeadline implements [sessions.Wire].
func (s *seat) SetWriteDeadline(t time.Time) error {
	s.connection.stream.SetLimit(t)
	return nil
}

// Ended implements [sessions.Wire]. The client comes back by itself, with the token that it has by then.
func (s *seat) Ended(*sessions.Error) {
	s.connection.ending.Do(func() { close(s.connection.ended) })
}

// Write implements [sessions.Wire]: each subscription is told under its own name.
func (s *seat) Write(b []byte) (int, error) {
	c := s.connection
	c.mu.Lock()
	told := c.told
	c.mu.Unlock()
	out := make([]byte, 0, len(b)+128)
	for frame := range sessions.Frames(b) {
		topic, action, record := partsOf(frame)
		for _, sub := range told[string(topic)] {
			out = sub.appendEvent(c, out, string(action), record)
		}
	}
	if len(out) == 0 {
		return len(b), nil
	}
	if err := c.stream.Write(out); err != nil {
		return 0, err
	}
	select {
	case c.wrote <- struct{}{}:
	default: // it has been told already
	}
	return len(b), nil
}

// appendHead appends an event up to its data. Each has the client's id: that is where the client has it
// from.
func (c *connection) appendHead(b []byte, name string) []byte {
	b = append(append(b, "id:"...), c.id...)
	return append(append(append(b, "\nevent:"...), name...), "\ndata:"...)
}
