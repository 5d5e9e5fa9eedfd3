// Package agnost speaks to the realtime clients of Agnost, and of Altogic which came before it, so that they need
// no change: events of Socket.IO by which channels are joined and messages sent. They are the channels of
// package channels, and rooms, of which these clients are told as everybody is.
package agnost

import (
	"net/http"
	"sync"

	"github.com/coder/websocket"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/hooks"
	"github.com/ambitmq/ambit/sessions"
	"github.com/ambitmq/ambit/socketio"
	"github.com/ambitmq/ambit/web"
)

// protocol is what others are told it is.
const protocol = "agnost"

// Options are the settings of a [Server]. They are not written after [New].
type Options struct {
	// Env is the environment that clients have to name. "" is any.
	Env string
	// KeyRequired and SessionRequired say that whoever connects has to show an API key, and a token.
	KeyRequired, SessionRequired bool
	// SignInBytes is how long a packet may be of whoever has not come in.
	SignInBytes int
	// RequestBytes is how long a request may be now.
	RequestBytes func() int
	Sockets      socketio.Options
}

// A Server serves the clients of a node. It may be used by many goroutines at once.
type Server struct {
	hook   *hooks.Hook
	opts   Options
	format *sessions.Format
	*socketio.Server

	mu    sync.Mutex           // guards it
	keyed map[*client]struct{} // those that have shown a key beside a session
}

// New returns a server of the channels and rooms of a node.
func New(hook *hooks.Hook, o Options) *Server {
	return &Server{hook: hook, opts: o, format: sessions.NewFormat(told), Server: socketio.New(o.Sockets), keyed: map[*client]struct{}{}}
}

// A Listener is where requests come in.
type Listener interface {
	// Upgrade makes a request a WebSocket, or answers it and returns nil.
	Upgrade(w http.ResponseWriter, r *http.Request) *websocket.Conn
	// Visit counts a session among the clients of the listener, and returns how it came in. end ends it, for there
	// may be too many that have not said who they are.
	Visit(r *http.Request, end func()) (Visit, error)
}

// A Visit is a session at a listener.
type Visit interface {
	Via() sessions.Via
	// Moved says that the session goes on by a WebSocket, which a request has become.
	Moved(r *http.Request)
	// Leave says that it is over.
	Leave()
}

// Serve answers a request of Socket.IO that came in at a site. Nobody comes in by GET alone: that takes a POST, or
// a WebSocket.
func (s *Server) Serve(w http.ResponseWriter, r *http.Request, site *web.Server, at Listener) {
	a, err := site.Approach(w, r)
	if err != nil {
		socketio.Forbid(w)
		return
	}
	shareCredentials(w)
	s.Server.Serve(w, r, host{s, a, at, r})
}

// shareCredentials lets pages that may ask do so with what the browser adds of its own: Altogic's client
// wants that. Nothing of it is looked at.
func shareCredentials(w http.ResponseWriter) {
	if w.Header().Get("Access-Control-Allow-Origin") != "" {
		w.Header().Set("Access-Control-Allow-Credentials", "true")
	}
}

// A host is where a request came in.
type host struct {
	server *Server
	from   access.Arrival
	at     Listener
	r      *http.Request
}

// Upgrade implements [socketio.Host].
func (h host) Upgrade(w http.ResponseWriter, r *http.Request) *websocket.Conn {
	return h.at.Upgrade(w, r)
}

// Begin implements [socketio.Host].
func (h host) Begin(conn *socketio.Conn) (socketio.Client, socketio.Limits, error) {
	if err := h.server.hook.Door().Approach("", h.from.From); err != nil {
		return nil, socketio.Limits{}, err
	}
	c := &client{Server: h.server, conn: conn, from: h.from, joined: map[string]string{}}
	var err error
	if c.visit, err = h.at.Visit(h.r, conn.Close); err != nil {
		return nil, socketio.Limits{}, err
	}
	c.via = c.visit.Via()
	limits := socketio.Limits{PayloadBytes: c.via.PacketBytes, SignInBytes: h.server.opts.SignInBytes, ConnectTimeout: c.via.ConnectTimeout}
	if h.server.hook.Door().IsOpen(h.from) {
		limits.SignInBytes = limits.PayloadBytes
	}
	return c, limits, nil
}
