package client

import (
	"context"
	"encoding/json"
)

// A Channel is one in which clients tell each other what they like.
type Channel struct {
	a    *Ambit
	name string
}

// Channel names a channel, which is there while somebody is in it. In that of the name "*" one
// can only listen: to what is told by [Ambit.Broadcast].
func (a *Ambit) Channel(name string) Channel { return Channel{a, name} }

// ChannelOptions are those of requests about channels.
type ChannelOptions struct {
	// NoEcho has this client not be told of what it does itself: in the channel, for Join, or
	// of this message.
	NoEcho bool
	// Volatile goes on with a message, a JSON object.
	Volatile any
}

// A ChannelEvent is what is told in a channel: of its members (join, leave, update), or by one of
// them.
type ChannelEvent struct {
	// Channel is "" for what is told to all.
	Channel string `json:"channel"`
	Event   string `json:"event"`
	// Message is what somebody told, any JSON value, and From who.
	Message json.RawMessage `json:"message"`
	From    Member          `json:"from"`
	// Member is whom join, leave and update are about, and Why says why one has left.
	Member    Member          `json:"member"`
	Why       string          `json:"why"`
	RequestID string          `json:"requestId"`
	Volatile  json.RawMessage `json:"volatile"`
	// Timestamp is in milliseconds.
	Timestamp int64 `json:"timestamp"`
}

func (j joining) request(channel string) Request {
	r := Request{Controller: "channel", Action: "join", Options: map[string]any{"channel": channel, "echo": !j.noEcho}}
	if j.metadata != nil {
		r.Body = j.metadata
	}
	return r
}

// Join makes this client a member, also when the connection is made again. metadata is a JSON
// object, or nil. It returns how many are in the channel.
func (c Channel) Join(ctx context.Context, metadata any, o ChannelOptions) (count int, err error) {
	j := joining{metadata, o.NoEcho}
	var m Members
	err = c.a.say(ctx, j.request(c.name), &m, func(o *own) { o.channels[c.name] = j })
	return m.Count, err
}

// Leave ends that. Whatever its error, this client does not join again by itself.
func (c Channel) Leave(ctx context.Context) error {
	c.a.mu.Lock()
	delete(c.a.own.channels, c.name)
	c.a.mu.Unlock()
	r := Request{Controller: "channel", Action: "leave", Options: map[string]any{"channel": c.name}}
	return c.a.say(ctx, r, nil, func(o *own) { delete(o.channels, c.name) })
}

// Update says something else of this client in the channel.
func (c Channel) Update(ctx context.Context, metadata any) error {
	r := Request{Controller: "channel", Action: "update", Body: metadata, Options: map[string]any{"channel": c.name}}
	return c.a.say(ctx, r, nil, func(o *own) {
		if j, ok := o.channels[c.name]; ok {
			o.channels[c.name] = joining{metadata, j.noEcho}
		}
	})
}

// UpdateChannels is [Channel.Update] for every channel that this client is in.
func (a *Ambit) UpdateChannels(ctx context.Context, metadata any) error {
	return a.say(ctx, Request{Controller: "channel", Action: "update", Body: metadata}, nil, func(o *own) {
		for name, j := range o.channels {
			o.channels[name] = joining{metadata, j.noEcho}
		}
	})
}

func (a *Ambit) tellIn(ctx context.Context, action string, options map[string]any, message any, o ChannelOptions) error {
	options["body"] = message
	if o.NoEcho {
		options["echo"] = false
	}
	if o.Volatile != nil {
		options["volatile"] = o.Volatile
	}
	return a.Request(ctx, Request{Controller: "channel", Action: action, Options: options}, nil)
}

// Send tells whoever listens to the channel of an event. message is any JSON value but null.
func (c Channel) Send(ctx context.Context, event string, message any, o ChannelOptions) error {
	return c.a.tellIn(ctx, "send", map[string]any{"channel": c.name, "event": event}, message, o)
}

// Broadcast tells whoever listens to the channel "*".
func (a *Ambit) Broadcast(ctx context.Context, event string, message any, o ChannelOptions) error {
	return a.tellIn(ctx, "broadcast", map[string]any{"event": event}, message, o)
}

// Members returns those who are in the channel, by their client identifiers: at most size of
// them, from a number on.
func (c Channel) Members(ctx context.Context, from, size int) (m Members, err error) {
	r := Request{Controller: "channel", Action: "members", Options: map[string]any{"channel": c.name, "from": from, "size": size}}
	err = c.a.Request(ctx, r, &m)
	return m, err
}

// Listen has callback called with what is told in the channel of one event, or of all ("").
func (c Channel) Listen(ctx context.Context, event string, callback func(*ChannelEvent)) (*Subscription, error) {
	if event == "" {
		event = "+"
	}
	return c.a.following(ctx, "$channel/"+c.name+"/"+event, func(m Message) {
		e := &ChannelEvent{}
		if json.Unmarshal(m.Payload, e) == nil {
			callback(e)
		}
	})
}
