package broker

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/web"
)

// orKuzzle serves WebSockets at /: those of MQTT, if they say so, and else Kuzzle's. Everything
// else goes on to next.
func (l *listeners) orKuzzle(ln *listener, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != "/" || !strings.EqualFold(r.Header.Get("Upgrade"), "websocket"):
			next.ServeHTTP(w, r)
		case slices.ContainsFunc(offered(r), func(p string) bool { return slices.Contains(subprotocols, p) }):
			l.serveWebSocket(ln, w, r)
		default:
			l.serveKuzzle(ln, w, r)
		}
	})
}

// offered returns the sub-protocols that a WebSocket offers to speak.
func offered(r *http.Request) []string {
	all := strings.Split(strings.Join(r.Header.Values("Sec-Websocket-Protocol"), ","), ",")
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return slices.DeleteFunc(all, func(p string) bool { return p == "" })
}

// serveKuzzle upgrades an HTTP request to a connection that speaks Kuzzle's protocol. Whatever
// sub-protocol it offers is taken: Kuzzle's client offers "null" in browsers. As long as it has not
// shown who it is, it counts as one that is half open.
func (l *listeners) serveKuzzle(ln *listener, w http.ResponseWriter, r *http.Request) {
	held := &corkable{ResponseWriter: w}
	ws := l.upgrade(ln, held, r, offered(r))
	if ws == nil {
		return
	}
	l.running.Add(1)
	defer l.running.Done()
	g := guestOf(r)
	defer g.leave()
	g.wait()
	served := ln.served.Add(1)
	defer ln.served.Add(-1)
	peer, from := ln.webPeer(r), web.RemoteOf(r)
	l.kuzzle.Serve(context.WithoutCancel(r.Context()), l.closing, ws, held.conn,
		access.Arrival{From: from, Peer: peer, Login: web.LoginOf(r)}, l.via(ln, served, from, peer, g))
}
