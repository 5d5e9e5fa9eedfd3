package sessions

import (
	"maps"
	"slices"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// Rights are what a client may do, as its handler says. They may change at any time,
// and be asked by many goroutines at once. Nil may do everything.
type Rights interface {
	// MayPublish says whether the client may publish a message. Of what that does to a
	// document [Handler.Document] says more.
	MayPublish(name topics.Name, m *Message) error
	// See returns what the client is given of a message that one of its plain topic
	// filters matches: the message, another one in its place, or nil. It is quick.
	See(m *Message) *Message
}

// A holder has the rights of a session. They are another's when another client
// resumes it.
type holder struct{ Rights }

// rights returns those of the session that the outbox is of.
func (b *outbox) rightsNow() Rights {
	if h := b.rights.Load(); h != nil {
		return h.Rights
	}
	return nil
}

// RightsOf returns those of the client whose session has this id, if there is one.
func (e *Engine) RightsOf(client string) (rights Rights, ok bool) {
	s := e.session(client)
	if s == nil {
		return nil, false
	}
	return s.box.rightsNow(), true
}

func (b *outbox) grant(r Rights) {
	if r == nil {
		b.rights.Store(nil)
		return
	}
	b.rights.Store(&holder{r})
}

// sees says whether a session would be given a message.
func (b *outbox) sees(m *Message) bool {
	r := b.rightsNow()
	return r == nil || m.Cleared || r.See(m) != nil
}

// seen returns the message as the client may see it, or nil. It is asked when the
// message goes out, however long it has waited: what counts are the rights at that
// time.
func (l *link) seen(m *Message) *Message {
	r := l.box.rightsNow()
	if r == nil || m.Cleared {
		return m
	}
	return r.See(m)
}

// mayWill says whether a client may leave a will behind. It is asked again when the
// will is published.
func (c *Client) mayWill() error {
	if c.Will == nil {
		return nil
	}
	c.Will.rights = c.engine.h.Heir(c)
	name, err := c.engine.h.Name(c.Will.Topic)
	if err == nil {
		err = c.engine.mayPublish(c.Will.rights, name, c.Will)
	}
	if err == nil && c.Rights != nil && name.Kind == topics.Document {
		_, err = c.engine.h.Document(c.Rights, name, c.Will.Keep())
	}
	return err
}

// mayPublish says whether somebody may publish a message. Nobody may have another client
// make a request, by answering.
func (e *Engine) mayPublish(by Rights, name topics.Name, m *Message) error {
	if len(m.Properties) > 0 {
		to, ok := m.ResponseTopic()
		if ok {
			if name, err := e.h.Name(to); err == nil && name.Kind == topics.Request {
				return &Error{packets.ErrNotAuthorized.Code, "the response topic must not be that of requests"}
			}
		}
	}
	if by == nil {
		return nil
	}
	return by.MayPublish(name, m)
}

// about returns what a handler is to know of the document that a message is about, as
// of a change: after it, or before it if the document is deleted.
func (e *Engine) about(c *persistence.Change) any {
	if c == nil {
		return nil
	}
	if c.After != nil {
		return e.h.Subject(c.After)
	}
	return e.h.Subject(c.Before)
}

// ShiftAll has all subscriptions go over to what they are to be told by now: see
// [Engine.Shift].
func (e *Engine) ShiftAll(r *persistence.Result) {
	e.mu.RLock()
	all := slices.Collect(maps.Values(e.sessions))
	e.mu.RUnlock()
	e.Shift(func(yield func(client, topicFilter string) bool) {
		for _, s := range all {
			for _, sub := range s.subscriptions() {
				if sub.feed != nil && !yield(s.id, sub.request.topicFilter) {
					return
				}
			}
		}
	}, r)
}
