package sessions

import (
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/topics"
)

// A Lapse is when a connection ends because its client may be connected for no
// longer. The zero value is never.
type Lapse struct {
	At time.Time
	// Why is told with DISCONNECT, an [*Error].
	Why error
	// Say is told before, on each of the topics of [topics.Notices] on which the client
	// was answered, or that it subscribed to.
	Say string
}

// Recheck asks the handler of every client that is connected whether it may stay, and
// ends the connections of those that may not.
func (e *Engine) Recheck() {
	for _, c := range e.everybody() {
		if err := e.h.Still(c); err != nil {
			c.end(errorOf(err))
		}
	}
}

// setLapse has the connection of a client that has its session end in time.
func (e *Engine) setLapse(c *Client) {
	if !c.Lapse.At.IsZero() {
		c.lapse = e.schedule.at(c.Lapse.At, func() { e.tasks.Go(func() { e.lapsed(c) }) })
	}
}

// lapsed ends the connection of a client whose time is over.
func (e *Engine) lapsed(c *Client) {
	if c.Lapse.Say != "" {
		var f flushes
		for _, topic := range topics.Notices() {
			sub := c.session.sub(topic)
			if asked := c.asked.Load(); sub == nil && (asked == nil || *asked != topic) {
				continue
			}
			to := match{session: c.session}
			if sub != nil && sub.isPlain() {
				to = sub.match(c.session)
			}
			e.deliver(&Message{Topic: topic, Payload: []byte(c.Lapse.Say), Cleared: true}, to, nil, nil, &f)
		}
		f.flush()
	}
	c.end(errorOf(c.Lapse.Why))
}

// owns says whether a client may have its client identifier: while there is a session, it
// belongs to the user who made it. One that belongs to nobody may be had by anybody who
// signs in, who does not get what is in it.
func (e *Engine) owns(c *Client) error {
	s := e.session(c.ClientID)
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if owner := s.record.User; owner != "" && owner != c.User && !s.ended {
		return &Error{packets.ErrNotAuthorized.Code, "the client identifier belongs to another user"}
	}
	return nil
}
