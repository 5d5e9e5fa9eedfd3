// Package limits says how often, and how many at a time, somebody may do something, and
// counts how often each limit was reached.
package limits

import (
	"iter"
	"sync/atomic"
)

// A Kind is one of the limits.
type Kind uint8

// The limits, as they are counted.
const (
	Connections        Kind = iota // of the node, or of a listener
	AddressConnections             // of one address
	UserConnections                // of one user
	HalfOpen                       // connections that have not said what they want
	ConnectTime                    // CONNECT came too late
	PacketBytes                    // of any packet
	JSON                           // depth, members, elements, digits of a document
	UserProperties                 // of a packet
	TopicAliases
	ReceiveMaximum
	PublishRate // messages and bytes of one client: it was slowed down
	SubscribeRate
	RefusalRate   // of one client: it was slowed down
	Subscriptions // of one session
	Rooms         // of one session
	RoomCost      // of the filters of one session's rooms
	AllSubscriptions
	Retained
	Sessions // kept ones
	Queue    // a client did not keep pace
	SignIns  // too many attempts
	Banned
	Flapping    // a ban because of too many connections
	UserStorage // documents, or their bytes, of one user
	Filters     // cost, depth and the like of a filter
	RequestRate // requests of one caller
	kinds
)

var names = [kinds]string{
	"connections", "address_connections", "user_connections", "half_open", "connect_time", "packet_bytes", "json",
	"user_properties", "topic_aliases", "receive_maximum", "publish_rate", "subscribe_rate", "refusal_rate", "subscriptions", "rooms", "room_cost",
	"all_subscriptions", "retained", "sessions", "queue", "sign_ins", "banned", "flapping", "user_storage", "filters",
	"request_rate",
}

// String returns the name, as the settings have it where there is one.
func (k Kind) String() string { return names[k] }

// Counts are how often each limit was reached since the start. The zero value is ready,
// and nil counts nothing. They may be used concurrently.
type Counts struct{ n [kinds]atomic.Int64 }

// Add counts that a limit was reached.
func (c *Counts) Add(k Kind) {
	if c != nil {
		c.n[k].Add(1)
	}
}

// Of returns how often a limit was reached.
func (c *Counts) Of(k Kind) int64 {
	if c == nil {
		return 0
	}
	return c.n[k].Load()
}

// All yields every limit with how often it was reached.
func (c *Counts) All() iter.Seq2[Kind, int64] {
	return func(yield func(Kind, int64) bool) {
		for k := range kinds {
			if !yield(k, c.Of(k)) {
				return
			}
		}
	}
}
