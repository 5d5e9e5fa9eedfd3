package presence

import (
	"bytes"
	"cmp"
	"encoding/json"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/ambitmq/ambit/topics"
)

// What $presence tells of a room is bounded: so many members, or so many bytes.
const (
	maxMembers      = 1000
	maxMembersBytes = 128 << 10
)

// A Member is a client that is in a room.
type Member struct {
	ClientID string          `json:"clientId"`
	User     *string         `json:"user"`
	Since    int64           `json:"since"`
	Metadata json.RawMessage `json:"metadata"`
}

// A Status says whether a client is there.
type Status struct {
	ClientID string          `json:"clientId,omitempty"`
	Online   bool            `json:"online"`
	Since    int64           `json:"since"`
	Why      string          `json:"why,omitempty"`
	Code     *byte           `json:"code,omitempty"`
	User     *string         `json:"user"`
	Metadata json.RawMessage `json:"metadata"`
}

type count struct {
	Count int `json:"count"`
}

// A notification is a user notification: Kuzzle's fields, and Ambit's own behind them.
type notification struct {
	Type       string          `json:"type"`
	Status     int             `json:"status"`
	User       string          `json:"user"`
	Result     count           `json:"result"`
	Index      string          `json:"index"`
	Collection string          `json:"collection"`
	Controller string          `json:"controller"`
	Action     string          `json:"action"`
	Timestamp  int64           `json:"timestamp"`
	Volatile   json.RawMessage `json:"volatile"`
	Protocol   string          `json:"protocol"`
	Node       string          `json:"node"`
	Room       string          `json:"room"`
	Member     Member          `json:"member"`
	Why        string          `json:"why,omitempty"`
}

func (e *Engine) notification(s *seat, user topics.Users, at time.Time, volatile []byte, why string) []byte {
	action := map[topics.Users]string{topics.UserIn: "subscribe", topics.UserOut: "unsubscribe", topics.UserUpdate: "update"}[user]
	r := s.room
	return encode(notification{
		Type: "user", Status: 200, User: user.String(), Result: count{r.present.Len()},
		Index: r.index, Collection: r.collection, Controller: "realtime", Action: action,
		Timestamp: at.UnixMilli(), Volatile: volatile, Protocol: cmp.Or(s.client.protocol, "mqtt"), Node: e.opts.Node, Room: r.hash,
		Member: s.member(), Why: why,
	})
}

func (s *seat) member() Member {
	c := s.client
	return Member{c.id, orNull(c.user), s.since.UnixMilli(), c.metadata}
}

// status returns what is known of a client.
func (c *client) status() Status {
	s := Status{Online: c.online, Since: c.since.UnixMilli(), User: orNull(c.user), Metadata: c.metadata}
	if !c.online {
		s.Why = c.why.Text
		if c.why.HasCode {
			s.Code = &c.why.Code
		}
	}
	return s
}

// state returns the status as $presence tells it: empty if the client is not known.
func (c *client) state() []byte {
	if !c.known {
		return nil
	}
	return encode(c.status())
}

// state returns the presence of a room as $presence tells it.
func (r *room) state() []byte {
	var list bytes.Buffer
	n := 0
	for at := r.present.Front(); at != nil; at = at.Next() {
		s := at.Value.(*seat)
		if s.text == nil {
			s.text = encode(s.member())
		}
		member := s.text
		if n == maxMembers || n > 0 && list.Len()+len(member) > maxMembersBytes {
			break
		}
		if n++; n > 1 {
			list.WriteByte(',')
		}
		list.Write(member)
	}
	text := bytes.TrimSuffix(encode(count{r.present.Len()}), []byte("}"))
	text = append(append(text, `,"members":[`...), list.Bytes()...)
	if n < r.present.Len() {
		return append(text, `],"truncated":true}`...)
	}
	return append(text, `]}`...)
}

// First yields what a client is told first that subscribed to a topics.Presence.
func (e *Engine) First(id string, to topics.Filter, hash string) iter.Seq[*Message] {
	return func(yield func(*Message) bool) {
		if to.Index != "" {
			yield(&Message{Topic: to.Text, Payload: e.roomState(id, to, hash), Retain: true})
			return
		}
		for _, id := range e.ids(to.ID) {
			if state := e.clientState(id); len(state) > 0 && !yield(&Message{Topic: topics.PresenceOfClients + id, Payload: state, Retain: true, From: id}) {
				return
			}
		}
	}
}

func (e *Engine) roomState(id string, to topics.Filter, hash string) []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.rooms[hash]
	if k := e.calls[nameOf(to)][callKey{id, to.Text}]; k != nil {
		r = k.room
	}
	if r != nil {
		return r.state()
	}
	return (&room{}).state()
}

// ids returns one client identifier, or all that are known, in order.
func (e *Engine) ids(one string) []string {
	if one != "" {
		return []string{one}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Sorted(maps.Keys(e.clients))
}

func (e *Engine) clientState(id string) []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c := e.clients[id]; c != nil {
		return c.state()
	}
	return nil
}

// Client returns what is known of a client.
func (e *Engine) Client(id string) (Status, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.clients[id]
	if c == nil || !c.known {
		return Status{}, false
	}
	s := c.status()
	s.ClientID = id
	return s, true
}

// Count returns how many are in the room with a hash.
func (e *Engine) Count(hash string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	if r := e.rooms[hash]; r != nil {
		return r.present.Len()
	}
	return 0
}

// Members returns those who are in the room with a hash, as they came: so many from a
// number on, and how many there are.
func (e *Engine) Members(hash string, from, size int) (members []Member, total int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	members = []Member{}
	r := e.rooms[hash]
	if r == nil {
		return members, 0
	}
	for at, i := r.present.Front(), 0; at != nil && len(members) < size; at, i = at.Next(), i+1 {
		if i >= from {
			members = append(members, at.Value.(*seat).member())
		}
	}
	return members, r.present.Len()
}

// encode returns the JSON text of v.
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // metadata or volatile data that is not JSON is a bug
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
