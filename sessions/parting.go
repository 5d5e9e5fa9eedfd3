package sessions

import (
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// A Parting is how a connection came to its end.
type Parting struct {
	// Why is why the server ended it, or nil if it did not.
	Why *Error
	// Said says that the client sent DISCONNECT, with the reason code Code. If neither,
	// the connection was lost.
	Said bool
	Code byte
	// Volatile is the user property of this name of the DISCONNECT, or nil.
	Volatile []byte
}

// lost is why a connection ends that cannot be written to. It says no more than that
// it was lost.
var lost = &Error{packets.ErrUnspecifiedError.Code, "the connection cannot be written to"}

// Assigned says whether the server has made the client identifier, so that nobody
// comes back by it.
func (c *Client) Assigned() bool { return c.assigned }

// arrive tells the handler that a client is there. Whoever calls it has the turn of the
// client identifier.
func (e *Engine) arrive(c *Client, resumed bool) {
	c.arrived = true
	e.h.Connected(c, resumed)
}

// part tells the handler that a client has gone, if it was told that it came. The caller
// has the turn, too.
func (e *Engine) part(c *Client) {
	if !c.arrived {
		return
	}
	c.arrived = false
	p := Parting{Why: c.cause.Load()}
	if p.Why == lost {
		p.Why = nil
	}
	if said := c.said.Load(); said != nil { // before anything else ended it
		p = *said
	}
	e.countParting(&p)
	if p.Why != nil && !p.Why.isMove() {
		c.session.fails("", p.Why)
	}
	e.h.Disconnected(c, p)
}

// At has a function called at a time by a goroutine of its own, unless the engine is
// closed before.
func (e *Engine) At(t time.Time, call func()) {
	e.schedule.at(t, func() { e.tasks.Go(call) })
}
