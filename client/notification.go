package client

import (
	"context"
	"encoding/json"
	"strings"
)

// A Notification is what a room tells.
type Notification struct {
	// Type is "document", "user", or "gap": the changes after From and up to To
	// cannot be told, and the documents in scope follow, each as an enter.
	Type string `json:"type"`
	// Action is create, replace, update, delete, or publish for a message that is
	// stored nowhere.
	Action string `json:"action"`
	// Transition is enter, stay or exit, and Scope in or out.
	Transition string `json:"transition"`
	Scope      string `json:"scope"`
	// Seq is that of the change, 0 for none.
	Seq  uint64 `json:"seq"`
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
	// User is in, out or update, for the type "user".
	User   string `json:"user"`
	Result struct {
		Document
		UpdatedFields []string `json:"_updatedFields"`
		Count         int      `json:"count"`
	} `json:"result"`
	Index      string          `json:"index"`
	Collection string          `json:"collection"`
	Room       string          `json:"room"`
	RequestID  string          `json:"requestId"`
	Timestamp  int64           `json:"timestamp"`
	Volatile   json.RawMessage `json:"volatile"`
	// Member is who came, went or says something else of itself, and Why says why it went.
	Member Member `json:"member"`
	Why    string `json:"why"`
}

// A roomChannel is where a room is listened to, as of a change.
type roomChannel struct {
	RoomID  string `json:"roomId"`
	Channel string `json:"channel"`
	Seq     uint64 `json:"seq"`
}

// SubscribeOptions are those of [Collection.Subscribe].
type SubscribeOptions struct {
	// Scope is all (the default), in or out; Users none (the default), all, in or out.
	Scope, Users string
	// Transitions are which of enter, stay and exit to be told; all by default.
	Transitions []string
	// Since tells first what came after the notification with that Seq, if
	// HasSince is set.
	Since    uint64
	HasSince bool
	// OnError is called when the room tells nothing any more. May be nil.
	OnError func(error)
}

// A Subscription is to a room, to a channel, or to who is there.
type Subscription struct {
	// Room is the id of the room, if it is to one.
	Room  string
	leave func()
}

// Unsubscribe returns when the broker has answered, or the connection has gone.
func (s *Subscription) Unsubscribe() { s.leave() }

// Subscribe has callback called with what happens to the documents that match a filter,
// one call at a time. After a lost connection what was missed comes first; a
// notification of the type "gap" says that it cannot.
func (c Collection) Subscribe(ctx context.Context, filter any, o SubscribeOptions, callback func(*Notification)) (*Subscription, error) {
	options := map[string]any{"seq": true}
	if o.Scope != "" {
		options["scope"] = o.Scope
	}
	if o.Users != "" {
		options["users"] = o.Users
	}
	var ch roomChannel
	if err := c.ask(ctx, Request{Controller: "realtime", Action: "subscribe", Body: filter, Options: options}, &ch); err != nil {
		return nil, err
	}
	if o.HasSince {
		ch.Seq = o.Since
	}
	if o.Transitions != nil {
		ch.Channel += "&transition=" + strings.Join(o.Transitions, ",")
	}
	leave, err := c.a.listen(ctx, ch, &caller{after: ch.Seq, callback: callback, onError: o.OnError}, o.HasSince)
	if err != nil {
		return nil, err
	}
	return &Subscription{ch.RoomID, leave}, nil
}

// A caller tells a function of the user's what came after a change.
type caller struct {
	after    uint64
	callback func(*Notification)
	onError  func(error)
}

func (c *caller) notify(_ Message, n *Notification) {
	if n.Seq == 0 || n.Seq > c.after {
		c.callback(n)
	}
}

func (c *caller) fail(err error) {
	if c.onError != nil {
		c.onError(err)
	}
}
