package sessions

import (
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// checkUser refuses what is told to another user.
func (c *Client) checkUser(sub *Subscription) error {
	if sub.To.Kind == topics.User && sub.To.ID != c.User {
		return &Error{packets.ErrNotAuthorized.Code, "what is told to a user is for that user alone"}
	}
	return nil
}

// Listens says whether anybody subscribed to a topic.
func (e *Engine) Listens(topic string) bool { return len(e.tree.match(nil, topic)) > 0 }

// LeaveRoom ends the subscriptions of a connected client to the room with a hash, as its
// UNSUBSCRIBE would, and reports whether there were any.
func (e *Engine) LeaveRoom(client, hash string) (bool, error) {
	s := e.session(client)
	if s == nil {
		return false, nil
	}
	s.mu.Lock()
	c := s.client
	s.mu.Unlock()
	if c == nil {
		return false, nil
	}
	s.keeping.Lock()
	defer s.keeping.Unlock()
	var records []persistence.Record
	left := false
	for _, sub := range s.subscriptions() {
		if sub.Target.Kind != topics.Room || sub.Target.Hash != hash {
			continue
		}
		left = true
		if persistent, existed := c.drop(sub.request.topicFilter, nil); persistent && existed {
			records = append(records, persistence.DeleteSubscription(client, sub.request.topicFilter))
		}
	}
	if len(records) == 0 {
		return left, nil
	}
	return left, e.submit(&persistence.Op{Records: records})
}
