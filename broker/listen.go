package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/ambitmq/ambit/sessions"
)

// acceptRetry is how long to wait after a failed accept, which happens when the
// process has no file descriptor left.
const acceptRetry = 100 * time.Millisecond

// subprotocols are the WebSocket sub-protocols of MQTT [MQTT-6.0.0-3], and its
// name before it was standardised.
var subprotocols = []string{"mqtt", "mqttv3.1"}

// listeners accept clients on TCP and WebSocket, and know when all are gone.
type listeners struct {
	cfg   Config
	log   *slog.Logger
	serve func(net.Conn, sessions.Via)
	// failed is called when no more clients can be accepted.
	failed func(error)

	mqtt net.Listener
	http net.Listener
	web  *http.Server

	closing context.Context // is done when no more clients are accepted
	stop    context.CancelFunc
	running sync.WaitGroup // the accept loops and the clients
}

// listen opens both addresses. Nobody is accepted before start.
func listen(ctx context.Context, cfg Config, log *slog.Logger) (*listeners, error) {
	l := &listeners{cfg: cfg, log: log}
	var lc net.ListenConfig
	var err error
	if l.mqtt, err = lc.Listen(ctx, "tcp", cfg.MQTT); err != nil {
		return nil, err
	}
	if l.http, err = lc.Listen(ctx, "tcp", cfg.HTTP); err != nil {
		return nil, errors.Join(err, l.mqtt.Close())
	}
	l.closing, l.stop = context.WithCancel(context.WithoutCancel(ctx))
	return l, nil
}

// start accepts clients.
func (l *listeners) start() {
	mux := http.NewServeMux()
	mux.HandleFunc("/mqtt", l.serveWebSocket)
	l.web = &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: l.cfg.Limits.ConnectTimeout,
		IdleTimeout:       l.cfg.Limits.ConnectTimeout,
		MaxHeaderBytes:    l.cfg.Limits.ConnectBytes,
		ErrorLog:          slog.NewLogLogger(l.log.Handler(), slog.LevelDebug),
	}
	l.running.Go(l.accept)
	l.running.Go(func() {
		if err := l.web.Serve(l.http); !errors.Is(err, http.ErrServerClosed) {
			l.failed(fmt.Errorf("broker: HTTP listener: %w", err))
		}
	})
}

// close accepts nobody any more. Clients stay.
func (l *listeners) close() {
	l.stop()
	_ = l.mqtt.Close() // what is accepted is not touched; there is nothing to lose
	if l.web != nil {
		_ = l.web.Close()
	}
	_ = l.http.Close()
}

// accept takes TCP clients until the listener is closed.
func (l *listeners) accept() {
	for {
		c, err := l.mqtt.Accept()
		if l.closing.Err() != nil {
			if err == nil {
				_ = c.Close() // it came too late
			}
			return
		}
		if err != nil {
			l.log.Warn("accept", "error", err)
			select {
			case <-time.After(acceptRetry):
			case <-l.closing.Done():
			}
			continue
		}
		l.running.Go(func() { l.serve(c, sessions.Via{Name: "mqtt"}) })
	}
}

// serveWebSocket upgrades an HTTP request to an MQTT connection.
func (l *listeners) serveWebSocket(w http.ResponseWriter, r *http.Request) {
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols:   subprotocols,
		OriginPatterns: l.cfg.Origins,
	})
	if err != nil {
		l.log.Warn("websocket refused", "remote", r.RemoteAddr, "reason", err)
		return // Accept has answered
	}
	if ws.Subprotocol() == "" {
		_ = ws.Close(websocket.StatusPolicyViolation, "the sub-protocol must be mqtt") // nothing was said yet
		return
	}
	l.running.Add(1)
	defer l.running.Done()
	// The connection outlives the request; NetConn reads it in pieces, so that a
	// frame has no size that matters.
	c := websocket.NetConn(context.WithoutCancel(r.Context()), ws, websocket.MessageBinary)
	l.serve(webSocket{c, ws}, sessions.Via{Name: "http"})
}

// A webSocket closes at once: the closing handshake of the library would have
// everybody who closes a connection wait for its client.
type webSocket struct {
	net.Conn
	ws *websocket.Conn
}

// Close closes the connection without a handshake.
func (c webSocket) Close() error { return c.ws.CloseNow() }
