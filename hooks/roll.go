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
		list = append(list, api.Client{
			ID: s.ClientID, Connected: s.Connected, User: s.User, Address: s.Remote, Listener: s.Listener, Protocol: s.Version,
			Subscriptions: s.Subscriptions, Rooms: s.Rooms, QueuedBytes: s.QueuedBytes, QueuedMessages: s.QueuedMessages,
			Waiting: s.Waiting.Milliseconds(), Dropped: s.Dropped, HeldUp: s.HeldUp, Slow: s.Slow, Since: s.Since.UnixMilli(),
		})
	}
	return list
}

// Disconnect implements [api.Clients].
func (r roll) Disconnect(id, reason string) bool {
	return r.engine.Disconnect(id, &sessions.Error{Code: packets.ErrAdministrativeAction.Code, Text: cmp.Or(reason, "an operator has ended the connection")})
}
