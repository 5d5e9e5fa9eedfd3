package hooks

import (
	"context"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/api"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/sessions"
)

var _ api.Outlet = (*Hook)(nil)

// API returns the router of the node's requests.
func (h *Hook) API() *api.Router { return h.api }

// Request answers a client's request.
func (h *Hook) Request(c *sessions.Client, m *sessions.Message, most int) []byte {
	from := api.Caller{Name: "client " + c.ClientID, ClientID: c.ClientID, User: c.User, Protocol: protocol, MaxBytes: most}
	from.Identity, _ = c.Identity.(*access.Identity)
	from.Arrival.From = c.Remote
	from.Arrival.Peer, _ = c.Via.Peer.(access.Peer)
	return h.api.Serve(context.Background(), from, "", "", m.Payload).Body
}

// Announce has an op be told to those who subscribed to a topic. The QoS is that of
// their subscriptions.
func (h *Hook) Announce(op *persistence.Op, topic string, payload []byte, from string) {
	h.engine.Announce(op, &sessions.Message{Topic: topic, Payload: payload, QoS: 2, From: from, Supersedes: op.Write != nil})
}
