package api

import (
	"cmp"
	"slices"
	"strings"
)

// Clients are the MQTT clients of a node.
type Clients interface {
	// List returns those who have a session, by client identifier.
	List() []Client
	// Get returns one of them with its Filters.
	Get(id string) (Client, bool)
	// Disconnect ends the connection of a client, with a text for it, and says whether there
	// was one.
	Disconnect(id, reason string) bool
}

// A Client is an MQTT client that has a session.
type Client struct {
	ID            string `json:"_id"`
	Connected     bool   `json:"connected"`
	User          string `json:"user,omitempty"`
	Address       string `json:"address,omitempty"` // of a connection
	Listener      string `json:"listener,omitempty"`
	Protocol      byte   `json:"protocol"` // 3, 4 or 5
	Subscriptions int    `json:"subscriptions"`
	Rooms         int    `json:"rooms"` // of them
	QueuedBytes   int    `json:"queuedBytes"`
	// QueuedMessages wait for it. Waiting is for how many milliseconds it has taken
	// nothing of what waits, if it is connected.
	QueuedMessages int   `json:"queuedMessages"`
	Waiting        int64 `json:"waiting"`
	// Dropped messages were too many for it, and HeldUp is how often somebody who had a
	// message for it had to wait.
	Dropped int64 `json:"dropped"`
	HeldUp  int64 `json:"heldUp"`
	// Slow says that nobody waits for it any more, until it has read half of what waits.
	Slow  bool  `json:"slow"`
	Since int64 `json:"since"` // in milliseconds: of the connection, or of the absence
	// InFlight of the messages that wait are to be acknowledged.
	InFlight int `json:"inFlight"`
	// Why says why it is not connected, as far as that is known.
	Why string `json:"why,omitempty"`
	// Error is the last thing that it was refused, or why the broker ended its last
	// connection.
	Error *ClientError `json:"error,omitempty"`
	// Filters are what it has subscribed to, where one client is asked for.
	Filters []ClientFilter `json:"filters,omitempty"`
}

// A ClientError is something that a client was refused, with a reason code of MQTT 5.
type ClientError struct {
	Text  string `json:"text"`
	Code  byte   `json:"code"`
	Topic string `json:"topic,omitempty"` // or topic filter
	At    int64  `json:"at"`
}

// A ClientFilter is one subscription.
type ClientFilter struct {
	TopicFilter string `json:"topicFilter"`
	QoS         byte   `json:"qos"`
	RoomID      string `json:"roomId,omitempty"`
}

// clientActions is the table of the controller client.
func clientActions() map[string]action {
	return map[string]action{"list": listClients, "get": getClient, "disconnect": disconnectClient}
}

// isBehind says whether something waits for a client, or it was too slow before.
func (c *Client) isBehind() bool {
	return c.QueuedMessages > 0 || c.Waiting > 0 || c.Dropped > 0 || c.HeldUp > 0
}

// slowestFirst sorts clients by how long they have taken nothing, and then by how much
// waits for them, or was dropped.
func slowestFirst(list []Client) {
	slices.SortStableFunc(list, func(a, b Client) int {
		return cmp.Or(cmp.Compare(b.Waiting, a.Waiting), cmp.Compare(b.QueuedBytes, a.QueuedBytes), cmp.Compare(b.Dropped, a.Dropped), cmp.Compare(b.HeldUp, a.HeldUp))
	})
}

// listClients lists the clients that are connected, with absent also those that are not. With slow
// it is those that are behind, or were, the slowest first, and
// with a text those whose client identifier, user or address has it.
func listClients(c *call) (any, error) {
	if err := c.manages(); err != nil {
		return nil, err
	}
	absent, err := c.bool("absent")
	if err != nil {
		return nil, err
	}
	slow, err := c.bool("slow")
	if err != nil {
		return nil, err
	}
	text, err := c.string("text")
	if err != nil {
		return nil, err
	}
	text = strings.ToLower(text)
	var list []Client
	for _, client := range c.clients() {
		if (client.Connected || absent) && (!slow || client.isBehind()) && client.concerns(text) {
			list = append(list, client)
		}
	}
	if slow {
		slowestFirst(list)
	}
	return listed(c, list, c.parted)
}

// parted adds why a client is not there, if it is not.
func (c *call) parted(client Client) Client {
	if !client.Connected && c.opts.Presence != nil {
		if status, ok := c.opts.Presence.Client(client.ID); ok {
			client.Why = status.Why
		}
	}
	return client
}

// concerns says whether a text is found in what a client is known by.
func (client *Client) concerns(text string) bool {
	for _, s := range []string{client.ID, client.User, client.Address} {
		if strings.Contains(strings.ToLower(s), text) {
			return true
		}
	}
	return false
}

func getClient(c *call) (any, error) {
	if err := c.manages(); err != nil {
		return nil, err
	}
	if c.ID == "" {
		return nil, missing.with("_id")
	}
	if c.opts.Clients != nil {
		if client, ok := c.opts.Clients.Get(c.ID); ok {
			return c.parted(client), nil
		}
	}
	return nil, unknownClient.with(c.ID)
}

// disconnectClient ends the connection of a client. It may connect again.
func disconnectClient(c *call) (any, error) {
	if err := c.manages(); err != nil {
		return nil, err
	}
	if c.ID == "" {
		return nil, missing.with("_id")
	}
	reason, err := c.string("reason")
	if err != nil {
		return nil, err
	}
	if c.opts.Clients == nil || !c.opts.Clients.Disconnect(c.ID, reason) {
		return nil, unknownClient.with(c.ID)
	}
	c.audit().Disconnected(c.author(), c.ID, reason)
	return struct {
		ID string `json:"_id"`
	}{c.ID}, nil
}

func (c *call) clients() []Client {
	if c.opts.Clients == nil {
		return nil
	}
	return c.opts.Clients.List()
}
