package socketio

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// Options are the settings of a [Server]. They are not written after [New].
type Options struct {
	// PingInterval is how often a client is asked whether it is there, and PingTimeout how long it
	// has for its answer.
	PingInterval, PingTimeout time.Duration
	// WriteTimeout is how long a client may leave its socket unread, or its payloads, and
	// ReadTimeout how long a request may take to come.
	WriteTimeout, ReadTimeout time.Duration
	// BufferBytes is about how much is kept for a client between two of its polls. Defaults to 64 KiB.
	BufferBytes int
	// Closing is done when sessions that are in no namespace have to end. Nil is never.
	Closing context.Context
}

// A Server has the sessions of a node. It may be used by many goroutines at once.
type Server struct {
	opts               Options
	polled, webSockets atomic.Int64

	mu       sync.Mutex // guards it
	sessions map[string]*Conn
}

// New returns a server that has no sessions.
func New(o Options) *Server {
	if o.BufferBytes == 0 {
		o.BufferBytes = 64 << 10
	}
	if o.Closing == nil {
		o.Closing = context.Background()
	}
	return &Server{opts: o, sessions: map[string]*Conn{}}
}

// Sessions returns how many there are that are polled, and that have a WebSocket.
func (s *Server) Sessions() (polled, webSockets int64) { return s.polled.Load(), s.webSockets.Load() }

// counted returns where sessions are counted that have a WebSocket, or not.
func (s *Server) counted(ws *websocket.Conn) *atomic.Int64 {
	if ws == nil {
		return &s.polled
	}
	return &s.webSockets
}

// A Host is where a request came in.
type Host interface {
	// Upgrade makes a request a WebSocket, or answers it and returns nil.
	Upgrade(w http.ResponseWriter, r *http.Request) *websocket.Conn
	// Begin returns who is on a new session. It may refuse it with an error, whose text is told.
	Begin(c *Conn) (Client, Limits, error)
}

// Limits bound what a client sends.
type Limits struct {
	// PayloadBytes is how long a packet, or a payload of several, may be, and SignInBytes as long as the
	// client is not in.
	PayloadBytes, SignInBytes int
	// ConnectTimeout is how long the client has for coming in.
	ConnectTimeout time.Duration
}

// A Client is who is on a session. Its methods are called by one goroutine at a time, but for Stays and
// Closed.
type Client interface {
	// Connect answers a client that wants to come in, by what it shows: a JSON object, or nothing. It calls
	// [Conn.Admit] or [Conn.Refuse].
	Connect(auth []byte)
	// Event is called for each event that the client sends.
	Event(e Event)
	// Moved is called when the session goes on by a WebSocket, which a request has become.
	Moved(r *http.Request)
	// Stays is asked with each ping whether the client may stay.
	Stays() bool
	// Closed is called once, when the session is over.
	Closed()
}

// An Event is one that a client sends.
type Event struct {
	Name string
	Args []json.RawMessage
	// Binary says that it came with binary data, which is lost.
	Binary bool
	// Ack answers it. It is nil if the client does not ask for that.
	Ack func(args ...any)
}

// A Refusal is why a client does not come in.
type Refusal struct {
	Message string `json:"message"`
	Data    any    `json:"data,omitempty"`
}

// A fault is why a request is refused, with the codes of Engine.IO.
type fault struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	status  int
}

var (
	faultTransport = fault{0, "Transport unknown", http.StatusBadRequest}
	faultSession   = fault{1, "Session ID unknown", http.StatusBadRequest}
	faultMethod    = fault{2, "Bad handshake method", http.StatusBadRequest}
	faultRequest   = fault{3, "Bad request", http.StatusBadRequest}
	faultVersion   = fault{5, "Unsupported protocol version", http.StatusBadRequest}
)

// Forbid answers a request that may not be made from where it comes, as Engine.IO does.
func Forbid(w http.ResponseWriter) { fault{4, "Forbidden", http.StatusForbidden}.answer(w) }

func (f fault) answer(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(f.status)
	_ = json.NewEncoder(w).Encode(f) // fails when the client has gone
}

// The transports that there are.
const (
	polling   = "polling"
	webSocket = "websocket"
)

// Serve answers a request.
func (s *Server) Serve(w http.ResponseWriter, r *http.Request, host Host) {
	q := r.URL.Query()
	transport, id := q.Get("transport"), q.Get("sid")
	isUpgrade := strings.EqualFold(r.Header.Get("Upgrade"), webSocket)
	switch {
	case r.Method == http.MethodOptions:
		preflight(w, r)
	case transport != polling && transport != webSocket:
		faultTransport.answer(w)
	case isUpgrade != (transport == webSocket):
		faultRequest.answer(w)
	case id != "":
		s.goOn(w, r, host, id)
	case r.Method != http.MethodGet:
		faultMethod.answer(w)
	case q.Get("EIO") != "4":
		faultVersion.answer(w)
	case isUpgrade:
		s.beginWebSocket(w, r, host)
	default:
		s.beginPolling(w, host)
	}
}

// goOn answers a request of a session that is there.
func (s *Server) goOn(w http.ResponseWriter, r *http.Request, host Host, id string) {
	s.mu.Lock()
	c := s.sessions[id]
	s.mu.Unlock()
	transport := r.URL.Query().Get("transport")
	switch {
	case c == nil:
		faultSession.answer(w)
	case transport == webSocket:
		c.upgrade(w, r, host)
	case c.hasWebSocket():
		faultRequest.answer(w)
	case r.Method == http.MethodGet:
		c.poll(w, r)
	case r.Method == http.MethodPost:
		c.post(w, r)
	default:
		faultRequest.answer(w)
	}
}

// preflight answers the question of a browser whether a page of another host may ask, which has
// been looked at.
func preflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", "GET, POST")
	if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		h.Set("Access-Control-Allow-Headers", asked)
	}
	w.WriteHeader(http.StatusNoContent)
}

// begin returns a new session, or answers the request and returns nil.
func (s *Server) begin(w http.ResponseWriter, host Host, ws *websocket.Conn) *Conn {
	c := &Conn{server: s, id: rand.Text(), ws: ws, changed: make(chan struct{})}
	var err error
	if c.client, c.limits, err = host.Begin(c); err != nil {
		if w != nil {
			fault{4, err.Error(), http.StatusForbidden}.answer(w)
		}
		return nil
	}
	s.counted(ws).Add(1)
	s.mu.Lock()
	s.sessions[c.id] = c
	s.mu.Unlock()
	c.mu.Lock()
	c.heart = time.AfterFunc(s.opts.PingInterval, c.beat)
	c.entry = time.AfterFunc(c.limits.ConnectTimeout, c.late)
	c.unwatch = context.AfterFunc(s.opts.Closing, c.late)
	c.begun = true
	ending := c.ending
	c.mu.Unlock()
	if ending {
		c.end()
	}
	return c
}

// forget takes a session out.
func (s *Server) forget(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, id)
}

// open returns the first packet of a session.
func (c *Conn) open(upgrades ...string) []byte {
	o := c.server.opts
	text, err := json.Marshal(struct {
		ID           string   `json:"sid"`
		Upgrades     []string `json:"upgrades"`
		PingInterval int64    `json:"pingInterval"`
		PingTimeout  int64    `json:"pingTimeout"`
		MaxPayload   int      `json:"maxPayload"`
	}{c.id, append([]string{}, upgrades...), o.PingInterval.Milliseconds(), o.PingTimeout.Milliseconds(), c.limits.PayloadBytes})
	if err != nil {
		panic(err) // it is made of texts and numbers
	}
	return append([]byte{typeOpen}, text...)
}
