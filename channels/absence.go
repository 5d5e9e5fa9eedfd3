package channels

import (
	"context"
	"errors"
	"time"
)

// Connected says that a client is there. One whose session was resumed is where it was;
// another one has to join again within the grace time, and then nobody is told that it
// was away. Whoever has the client identifier now and is another user is in no channel.
// It does not wait until that is told.
func (e *Engine) Connected(ctx context.Context, clientID, user string, resumed bool, now time.Time) error {
	e.mu.Lock()
	c := e.clients[clientID]
	other := c != nil && c.away && c.user != user
	if c != nil && resumed {
		c.away = false
	}
	e.mu.Unlock()
	if !other {
		return nil
	}
	return e.leaveAll(ctx, clientID, 0, now)
}

// Disconnected says that the connection of a client has ended. It leaves its channels when
// the grace time is over, or at once if it is for good, because nobody can come back by
// that client identifier. user is who was connected: what a member says may be said by
// another one, who has shown a token. It does not wait until that is told.
func (e *Engine) Disconnected(ctx context.Context, clientID, user string, forGood bool, now time.Time) error {
	e.mu.Lock()
	c := e.clients[clientID]
	absence := 0
	if c != nil {
		c.away, c.user = true, user
		c.absence++
		absence = c.absence
	}
	e.mu.Unlock()
	switch {
	case c == nil:
		return nil
	case forGood || e.o.Grace <= 0:
		return e.leaveAll(ctx, clientID, absence, now)
	}
	e.o.At(now.Add(e.o.Grace), func() {
		_ = e.leaveAll(context.Background(), clientID, absence, time.Now()) // fails when the node ends
	})
	return nil
}

// leaveAll has a client leave all channels, if it is still away. When it cannot be told,
// it has left all the same.
func (e *Engine) leaveAll(ctx context.Context, clientID string, absence int, now time.Time) error {
	var failed error
	for _, name := range e.Of(clientID) {
		e.order.Lock()
		c, err := e.leave(name, clientID, "disconnected", absence)
		c.undo = func() {}
		if _, err = e.tell(ctx, c, err, now); !errors.Is(err, ErrNotMember) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}
