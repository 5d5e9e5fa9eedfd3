package api

import (
	"errors"
	"fmt"

	"github.com/ambitmq/ambit/access"
)

// A Member is a client whose protocol has requests alone, and no SUBSCRIBE: Kuzzle's.
type Member interface {
	// ClientID is its client identifier.
	ClientID() string
	// Subscribe subscribes to the topic filter of a room, with volatile data, and returns what the
	// client knows the subscription by. The error is an [*Error].
	Subscribe(roomID, topicFilter string, volatile []byte) (channel string, err error)
	// Unsubscribe ends the subscriptions to a room, and reports whether there were any.
	Unsubscribe(roomID string) bool
}

// enroll has the caller be a client, by the protocol that it came by.
func (c *call) enroll() error {
	if c.from.Member == nil {
		return nil
	}
	m, err := c.from.Member(c.from.Identity)
	if err != nil {
		return c.toldOfDoor(err)
	}
	c.member, c.from.ClientID = m, m.ClientID()
	return nil
}

// toldOfDoor returns what a caller is told who does not come in.
func (c *call) toldOfDoor(err error) error {
	if errors.Is(err, access.ErrMustSignIn) || errors.Is(err, access.ErrElsewhere) {
		return mustSignIn.with(c.Controller, c.Action)
	}
	return told(err)
}

// enter has the caller listen to a channel, if it cannot do so itself.
func (c *call) enter(ch channel, err error) (any, error) {
	if err != nil || c.member == nil {
		return ch, err
	}
	ch.Channel, err = c.member.Subscribe(ch.RoomID, ch.Channel, c.Volatile)
	return ch, err
}

// warn has the answer say what was asked for and has no meaning.
func (c *call) warn(format string, args ...any) {
	c.warnings = append(c.warnings, warning{"0.1.0", fmt.Sprintf(format, args...)})
}

// A warning is what Kuzzle calls a deprecation: its clients show it to whoever develops with them.
type warning struct {
	Version string `json:"version"`
	Message string `json:"message"`
}
