// Package web is HTTP: it serves the requests of package api to whoever may
// come in, and the console, a page in which people do.
package web

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/api"
	"github.com/ambitmq/ambit/limits"
)

// Options are the settings of a [Server]. They are not written after [New].
type Options struct {
	// Pages are the hosts whose pages may ask, as they are now.
	Pages func() Pages
	// RequestBytes is how long a request may be now, and SignInBytes how long one of somebody
	// who has not come in, where that takes signing in.
	RequestBytes func() int
	SignInBytes  int
	// ReadTimeout is the time that a request has to come, and WriteTimeout the time
	// that its answer has to go, once it is made.
	ReadTimeout, WriteTimeout time.Duration
	// Peer says what the listener knows of who makes a request.
	Peer func(*http.Request) access.Peer
}

// Pages are those from where a browser may ask.
type Pages struct {
	// Origins are the hosts whose pages may ask, besides the server's own: patterns
	// as those of WebSockets.
	Origins []string
	// Hosts are the names of the server: patterns. Names are those by which whoever is on the
	// same machine, or does not sign in, may ask for what browsers ask for without saying for
	// which page.
	Hosts, Names []string
}

// A Server answers HTTP requests. It may be used by many goroutines at once.
type Server struct {
	router  *api.Router
	door    *access.Door
	opts    Options
	console *console
}

// New returns a server of the requests that router answers, for those whom door
// lets in.
func New(router *api.Router, door *access.Door, o Options) *Server {
	return &Server{router: router, door: door, opts: o, console: newConsole(o.WriteTimeout)}
}

// call answers POST /api/<controller>/<action>.
func (s *Server) call(w http.ResponseWriter, r *http.Request) {
	controller, action := r.PathValue("controller"), r.PathValue("action")
	from, text, err := s.read(w, r, api.IsForAll(controller, action))
	if err != nil {
		s.turnAway(w, controller, action, err)
		return
	}
	a := s.router.Serve(r.Context(), from, controller, action, text)
	if a.Stream != nil {
		s.stream(w, r, a)
		return
	}
	s.answer(w, a)
}

// read lets a caller in, and reads what it asks. What is for all may be asked also by
// somebody who cannot come in.
func (s *Server) read(w http.ResponseWriter, r *http.Request, forAll bool) (api.Caller, []byte, error) {
	a, err := s.Arrive(w, r)
	if err != nil {
		return api.Caller{}, nil, err
	}
	who := access.Nobody()
	if !forAll || a.Login != nil || a.Certificate != nil {
		who, err = s.door.Enter(a)
	}
	if err != nil && forAll {
		who, err = access.Nobody(), nil
	}
	if err != nil {
		return api.Caller{}, nil, err
	}
	from := CallerOf("http", who, a)
	from.Streams = true
	conn := http.NewResponseController(w)
	if err := conn.SetReadDeadline(time.Now().Add(s.opts.ReadTimeout)); err != nil {
		return from, nil, err
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(s.requestBytes(who, a))))
	if err == nil {
		err = conn.SetReadDeadline(time.Time{}) // else it would end the request while it is answered
	}
	if err == nil && len(text) == 0 {
		text = []byte("{}")
	}
	return from, text, err
}

// requestBytes is how long a request may be of who came in.
func (s *Server) requestBytes(who *access.Identity, a access.Arrival) int {
	if who == access.Nobody() && !s.door.IsOpen(a) {
		return min(s.opts.SignInBytes, s.opts.RequestBytes())
	}
	return s.opts.RequestBytes()
}

// LoginOf returns what a request signs in with: a name and a password, or a token or
// key alone. What is neither is a login of a kind that nobody can have.
func LoginOf(r *http.Request) *access.Login {
	if name, password, ok := r.BasicAuth(); ok {
		return &access.Login{Name: name, Password: []byte(password)}
	}
	authorization := r.Header.Get("Authorization")
	if authorization == "" {
		return nil
	}
	kind, secret, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(kind, "Bearer") {
		secret = ""
	}
	return &access.Login{Password: []byte(strings.TrimSpace(secret)), Bearer: true}
}

// turnAway answers a request that does not come as far as what it asks for. Who has to
// sign in is told how, and has the connection no longer: it would be kept alive for as long as
// somebody is refused.
func (s *Server) turnAway(w http.ResponseWriter, controller, action string, why error) {
	refused := s.router.Refuse(controller, action, errorOf(why))
	if refused.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="Ambit", charset="UTF-8"`)
		w.Header().Set("Connection", "close")
	}
	s.answer(w, refused)
}

// answer writes an answer. A client that has gone is not told.
func (s *Server) answer(w http.ResponseWriter, a api.Response) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(s.opts.WriteTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return // the connection is gone
	}
	w.WriteHeader(a.Status)
	_, _ = w.Write(append(a.Body, '\n')) // fails when the client has gone
}

// RemoteOf returns the address that a request comes from. One that is no TCP
// address is no machine's.
func RemoteOf(r *http.Request) net.Addr {
	if addr, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		return net.TCPAddrFromAddrPort(netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()))
	}
	return &net.IPAddr{}
}

// addressOf names who did not sign in by what counts as one address: whoever has a network of
// IPv6 may ask from any address in it.
func addressOf(addr net.Addr) string {
	if network := limits.NetworkOf(addr); network.IsValid() {
		return "address " + network.String()
	}
	return "address"
}
