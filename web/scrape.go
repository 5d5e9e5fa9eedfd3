package web

import (
	"net"
	"net/http"

	"github.com/ambitmq/ambit/access"
)

// Scrape serves metrics to this machine, and to whoever may come in and execute
// server:metrics. What a proxy on this machine passes on is not of this machine, and neither is
// what is asked of a name that may be somebody else's (see isNobodys).
func (s *Server) Scrape(next http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := s.mayScrape(r); err != nil {
			s.turnAway(w, "server", "metrics", err)
			return
		}
		next.ServeHTTP(w, r)
	}
}

func (s *Server) mayScrape(r *http.Request) error {
	if !IsOurs(r, s.opts.Pages()) {
		return errOrigin
	}
	a := access.Arrival{From: RemoteOf(r), Peer: s.opts.Peer(r), Login: LoginOf(r)}
	tcp, ok := a.From.(*net.TCPAddr)
	passedOn := r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != ""
	named := r.Host == "" || isHost(hostname(r.Host), s.opts.Pages().Names) // browsers do not leave it out
	if ok && tcp.IP.IsLoopback() && !passedOn && named {
		return nil
	}
	if a.Login == nil && a.Certificate == nil && !passedOn && !named {
		return errHost
	}
	if a.Login == nil && passedOn {
		return access.ErrMustSignIn
	}
	who, err := s.door.Enter(a)
	if err != nil {
		return err
	}
	if s.door.Access.Policy().Rights(who, "").MayCall("server", "metrics") != nil {
		return access.ErrDenied
	}
	return nil
}
