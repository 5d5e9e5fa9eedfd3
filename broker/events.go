package broker

import (
	"net/http"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/sessions"
	"github.com/ambitmq/ambit/web"
)

// routeEvents adds to a mux what is told over HTTP for as long as a client stays.
func (l *listeners) routeEvents(ln *listener, mux *http.ServeMux, site *web.Server) {
	const room = "/api/rooms/{index}/{collection}"
	mux.HandleFunc("OPTIONS "+room, func(w http.ResponseWriter, r *http.Request) { site.Preflight(w, r, http.MethodGet) })
	mux.HandleFunc("GET "+room, func(w http.ResponseWriter, r *http.Request) {
		l.stay(ln, r, func(via sessions.Via) { l.events.Serve(w, r, site, via) })
	})
}

// routePocketBase adds to a mux what PocketBase's clients ask for.
func (l *listeners) routePocketBase(ln *listener, mux *http.ServeMux, site *web.Server) {
	l.pocketbase.Routes(mux, site, func(r *http.Request, serve func(sessions.Via)) {
		if !l.hook.Door().IsOpen(access.Arrival{From: web.RemoteOf(r), Peer: ln.webPeer(r)}) {
			g := guestOf(r)
			g.wait() // on a stream nobody says who it is, but when subscribing
			defer g.asked()
		}
		l.stay(ln, r, serve)
	})
}

// stay counts a request as a client of a listener while it is served.
func (l *listeners) stay(ln *listener, r *http.Request, serve func(sessions.Via)) {
	served := ln.served.Add(1)
	defer ln.served.Add(-1)
	serve(l.via(ln, served, web.RemoteOf(r), ln.webPeer(r), guestOf(r)))
}
