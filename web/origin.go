package web

import (
	"cmp"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/ambitmq/ambit/access"
)

// IsOurs says whether a request, also for a WebSocket, may come from where it
// comes from: from a page of the host that it is sent to, of one of the origins, or
// from no page at all. Origins are hosts, or scheme://host, as in [path.Match]. The host
// has to be an address, localhost, or one of hosts: any other name may be somebody else's, who
// has it mean this machine.
func IsOurs(r *http.Request, p Pages) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false
	}
	return strings.EqualFold(u.Host, r.Host) && isHost(u.Hostname(), p.Hosts) || access.OriginIs(origin, p.Origins)
}

// isHost says whether a host can only be the one that a request is sent to.
func isHost(name string, hosts []string) bool {
	name = strings.ToLower(name)
	if _, err := netip.ParseAddr(name); err == nil || name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	return slices.ContainsFunc(hosts, func(pattern string) bool {
		ok, err := path.Match(strings.ToLower(pattern), name)
		return err == nil && ok
	})
}

// hostname returns a host without its port, and an IPv6 address without brackets.
func hostname(host string) string { return (&url.URL{Host: host}).Hostname() }

// Preflight answers the question of a browser whether a page of another host may
// ask by some methods. Which headers of its own such a page sends does not matter.
func (s *Server) Preflight(w http.ResponseWriter, r *http.Request, methods string) {
	if !IsOurs(r, s.opts.Pages()) {
		s.answer(w, s.router.Refuse("", "", errorOf(errOrigin)))
		return
	}
	share(w, r)
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", methods)
	h.Set("Access-Control-Allow-Headers", cmp.Or(r.Header.Get("Access-Control-Request-Headers"), "Content-Type, Authorization"))
	w.WriteHeader(http.StatusNoContent)
}

// share lets the page that asks see the answer.
func share(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Origin")
	if origin := r.Header.Get("Origin"); origin != "" {
		w.Header().Set("Access-Control-Allow-Origin", origin)
	}
}
