package web

import (
	"net"
	"net/http"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/api"
)

// Arrive says how a request came in that another package answers, and lets the page that asks see
// the answer. The error says that it is a page that may not ask.
func (s *Server) Arrive(w http.ResponseWriter, r *http.Request) (access.Arrival, error) {
	if !IsOurs(r, s.opts.Pages()) {
		return access.Arrival{}, errOrigin
	}
	share(w, r)
	return access.Arrival{From: RemoteOf(r), Peer: s.opts.Peer(r), Login: LoginOf(r)}, nil
}

// TurnAway answers a request that does not come as far as what it asks for.
func (s *Server) TurnAway(w http.ResponseWriter, controller, action string, why error) {
	s.turnAway(w, controller, action, why)
}

// Answer writes an answer. A client that has gone is not told.
func (s *Server) Answer(w http.ResponseWriter, a api.Response) { s.answer(w, a) }

// AddressOf names who did not sign in by what counts as one address.
func AddressOf(addr net.Addr) string { return addressOf(addr) }
