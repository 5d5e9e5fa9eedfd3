package broker

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/agnost"
	"github.com/ambitmq/ambit/api"
	"github.com/ambitmq/ambit/events"
	"github.com/ambitmq/ambit/hooks"
	"github.com/ambitmq/ambit/kuzzle"
	"github.com/ambitmq/ambit/pocketbase"
	"github.com/ambitmq/ambit/sessions"
)

// acceptRetry is how long to wait after a failed accept, which happens when the
// process has no file descriptor left.
const acceptRetry = 100 * time.Millisecond

// listeners accept clients, and know when all are gone.
type listeners struct {
	now   atomic.Pointer[Config] // as it is since the last reload
	log   *slog.Logger
	serve func(net.Conn, sessions.Via)
	hook  *hooks.Hook // answers requests
	// kuzzle serves WebSockets that are not MQTT's.
	kuzzle *kuzzle.Server
	// events tells rooms over HTTP.
	events *events.Server
	// pocketbase serves PocketBase's clients.
	pocketbase *pocketbase.Server
	// agnost serves Agnost's and Altogic's clients.
	agnost *agnost.Server
	crowd  *crowd
	// metrics, health and readiness answer /metrics, /healthz and /readyz.
	metrics           http.Handler
	health, readiness http.HandlerFunc
	met               sync.Map // of net.Conn: the *guest of a connection of HTTP
	// failed is called when no more clients can be accepted.
	failed func(error)

	open []*listener

	closing context.Context // is done when no more clients are accepted
	stop    context.CancelFunc
	running sync.WaitGroup // the accept loops and the clients
}

// A listener is one that is open.
type listener struct {
	Listener
	net    net.Listener  // yields connections that have a PROXY header as *proxied
	secure *tls.Config   // or nil
	certs  *certificates // or nil
	web    *http.Server  // of WebSockets
	served atomic.Int64  // connections
}

// listen opens every listener. Nobody is accepted before start. The error names
// all that cannot be opened.
func listen(ctx context.Context, cfg Config, log *slog.Logger) (*listeners, error) {
	l := &listeners{log: log, crowd: newCrowd(cfg)}
	l.now.Store(&cfg)
	l.closing, l.stop = context.WithCancel(context.WithoutCancel(ctx))
	var faults []error
	keys, all := cfg.all()
	for i, settings := range all {
		ln, err := openListener(ctx, keys[i], settings, log)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		l.open = append(l.open, ln)
	}
	if len(faults) > 0 {
		l.close()
		return nil, errors.Join(faults...)
	}
	return l, nil
}

