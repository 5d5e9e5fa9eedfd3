package client

import (
	"context"
	"encoding/json"
	"strings"
)

// Presence says who is there.
type Presence struct{ a *Ambit }

// Presence is about all clients of the broker.
func (a *Ambit) Presence() Presence { return Presence{a} }

// A Member is a client in a room or a channel, and what it says of itself.
type Member struct {
	ClientID string `json:"clientId"`
	User     string `json:"user"`
	// Since is when it came, in milliseconds.
	Since int64 `json:"since"`
	// Metadata is a JSON object, or null.
	Metadata json.RawMessage `json:"metadata"`
}

// Members are some of those who are in a room or a channel, and how many there are.
type Members struct {
	Count   int      `json:"count"`
	Members []Member `json:"members"`
	// Truncated says that there are more than are told of.
	Truncated bool `json:"truncated"`
}

// A Standing is whether a client is online, or since when and why not.
type Standing struct {
	Member
	Online bool   `json:"online"`
	Why    string `json:"why"`
}

func updateRequest(metadata any) Request {
	return Request{Controller: "presence", Action: "update", Body: metadata}
}

// Update says something of this client, a JSON object, also when the connection is made again.
func (p Presence) Update(ctx context.Context, metadata any) error {
	return p.a.say(ctx, updateRequest(metadata), nil, func(o *own) { o.metadata = metadata })
}

// Get says how a client stands. Of one that is not known, the error is an [*APIError] of
// status 404.
func (p Presence) Get(ctx context.Context, clientID string) (s Standing, err error) {
	err = p.a.Request(ctx, Request{Controller: "presence", Action: "get", ID: clientID}, &s)
	return s, err
}

// List returns those who are in a room, as they came: at most size of them, from a number on.
func (p Presence) List(ctx context.Context, roomID string, from, size int) (m Members, err error) {
	err = p.a.Request(ctx, Request{
		Controller: "presence", Action: "list", Body: map[string]any{"roomId": roomID},
		Options: map[string]any{"from": from, "size": size},
	}, &m)
	return m, err
}

// Watch has callback called with how a client stands, or every client ("+"), now and with
// every change. What it said last may be said again.
func (p Presence) Watch(ctx context.Context, clientID string, callback func(Standing)) (*Subscription, error) {
	const prefix = "$presence/clients/"
	return p.a.following(ctx, prefix+clientID, func(m Message) {
		var s Standing
		if len(m.Payload) == 0 || json.Unmarshal(m.Payload, &s) != nil {
			return // it was forgotten
		}
		s.ClientID = strings.TrimPrefix(m.Topic, prefix)
		callback(s)
	})
}

// WatchRoom has callback called with who is in a room, now and with every change. The room is
// named by its id, by "?" and a filter, or by "@" and a name.
func (c Collection) WatchRoom(ctx context.Context, room string, callback func(Members)) (*Subscription, error) {
	if !strings.ContainsAny(room[:min(1, len(room))], "?~@") {
		room = "~" + room
	}
	return c.a.following(ctx, "$presence/rooms/"+c.index+"/"+c.name+"/"+room, func(m Message) {
		var members Members
		if json.Unmarshal(m.Payload, &members) == nil {
			callback(members)
		}
	})
}

// following has callback called with the messages of a topic filter.
func (a *Ambit) following(ctx context.Context, topicFilter string, callback func(Message)) (*Subscription, error) {
	leave, err := a.follow(ctx, topicFilter, &follower{callback, a.onError})
	if err != nil {
		return nil, err
	}
	return &Subscription{leave: leave}, nil
}

// A follower is told of the messages of a topic filter.
type follower struct {
	callback func(Message)
	onError  func(error)
}

func (f *follower) notify(m Message, _ *Notification) { f.callback(m) }
func (f *follower) fail(err error)                    { f.onError(err) }
