package hooks

import (
	"cmp"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/api"
	"github.com/ambitmq/ambit/sessions"
)

// A roll is the clients of an engine.
type roll struct{ engine *sessions.Engine }

var _ api.Clients = roll{}

// List implements [api.Clients].
func (r roll) List() []api.Client {
	var list []api.Client
	for _, s := range r.engine.Roll() {
		list = append(list, clientOf(s))
	}
	return list
}

// Get implements [api.Clients].
func (r roll) Get(id string) (api.Client, bool) {
	s, held, ok := r.engine.Look(id)
	if !ok {
		return api.Client{}, false
	}
	client := clientOf(s)
	client.Filters = make([]api.ClientFilter, len(held))
	for i, h := range held {
		client.Filters[i] = api.ClientFilter{TopicFilter: h.TopicFilter, QoS: h.QoS, RoomID: h.Room}
	}
	return client, true
}

func clientOf(s sessions.Entry) api.Client {
	c := api.Client{
		ID: s.ClientID, Connected: s.Connected, User: s.User, Address: s.Remote, Listener: s.Listener, Protocol: s.Version,
		Subscriptions: s.Subscriptions, Rooms: s.Rooms, Since: s.Since.UnixMilli(),
		QueuedBytes: s.QueuedBytes, QueuedMessages: s.QueuedMessages, InFlight: s.InFlight,
		Waiting: s.Waiting.Milliseconds(), Dropped: s.Dropped, HeldUp: s.HeldUp, Slow: s.Slow,
	}
	if f := s.Fault; f != nil {
		c.Error = &api.ClientError{Text: f.Text, Code: f.Code, Topic: f.Topic, At: f.At.UnixMilli()}
	}
	return c
}

// Disconnect implements [api.Clients].
func (r roll) Disconnect(id, reason string) bool {
	return r.engine.Disconnect(id, &sessions.Error{Code: packets.ErrAdministrativeAction.Code, Text: cmp.Or(reason, "an operator has ended the connection")})
}
