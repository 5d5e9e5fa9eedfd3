package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/ambitmq/ambit/access"
)

// IsOurs says whether a request, also for a WebSocket, may come from where it
// comes from: from a page of the host that it is sent to, of one of the origins, or
// from no page at all. Origins are hosts, or scheme://host, as in [path.Match].
func IsOurs(r *http.Request, origins []string) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false
	}
	return strings.EqualFold(u.Host, r.Host) || access.OriginIs(origin, origins)
}

// preflight answers the question of a browser whether a page of another host may
// ask.
func (s *Server) preflight(w http.ResponseWriter, r *http.Request) {
	if !IsOurs(r, s.opts.Origins) {
		s.answer(w, s.router.Refuse("", "", errorOf(errOrigin)))
		return
	}
	share(w, r)
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", "POST")
	h.Set("Access-Control-Allow-Headers", "Content-Type, Authorization")
	w.WriteHeader(http.StatusNoContent)
}

// share lets the page that asks see the answer.
func share(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Origin")
	if origin := r.Header.Get("Origin"); origin != "" {
		w.Header().Set("Access-Control-Allow-Origin", origin)
	}
}
