package hooks

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/ambitmq/ambit/api"
	"github.com/ambitmq/ambit/channels"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/sessions"
	"github.com/ambitmq/ambit/topics"
)

// A crier gives what is told in channels to those who subscribed.
type crier struct{ hook *Hook }

var _ channels.Publisher = crier{}

// newChannels returns the channels of the node.
func (h *Hook) newChannels() *channels.Engine {
	o := h.opts.Channels
	o.Node, o.Grace, o.At = h.store.NodeID(), h.opts.Presence.Grace, h.engine.At
	return channels.New(crier{h}, o)
}

// Tell puts a message into the pipeline.
func (c crier) Tell(ctx context.Context, m *channels.Message) (<-chan error, error) {
	channel := m.Channel
	if channel == "" {
		channel = topics.Everyone
	}
	return c.hook.tell(ctx, &sessions.Message{
		Topic: topics.ChannelEvent(channel, m.Event), Payload: m.Payload, QoS: 2, From: m.From, Unheard: !m.Echo,
	})
}

// tell puts a message of the broker's own into the pipeline, with the QoS of those who
// subscribed to it. told gets a value when they have been given it.
func (h *Hook) tell(ctx context.Context, m *sessions.Message) (told <-chan error, err error) {
	done := make(chan error, 1)
	if !h.engine.Listens(m.Topic) {
		done <- nil
		return done, nil
	}
	op := &persistence.Op{Bytes: len(m.Payload), Applied: func(r *persistence.Result) { done <- r.Err }}
	h.engine.Announce(op, m)
	return done, h.store.Append(ctx, op)
}

// came notes that a client is there.
func (h *Hook) came(c *sessions.Client, resumed bool) {
	now := time.Now().UTC()
	h.logUntold(c.ClientID, h.channels.Connected(context.Background(), c.ClientID, c.User, resumed, now))
	h.TellUser(c.User, api.UserEvent{Event: api.SignedIn, What: "connection", ClientID: c.ClientID, Protocol: cmp.Or(c.Protocol, protocol)})
}

// went notes that a connection of a client has ended.
func (h *Hook) went(c *sessions.Client) {
	now := time.Now().UTC()
	h.logUntold(c.ClientID, h.channels.Disconnected(context.Background(), c.ClientID, c.User, c.Assigned(), now))
	h.TellUser(c.User, api.UserEvent{Event: api.SignedOut, What: "connection", ClientID: c.ClientID, Protocol: cmp.Or(c.Protocol, protocol)})
}

// logUntold logs that something could not be told of a client, or "".
func (h *Hook) logUntold(client string, err error) {
	if err != nil && !errors.Is(err, persistence.ErrClosed) {
		h.opts.Log.Error("tell", "client", client, "error", err)
	}
}

// LeaveRoom ends a client's subscriptions to a room.
func (h *Hook) LeaveRoom(client, hash string) (bool, error) { return h.engine.LeaveRoom(client, hash) }
