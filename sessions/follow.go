package sessions

import (
	"github.com/ambitmq/ambit/persistence"
)

// traceParent is the user property that says to which trace of other systems a message
// belongs, as the W3C's draft for MQTT has it.
const traceParent = "traceparent"

// A Follower follows publishes from when they come to when their subscribers have been told. Its
// methods, and those of what it returns, are called concurrently.
type Follower interface {
	// Follow begins to follow a publish of a client, or returns nil. The message stays as
	// it is only until Follow returns. parent is the user property traceparent, or "".
	Follow(client, user string, m *Message, parent string) Followed
}

// A Followed is a publish that is followed.
type Followed interface {
	// Stored is told that the publish is on disk, or was refused there.
	Stored(err error)
	// Told is told that members of a room are about to be told, and returns what their user
	// property traceparent says.
	Told(topicFilter string, members int) (parent string)
	// End is told that all subscribers have been told, or why the publish was refused.
	End(err error)
}

// follow begins to follow a publish, if that is asked for: else it costs nothing.
func (e *Engine) follow(c *Client, m *Message) Followed {
	if e.follower == nil {
		return nil
	}
	parent, _ := userProperty(m.Properties, traceParent)
	return e.follower.Follow(c.ClientID, c.User, m, string(parent))
}

// followed has the op of a publish tell of its steps. It is called when the op is otherwise
// complete.
func followed(by Followed, op *persistence.Op, refused error) {
	if by == nil {
		return
	}
	op.Author = by
	committed, applied := op.Committed, op.Applied
	op.Committed = func(r *persistence.Result) {
		by.Stored(r.Err)
		if committed != nil {
			committed(r)
		}
	}
	op.Applied = func(r *persistence.Result) {
		applied(r)
		err := refused
		if err == nil {
			err = r.Err
		}
		by.End(err)
	}
}

// ended says that a publish that needed no op has come to its end.
func ended(by Followed, err error) {
	if by != nil {
		by.End(err)
	}
}
