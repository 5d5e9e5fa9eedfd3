package broker

import (
	"context"
	"log/slog"
	"net"
	"net/http"

	"github.com/coder/websocket"

	"github.com/ambitmq/ambit/web"
)

// subprotocols are the WebSocket sub-protocols of MQTT [MQTT-6.0.0-3], and its
// name before it was standardised.
var subprotocols = []string{"mqtt", "mqttv3.1"}

func (l *listeners) newWebServer(ln *listener) *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("/mqtt", func(w http.ResponseWriter, r *http.Request) { l.serveWebSocket(ln, w, r) })
	site := l.site(ln)
	requests := l.requests(ln, site)
	for _, path := range []string{"/", "/api/", "/metrics", "/healthz", "/readyz"} {
		mux.Handle(path, requests)
	}
	return &http.Server{
		Handler:           l.greet(l.orKuzzle(ln, l.orAgnost(ln, site, mux))),
		ConnContext:       func(ctx context.Context, c net.Conn) context.Context { return l.meet(ctx, ln, c) },
		ConnState:         l.part,
		ReadHeaderTimeout: ln.Limits.ConnectTimeout, // of the TLS handshake, too
		IdleTimeout:       ln.Limits.ConnectTimeout,
		MaxHeaderBytes:    l.now.Load().Limits.ConnectBytes,
		ErrorLog:          slog.NewLogLogger(l.log.Handler(), slog.LevelDebug),
	}
}

// site returns what a listener serves over HTTP.
func (l *listeners) site(ln *listener) *web.Server {
	return web.New(l.hook.API(), l.hook.Door(), web.Options{
		Pages: l.pages, RequestBytes: func() int { return l.packetBytes(ln) }, SignInBytes: l.now.Load().Limits.ConnectBytes,
		ReadTimeout: ln.Limits.ConnectTimeout, WriteTimeout: l.now.Load().Limits.WriteTimeout,
		Peer: ln.webPeer,
	})
}

// requests serves the request API at a listener.
func (l *listeners) requests(ln *listener, s *web.Server) http.Handler {
	mux := http.NewServeMux()
	s.Routes(mux)
	l.routeEvents(ln, mux, s)
	l.routePocketBase(ln, mux, s)
	mux.Handle("GET /metrics", s.Scrape(l.metrics))
	mux.HandleFunc("GET /healthz", l.health)
	mux.HandleFunc("GET /readyz", l.readiness)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.running.Add(1)
		defer l.running.Done()
		mux.ServeHTTP(w, r)
	})
}

// pages returns the hosts whose pages may ask now.
func (l *listeners) pages() web.Pages {
	cfg := l.now.Load()
	return web.Pages{Origins: cfg.Origins, Hosts: cfg.hosts(), Names: cfg.Hosts}
}

// serveWebSocket upgrades an HTTP request to an MQTT connection.
func (l *listeners) serveWebSocket(ln *listener, w http.ResponseWriter, r *http.Request) {
	ws := l.upgrade(ln, w, r, subprotocols)
	if ws == nil {
		return
	}
	if ws.Subprotocol() == "" {
		defer guestOf(r).leave()
		_ = ws.Close(websocket.StatusPolicyViolation, "the sub-protocol must be mqtt") // nothing was said yet
		return
	}
	l.running.Add(1)
	defer l.running.Done()
	g := guestOf(r)
	defer g.leave()
	// The connection outlives the request; NetConn reads it in pieces, so that a
	// frame has no size that matters.
	c := websocket.NetConn(context.WithoutCancel(r.Context()), ws, websocket.MessageBinary)
	l.enter(ln, webSocket{c, ws}, ln.webPeer(r), g)
}

// upgrade makes an HTTP request a WebSocket, or answers it and returns nil.
func (l *listeners) upgrade(ln *listener, w http.ResponseWriter, r *http.Request, subprotocols []string) *websocket.Conn {
	if !web.IsOurs(r, l.pages()) {
		l.log.Warn("websocket refused", "listener", ln.Name, "remote", r.RemoteAddr, "reason", "a page of another host", "origin", r.Header.Get("Origin"))
		http.Error(w, "pages of another host may not open a WebSocket (see the settings origins and, for names by which the broker is reached, hosts)", http.StatusForbidden)
		return nil
	}
	w.Header().Set("Connection", "close") // unless it is upgraded
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols:       subprotocols,
		InsecureSkipVerify: true, // IsOurs has verified it
	})
	if err != nil {
		l.log.Warn("websocket refused", "listener", ln.Name, "remote", r.RemoteAddr, "reason", err)
		guestOf(r).leave()
		return nil // Accept has answered
	}
	return ws
}

// A webSocket closes at once: the closing handshake of the library would have
// everybody who closes a connection wait for its client.
type webSocket struct {
	net.Conn
	ws *websocket.Conn
}

// Close closes the connection without a handshake.
func (c webSocket) Close() error { return c.ws.CloseNow() }