// openListener opens the listener of a setting.
func openListener(ctx context.Context, key string, settings Listener, log *slog.Logger) (*listener, error) {
	ln := &listener{Listener: settings}
	if settings.isSecure() {
		certs := &certificates{files: settings.TLS, log: log.With("listener", settings.Name)}
		if err := certs.load(); err != nil {
			return nil, fmt.Errorf("%s.tls.%w", key, err)
		}
		ln.certs = certs
		ln.secure = &tls.Config{MinVersion: tls.VersionTLS12, GetConfigForClient: certs.forClient}
	}
	var lc net.ListenConfig
	var err error
	if settings.Type == typeUnix {
		ln.net, err = listenUnix(ctx, settings)
	} else {
		ln.net, err = lc.Listen(ctx, "tcp", settings.Address)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	if settings.ProxyProtocol {
		if len(settings.Proxies) == 0 && settings.Type != typeUnix {
			log.Warn("whoever can reach the listener may say which address it comes from", "listener", settings.Name, "setting", "proxies")
		}
		ln.net = newProxyListener(ln.net, settings, log)
	}
	return ln, nil
}

// start accepts clients.
func (l *listeners) start() {
	for _, ln := range l.open {
		if !ln.isWebSocket() {
			l.running.Go(func() { l.accept(ln) })
			continue
		}
		ln.web = l.newWebServer(ln)
		from := ln.net
		if ln.secure != nil {
			from = tls.NewListener(from, ln.secure)
		}
		l.running.Go(func() {
			if err := ln.web.Serve(from); !errors.Is(err, http.ErrServerClosed) {
				l.failed(fmt.Errorf("broker: listener %s: %w", ln.Name, err))
			}
		})
	}
}

// close accepts nobody any more. Clients stay.
func (l *listeners) close() {
	l.stop()
	for _, ln := range l.open {
		_ = ln.net.Close() // what is accepted is not touched; there is nothing to lose
		if ln.web != nil {
			_ = ln.web.Close()
		}
	}
}

// address returns where a listener listens, or none.
func (l *listeners) address(name string) string {
	for _, ln := range l.open {
		if ln.Name == name {
			return ln.net.Addr().String()
		}
	}
	return none
}

// addresses returns where clients can connect from elsewhere: all but Unix sockets.
func (l *listeners) addresses() []api.Listener {
	var all []api.Listener
	for _, ln := range l.open {
		if ln.Type != typeUnix {
			all = append(all, api.Listener{Name: ln.Name, Type: ln.Type, Address: ln.net.Addr().String()})
		}
	}
	return all
}

// accept takes clients until the listener is closed.
func (l *listeners) accept(ln *listener) {
	for {
		c, err := ln.net.Accept()
		if l.closing.Err() != nil {
			if err == nil {
				_ = c.Close() // it came too late
			}
			return
		}
		if err != nil {
			l.log.Warn("accept", "listener", ln.Name, "error", err)
			select {
			case <-time.After(acceptRetry):
			case <-l.closing.Done():
			}
			continue
		}
		if g := l.crowd.come(c, ln.ProxyProtocol); g != nil {
			l.running.Go(func() { l.receive(ln, c, g) })
		}
	}
}

// receive serves a client once what comes before MQTT is done.
func (l *listeners) receive(ln *listener, c net.Conn, g *guest) {
	defer g.leave()
	ctx, cancel := context.WithTimeout(l.closing, ln.Limits.ConnectTimeout)
	begun, err := ln.begin(ctx, c)
	cancel()
	if err != nil {
		_ = c.Close() // the reason why is err
		ln.logRefusal(l.log, c, err)
		return
	}
	l.enter(ln, begun, ln.peerOf(begun), g)
}

// enter serves a client that came in at a listener.
func (l *listeners) enter(ln *listener, c net.Conn, peer access.Peer, g *guest) {
	served := ln.served.Add(1)
	defer ln.served.Add(-1)
	l.serve(c, l.via(ln, served, c.RemoteAddr(), peer, g))
}

// via returns how a client came in at a listener, as one of so many.
func (l *listeners) via(ln *listener, served int64, from net.Addr, peer access.Peer, g *guest) sessions.Via {
	return sessions.Via{
		Name: ln.Name, Full: ln.Limits.Connections > 0 && served > int64(ln.Limits.Connections),
		Crowded: !g.introduce(from), Asked: g.asked,
		Peer: peer, PacketBytes: l.packetBytes(ln), ConnectTimeout: ln.Limits.ConnectTimeout,
	}
}

// packetBytes is how long a packet or a request may be at a listener.
func (l *listeners) packetBytes(ln *listener) int {
	return cmp.Or(ln.Limits.PacketBytes, l.now.Load().Limits.PacketBytes)
}

// begin reads the PROXY header and shakes hands for TLS, where the listener has
// these, before ctx is done.
func (ln *listener) begin(ctx context.Context, c net.Conn) (net.Conn, error) {
	if p, ok := c.(*proxied); ok {
		if err := p.readHeader(ctx); err != nil {
			return nil, err
		}
	}
	if ln.secure == nil {
		return c, nil
	}
	secure := tls.Server(c, ln.secure)
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return secure, nil
}

// logRefusal logs why a connection did not come as far as MQTT. One that ends
// without a word is most often somebody who looks whether the broker is there.
func (ln *listener) logRefusal(log *slog.Logger, c net.Conn, err error) {
	level := slog.LevelWarn
	if errors.Is(err, io.EOF) || errors.Is(err, context.Canceled) {
		level = slog.LevelDebug
	}
	log.Log(context.Background(), level, "connection refused", "listener", ln.Name, "remote", c.RemoteAddr().String(), "reason", err)
}
