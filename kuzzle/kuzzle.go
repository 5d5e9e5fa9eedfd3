// Package kuzzle speaks Kuzzle's protocol over WebSocket, so that its clients need no
// change: each text is a request of package api, and rooms tell them as they tell everybody.
package kuzzle

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/api"
	"github.com/ambitmq/ambit/hooks"
	"github.com/ambitmq/ambit/sessions"
)

// protocol is what notifications call it.
const protocol = "websocket"

// Options are the settings of a [Server]. They are not written after [New].
type Options struct {
	// WriteTimeout is how long a client may leave its socket unread.
	WriteTimeout time.Duration
	// PingEvery is how often it is looked whether a client is still there. Defaults to
	// 30 s.
	PingEvery time.Duration
	// SignInBytes is how long a request may be of whoever has not shown yet who it is.
	SignInBytes int
}

// A Server serves the clients of a node. It may be used by many goroutines at once.
type Server struct {
	hook   *hooks.Hook
	opts   Options
	format *sessions.Format
}

// New returns a server of the requests and rooms of a node.
func New(hook *hooks.Hook, o Options) *Server {
	if o.PingEvery == 0 {
		o.PingEvery = 30 * time.Second
	}
	return &Server{hook: hook, opts: o, format: sessions.NewFormat(notification)}
}

// An Outlet is what a WebSocket writes to. It can hold that back, to have many notifications go out at once.
type Outlet interface {
	// Hold has what is written wait for Release, and then go out before a time, if that is not zero.
	Hold(until time.Time)
	Release() error
}

// A connection is one WebSocket.
type connection struct {
	*Server
	ws      *websocket.Conn
	out     Outlet
	arrival access.Arrival
	via     sessions.Via

	mu    sync.Mutex // guards it
	seats []*seat    // of those who ask on this connection
	// who came in without showing a token in a request, or why nobody did, once that was asked.
	who     *access.Identity
	shut    error
	entered bool
}

// Serve speaks with a client until its connection ends, or closing is done. out is what ws writes to.
func (s *Server) Serve(ctx, closing context.Context, ws *websocket.Conn, out Outlet, a access.Arrival, via sessions.Via) {
	c := &connection{Server: s, ws: ws, out: out, arrival: a, via: via}
	if err := s.hook.Door().Approach("", a.From); err != nil {
		_ = ws.Close(websocket.StatusPolicyViolation, cut(err.Error())) // whether the client says so, too, does not matter
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() { c.watch(ctx, closing) })
	defer watching.Wait()
	defer cancel()
	defer c.leave()
	for {
		most := c.requestBytes()
		ws.SetReadLimit(int64(most))
		_, text, err := ws.Read(ctx)
		if err == nil {
			err = c.take(ctx, text)
		}
		switch {
		case errors.Is(err, websocket.ErrMessageTooBig):
			_ = ws.Close(websocket.StatusMessageTooBig, "a request may have "+strconv.Itoa(most)+" bytes") // and reads the rest, so that the client gets to read that
			return
		case err != nil:
			_ = ws.CloseNow() // it is gone, or has been told why
			return
		}
	}
}

// watch ends a connection whose client does not answer, or when the broker ends.
func (c *connection) watch(ctx, closing context.Context) {
	ticker := time.NewTicker(c.opts.PingEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-closing.Done():
			_ = c.ws.Close(websocket.StatusGoingAway, "the broker shuts down") // whether the client says so, too, does not matter
			return
		case <-ticker.C:
			limited, cancel := context.WithTimeout(ctx, c.opts.PingEvery)
			err := c.ws.Ping(limited)
			cancel()
			if err != nil {
				_ = c.ws.CloseNow() // its reader sees that
				return
			}
		}
	}
}

