package web

import (
	"net"
	"net/http"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/api"
)

// Arrive says how a request came in that another package answers, and lets the page that asks see
// the answer. The error says that it is a page that may not ask, or may be one.
func (s *Server) Arrive(w http.ResponseWriter, r *http.Request) (access.Arrival, error) {
	a, err := s.Approach(w, r)
	if err == nil && r.Method == http.MethodGet && isNobodys(r, a, s.opts.Pages().Hosts) {
		return access.Arrival{}, errHost
	}
	return a, err
}

// Approach is Arrive of a request whose answer tells nothing to a page that does not say which it is:
// for a WebSocket, and for what others that say so have to come before, browsers do.
func (s *Server) Approach(w http.ResponseWriter, r *http.Request) (access.Arrival, error) {
	if !IsOurs(r, s.opts.Pages()) {
		return access.Arrival{}, errOrigin
	}
	share(w, r)
	return access.Arrival{From: RemoteOf(r), Peer: s.opts.Peer(r), Login: LoginOf(r)}, nil
}

// isNobodys says whether a request shows neither who asks nor which page, and is for a host that
// somebody else may have pointed to this machine: browsers do not say which page asks by GET for
// what is of the host that they take it for.
func isNobodys(r *http.Request, a access.Arrival, hosts []string) bool {
	named := r.Host == "" || isHost(hostname(r.Host), hosts) // browsers do not leave it out
	return a.Login == nil && a.Certificate == nil && r.Header.Get("Origin") == "" && !named
}

// CallerOf returns who asks by a protocol over HTTP, once it has come in: what it has shown for that is not
// looked at again.
func CallerOf(protocol string, who *access.Identity, a access.Arrival) api.Caller {
	from := api.Caller{Name: "user " + who.User, Protocol: protocol, User: who.User, Identity: who, Arrival: a}
	if who.User == "" {
		from.Name = addressOf(a.From)
	}
	from.Arrival.Login = nil
	return from
}

// TurnAway answers a request that does not come as far as what it asks for.
func (s *Server) TurnAway(w http.ResponseWriter, controller, action string, why error) {
	s.turnAway(w, controller, action, why)
}

// Answer writes an answer. A client that has gone is not told.
func (s *Server) Answer(w http.ResponseWriter, a api.Response) { s.answer(w, a) }

// AddressOf names who did not sign in by what counts as one address.
func AddressOf(addr net.Addr) string { return addressOf(addr) }
