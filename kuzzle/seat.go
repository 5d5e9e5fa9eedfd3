package kuzzle

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/api"
	"github.com/ambitmq/ambit/hooks"
	"github.com/ambitmq/ambit/sessions"
)

// A seat is what one user is on a connection by the roles of a token: a client of the engine, under those rights. In Kuzzle
// as here each request says anew who asks.
type seat struct {
	*sessions.Subscriber
	connection *connection
	who        *access.Identity    // guarded by the connection's mutex
	rooms      map[string][]string // topic filters by the room's id; the reader's own

	limit atomic.Pointer[time.Time] // of writes; the engine may set it while one is under way
}

var (
	_ api.Member    = (*seat)(nil)
	_ sessions.Wire = (*seat)(nil)
)

// renew has the seat be there for as long as another token of its user counts, if that is longer.
func (s *seat) renew(who *access.Identity) {
	if s.who.Credential == who.Credential || s.who.Expires.IsZero() || !who.Expires.IsZero() && !who.Expires.After(s.who.Expires) {
		return
	}
	s.who = who
	s.connection.hook.RenewAs(s.Subscriber, who)
}

// Subscribe implements [api.Member].
func (s *seat) Subscribe(roomID, topicFilter string, volatile []byte) (channel string, err error) {
	if err = s.Pause(); err == nil {
		err = s.Subscriber.Subscribe(topicFilter, volatile)
	}
	if err != nil {
		return "", hooks.Told(err)
	}
	if !slices.Contains(s.rooms[roomID], topicFilter) {
		s.rooms[roomID] = append(s.rooms[roomID], topicFilter)
	}
	return channelOf(topicFilter), nil
}

// Unsubscribe implements [api.Member]. As in Kuzzle, it ends all subscriptions to the room, and
// others are told with the volatile data with which it was joined.
func (s *seat) Unsubscribe(roomID string) bool {
	left := false
	for _, topicFilter := range s.rooms[roomID] {
		left = s.Subscriber.Unsubscribe(topicFilter, nil) || left
	}
	delete(s.rooms, roomID)
	return left
}

// SetWriteDeadline implements [sessions.Wire].
func (s *seat) SetWriteDeadline(t time.Time) error {
	s.limit.Store(&t)
	return nil
}

// Write implements [sessions.Wire].
func (s *seat) Write(b []byte) (int, error) {
	c := s.connection
	limit := time.Time{}
	if t := s.limit.Load(); t != nil {
		limit = *t
	}
	c.out.Hold(limit)
	var err error
	for text := range sessions.Frames(b) {
		if err = c.ws.Write(context.Background(), websocket.MessageText, text); err != nil { // it has until the limit
			break
		}
	}
	if err = errors.Join(err, c.out.Release()); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Ended implements [sessions.Wire]. Who was somebody for a time can go on as somebody else; else the
// connection ends, with the code by which Kuzzle ends one.
func (s *seat) Ended(why *sessions.Error) {
	c := s.connection
	c.drop(s)
	if c.overOf(s) && why.IsOver() {
		_ = c.write(context.Background(), expired(c.hook.TokenExpired())) // fails when the client has gone
		return
	}
	_ = c.ws.Close(websocket.StatusInternalError, cut(why.Text)) // whether the client says so, too, does not matter
}

// overOf says whether the user of a seat shows who it is with each request.
func (c *connection) overOf(s *seat) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return s.who != c.who
}

// expired returns the notice that a token counts no more, as WebSockets are told.
func expired(notice string) []byte {
	return []byte(strings.TrimSuffix(notice, "}") + `,"room":"kuzzle:notification:server"}`)
}

// cut shortens a text for a close frame, which has room for 123 bytes.
func cut(text string) string {
	const most = 120
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "")
}