// take answers one text.
func (c *connection) take(ctx context.Context, text []byte) error {
	if len(text) == 0 {
		return nil
	}
	ask := read(text)
	if ask.ping {
		return c.write(ctx, []byte(`{"p":2}`))
	}
	if !ask.shows && !api.IsForAll(ask.controller, ask.action) {
		c.enter()
	}
	from := api.Caller{Name: protocol + " " + c.arrival.From.String(), Protocol: protocol, Identity: c.who, Arrival: c.arrival}
	from.Arrival.Login = nil // a request shows its own
	if c.who != nil {
		from.User = c.who.User
	}
	var asks *seat
	done := func() {} // with a request in which others may wait for this client
	from.Member = func(who *access.Identity) (api.Member, error) {
		var err error
		if asks, err = c.seat(who); err != nil {
			return nil, err
		}
		done = asks.Busy()
		return asks, nil
	}
	answer := c.hook.API().Serve(context.WithoutCancel(ctx), from, "", "", text)
	err := c.write(ctx, answer.Body)
	if asks != nil {
		asks.Answered()
		done()
		if ask.controller == "auth" && ask.action == "logout" && answer.Status == http.StatusOK {
			c.drop(asks)
			asks.Close()
		}
	}
	return err
}

// A question is what has to be known of a text before it is answered.
type question struct {
	ping               bool
	controller, action string
	shows              bool // a token
}

// read reads a text as far as it is needed. What cannot be read is refused later on.
func read(text []byte) question {
	var members map[string]any
	if json.Unmarshal(text, &members) != nil {
		return question{}
	}
	q := question{ping: len(members) == 1 && members["p"] == 1.0, shows: members["jwt"] != nil && members["jwt"] != ""}
	q.controller, _ = members["controller"].(string)
	q.action, _ = members["action"].(string)
	return q
}

// enter finds out who is there without a token in a request: not before somebody asks so, for most
// who connect sign in then.
func (c *connection) enter() {
	if c.entered {
		return
	}
	who, err := c.hook.Door().Enter(c.arrival)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.who, c.shut, c.entered = who, err, true
	if who != nil {
		c.via.Asked()
	}
}

// write writes one text.
func (c *connection) write(ctx context.Context, text []byte) error {
	ctx, cancel := context.WithTimeout(ctx, c.opts.WriteTimeout)
	defer cancel()
	return c.ws.Write(ctx, websocket.MessageText, text)
}

// maxSeats is as how many users, and with how many rights of theirs, one connection may ask.
const maxSeats = 16

// seat returns the client that somebody is on this connection. Who shows a key that may do less than the token before it
// is another one.
func (c *connection) seat(who *access.Identity) (*seat, error) {
	if who == nil {
		return nil, cmp.Or(c.shut, access.ErrMustSignIn)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.seats, func(s *seat) bool { return s.who.MayAs(who) })
	if i >= 0 {
		c.seats[i].renew(who)
		return c.seats[i], nil
	}
	if len(c.seats) == maxSeats {
		return nil, errors.New("as many users as may ask on one connection have asked")
	}
	s := &seat{connection: c, who: who, rooms: map[string][]string{}}
	var err error
	s.Subscriber, err = c.hook.Attach(s, sessions.Attachment{Protocol: protocol, Format: c.format, Remote: c.arrival.From, Via: c.via, Identity: who})
	if err != nil {
		return nil, err
	}
	c.seats = append(c.seats, s)
	c.via.Asked()
	return s, nil
}

// requestBytes is how long the next request may be.
func (c *connection) requestBytes() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.who == nil && len(c.seats) == 0 && !c.hook.Door().IsOpen(c.arrival) {
		return min(c.opts.SignInBytes, c.via.PacketBytes)
	}
	return c.via.PacketBytes
}

// drop forgets a seat.
func (c *connection) drop(s *seat) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seats = slices.DeleteFunc(c.seats, func(other *seat) bool { return other == s })
}

// leave ends all seats.
func (c *connection) leave() {
	c.mu.Lock()
	seats := c.seats
	c.seats = nil
	c.mu.Unlock()
	for _, s := range seats {
		s.Close()
	}
}
