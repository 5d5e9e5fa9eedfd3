package agnost

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/api"
	"github.com/ambitmq/ambit/hooks"
	"github.com/ambitmq/ambit/sessions"
	"github.com/ambitmq/ambit/socketio"
	"github.com/ambitmq/ambit/topics"
)

// A client is who is on a session of Socket.IO: once it is in, a client of the engine.
type client struct {
	*Server
	conn  *socketio.Conn
	from  access.Arrival
	via   sessions.Via
	visit Visit

	// What follows is the reader's own, once the client is in.
	who     visitor
	echo    bool
	profile json.RawMessage   // a JSON object, or nil
	joined  map[string]string // the topic filters of the channels and rooms that it has joined

	mu     sync.Mutex // guards it
	seat   *sessions.Subscriber
	closed bool
	expiry *time.Timer // of a key beside a session, or nil

	limit atomic.Pointer[time.Time] // of writes; the engine may set it while one is under way
}

var (
	_ socketio.Client = (*client)(nil)
	_ sessions.Wire   = (*client)(nil)
)

// Connect implements [socketio.Client]. When the client knows that it is in, it is told already what is for everyone,
// and what is for its user, unless it has no right to that.
func (c *client) Connect(auth []byte) {
	if err := c.connect(auth); err != nil {
		why := errorOf(err)
		c.conn.Refuse(socketio.Refusal{Message: why.Message, Data: why})
		return
	}
	_ = c.seat.Subscribe(topics.ChannelEvent(topics.Everyone, "+"), nil)
	if c.who.User != "" {
		_ = c.seat.Subscribe(topics.UserEvents(c.who.User), nil)
	}
	c.conn.Admit(c.seat.ClientID())
	c.seat.Answered()
}

func (c *client) connect(auth []byte) error {
	shown, err := readHandshake(auth)
	if err != nil {
		return refuse(http.StatusBadRequest, badRequest, err.Error())
	}
	if env := c.opts.Env; env != "" && string(shown.Env) != env {
		return refuse(http.StatusNotFound, noEnvironment, "there is no environment of this name (see the setting agnost.env)")
	}
	who, err := c.enter(c.from, string(shown.Key), string(shown.Session))
	if err != nil {
		return err
	}
	c.who, c.echo = who, isTrue(shown.Echo)
	seat, err := c.hook.Attach(c, sessions.Attachment{Protocol: protocol, Format: c.format, Remote: c.from.From, Via: c.via, Identity: who.Identity})
	if err != nil {
		return err
	}
	c.note(c) // before it may be seen that the session is closed
	c.mu.Lock()
	c.seat = seat
	closed := c.closed
	c.mu.Unlock()
	if closed {
		c.forget(c)
		seat.Close()
		return socketio.ErrClosed
	}
	if c.via.Asked != nil {
		c.via.Asked()
	}
	return nil
}

// Closed implements [socketio.Client].
func (c *client) Closed() {
	c.mu.Lock()
	c.closed = true
	seat := c.seat
	c.mu.Unlock()
	c.forget(c)
	if seat != nil {
		seat.Close()
	}
	c.visit.Leave()
}

// Moved implements [socketio.Client].
func (c *client) Moved(r *http.Request) { c.visit.Moved(r) }

// SetWriteDeadline implements [sessions.Wire].
func (c *client) SetWriteDeadline(t time.Time) error {
	c.limit.Store(&t)
	return nil
}

// Write implements [sessions.Wire].
func (c *client) Write(b []byte) (int, error) {
	limit := time.Now().Add(c.opts.Sockets.WriteTimeout)
	if t := c.limit.Load(); t != nil && !t.IsZero() {
		limit = *t
	}
	if err := c.conn.Write(limit, sessions.Frames(b)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Ended implements [sessions.Wire]. Who may not be there any more does not come back by itself; everybody else does.
func (c *client) Ended(why *sessions.Error) {
	if why.IsOver() || hooks.Told(why).Status == http.StatusForbidden {
		c.conn.Disconnect()
		return
	}
	c.conn.Close()
}

// ask asks for something of channels, and reads the result.
func (c *client) ask(action string, arguments object, result any) error {
	id := c.seat.ClientID()
	from := api.Caller{Name: "client " + id, ClientID: id, User: c.who.User, Protocol: protocol, Identity: c.who.Identity, Arrival: c.from}
	from.Arrival.Login = nil // it has been shown
	return request(context.Background(), c.hook.API(), from, action, arguments, result)
}

type object = map[string]any

// request asks the API for something of channels, and reads the result.
func request(ctx context.Context, router *api.Router, from api.Caller, action string, arguments object, result any) error {
	text, err := json.Marshal(arguments)
	if err != nil {
		return err
	}
	told := struct {
		Result any        `json:"result"`
		Error  *api.Error `json:"error"`
	}{Result: result}
	if err := json.Unmarshal(router.Serve(ctx, from, "channel", action, text).Body, &told); err != nil {
		return err
	}
	if told.Error != nil {
		return told.Error
	}
	return nil
}

// Stays implements [socketio.Client]: it says whether the key that was shown beside a session still counts. All
// else the engine sees to. [Server.Recheck] asks earlier, unless the clock of the machine was put.
func (c *client) Stays() bool {
	if c.who.key == nil {
		return true
	}
	err := c.hook.Door().Still(c.who.key)
	if err == nil && !c.who.key.Expires.IsZero() && !time.Now().Before(c.who.key.Expires) {
		err = access.ErrExpired
	}
	if c.hook.Door().Bans.Has("", c.who.key.User, nil) {
		err = access.ErrBanned
	}
	return err == nil || errors.Is(err, access.ErrChanged)
}

// note has a client be asked for when keys change, and when its own expires, if it has shown one beside a session.
func (s *Server) note(c *client) {
	if c.who.key == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keyed[c] = struct{}{}
	if at := c.who.key.Expires; !at.IsZero() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.expiry = time.AfterFunc(time.Until(at), s.Recheck)
	}
}

// forget undoes note.
func (s *Server) forget(c *client) {
	c.mu.Lock()
	if c.expiry != nil {
		c.expiry.Stop()
	}
	c.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.keyed, c)
}

// Recheck ends the sessions of clients whose key, shown beside a session, counts no more.
func (s *Server) Recheck() {
	s.mu.Lock()
	all := slices.Collect(maps.Keys(s.keyed))
	s.mu.Unlock()
	for _, c := range all {
		if !c.Stays() {
			go c.conn.Disconnect() // it waits for a client that does not read
		}
	}
}
