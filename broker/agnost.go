package broker

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/ambitmq/ambit/agnost"
	"github.com/ambitmq/ambit/sessions"
	"github.com/ambitmq/ambit/socketio"
	"github.com/ambitmq/ambit/web"
)

// checkAgnost checks the settings of Agnost's protocol.
func (c Config) checkAgnost(k *check) {
	k.duration("agnost.ping_interval", c.Agnost.PingInterval, time.Second, time.Hour)
	k.duration("agnost.ping_timeout", c.Agnost.PingTimeout, time.Second, time.Hour)
}

func (b *Broker) newAgnost() *agnost.Server {
	cfg := b.listeners.now.Load()
	return agnost.New(b.hook, agnost.Options{
		Env: cfg.Agnost.Env, KeyRequired: cfg.Agnost.KeyRequired, SessionRequired: cfg.Agnost.SessionRequired,
		SignInBytes:  cfg.Limits.ConnectBytes,
		RequestBytes: func() int { return b.listeners.now.Load().Limits.PacketBytes },
		Sockets: socketio.Options{
			PingInterval: cfg.Agnost.PingInterval, PingTimeout: cfg.Agnost.PingTimeout,
			WriteTimeout: cfg.Limits.WriteTimeout, ReadTimeout: cfg.Limits.ConnectTimeout, Closing: b.listeners.closing,
		},
	})
}

// orAgnost serves what Agnost's and Altogic's clients ask for. Everything else goes on to next.
func (l *listeners) orAgnost(ln *listener, site *web.Server, next http.Handler) http.Handler {
	if !l.now.Load().Agnost.Enabled {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		serve := func(answer func()) {
			l.running.Add(1)
			defer l.running.Done()
			if isUpgrade(r) {
				defer guestOf(r).leave()
				w.Header().Set("Connection", "close") // unless it is upgraded
			}
			answer()
		}
		switch path := r.URL.Path; {
		case strings.HasPrefix(path, "/socket.io/"), path == "/realtime/", path == "/realtime/realtime/":
			serve(func() { l.agnost.Serve(w, r, site, entrance{l, ln}) })
		case agnost.IsMembers(path):
			serve(func() { l.agnost.ServeMembers(w, r, site) })
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// An entrance is a listener for sessions of Socket.IO.
type entrance struct {
	*listeners
	at *listener
}

// Upgrade implements [agnost.Listener].
func (e entrance) Upgrade(w http.ResponseWriter, r *http.Request) *websocket.Conn {
	return e.upgrade(e.at, w, r, nil)
}

// Visit implements [agnost.Listener].
func (e entrance) Visit(r *http.Request, end func()) (agnost.Visit, error) {
	v, from := &visit{entrance: e}, web.RemoteOf(r)
	if isUpgrade(r) {
		v.guest = guestOf(r)
		v.guest.wait()
	} else if v.guest = e.crowd.board(from, ender(end)); v.guest == nil {
		return nil, errFull
	}
	served := e.at.served.Add(1)
	v.via = e.via(e.at, served, from, e.at.webPeer(r), v.guest)
	v.via.Asked = v.asked
	return v, nil
}

var errFull = errors.New("there are as many connections as there may be")

// A visit is a session of Socket.IO. Over HTTP it counts as a connection; when it goes on by a WebSocket, that counts
// in its stead.
type visit struct {
	entrance
	via sessions.Via

	mu    sync.Mutex // guards what follows
	guest *guest
	in    bool
	left  bool
}

// Via implements [agnost.Visit].
func (v *visit) Via() sessions.Via { return v.via }

func (v *visit) asked() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.in = true
	v.guest.asked()
}

// Moved implements [agnost.Visit].
func (v *visit) Moved(r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	next := guestOf(r)
	if v.left {
		next.leave()
		return
	}
	v.guest.leave()
	if v.guest = next; !v.in {
		next.wait()
	}
}

// Leave implements [agnost.Visit].
func (v *visit) Leave() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.left = true
	v.guest.leave()
	v.at.served.Add(-1)
}

func isUpgrade(r *http.Request) bool { return strings.EqualFold(r.Header.Get("Upgrade"), "websocket") }

// An ender ends a session.
type ender func()

// Close implements [io.Closer]. Whoever closes it holds a lock that the end needs, too.
func (e ender) Close() error {
	go e()
	return nil
}
