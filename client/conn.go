package client

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/coder/websocket"
)

// A conn buffers a connection for paho, which reads a packet in pieces of one
// byte and writes it in several: the pieces of a packet leave in one write,
// and over a WebSocket in one frame. Paho holds the lock while it writes a
// packet.
type conn struct {
	net.Conn
	r *bufio.Reader

	mu sync.Mutex // guards w
	w  *bufio.Writer

	failed atomic.Pointer[error] // why writing failed, if it did
}

var _ sync.Locker = (*conn)(nil)

// Read reads. Its error is that of an earlier write if there was one: it says
// more than that the connection is closed.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if failed := c.failed.Load(); err != nil && failed != nil {
		err = *failed
	}
	return n, err
}

// Write keeps p until Unlock.
func (c *conn) Write(p []byte) (int, error) { return c.w.Write(p) }

// Lock begins a packet.
func (c *conn) Lock() { c.mu.Lock() }

// Unlock sends what was written. If that fails the connection is of no more
// use: it is closed, and whoever reads from it learns why.
func (c *conn) Unlock() {
	if err := c.w.Flush(); err != nil {
		c.failed.CompareAndSwap(nil, &err)
		_ = c.Close() // the connection has failed already
	}
	c.mu.Unlock()
}

// dial connects to a broker as [Options] names it.
func dial(ctx context.Context, broker string, secure *tls.Config) (*conn, error) {
	inner, err := DialConn(ctx, broker, secure)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: inner, r: bufio.NewReader(inner), w: bufio.NewWriter(inner)}, nil
}

// DialConn connects to a broker as [Options] names it, and says nothing yet: it is for
// programs that speak MQTT themselves.
func DialConn(ctx context.Context, broker string, secure *tls.Config) (net.Conn, error) {
	network, address, err := parseBroker(broker)
	if err != nil {
		return nil, err
	}
	var inner net.Conn
	switch network {
	case "ws":
		inner, err = dialWebSocket(ctx, address, secure)
	case "tls":
		d := tls.Dialer{Config: secure}
		inner, err = d.DialContext(ctx, "tcp", address)
	default:
		var d net.Dialer
		inner, err = d.DialContext(ctx, network, address)
	}
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	return inner, nil
}

func dialWebSocket(ctx context.Context, address string, secure *tls.Config) (net.Conn, error) {
	ws, resp, err := websocket.Dial(ctx, address, &websocket.DialOptions{
		Subprotocols: []string{"mqtt"}, // [MQTT-6.0.0-3]
		HTTPClient:   &http.Client{Transport: &http.Transport{TLSClientConfig: secure, Proxy: http.ProxyFromEnvironment}},
	})
	if err != nil {
		return nil, err
	}
	_ = resp.Body // websocket.Dial has taken it over
	if ws.Subprotocol() != "mqtt" {
		_ = ws.CloseNow() // the error below is the one that matters
		return nil, fmt.Errorf("%s does not speak MQTT", address)
	}
	return websocket.NetConn(context.Background(), ws, websocket.MessageBinary), nil
}

// parseBroker returns "tcp" or "tls" and host:port, "ws" and a URL, or "unix" and
// a path.
func parseBroker(broker string) (network, address string, err error) {
	if broker == "" {
		return "tcp", "127.0.0.1:1883", nil
	}
	if !strings.Contains(broker, "://") {
		broker = "mqtt://" + broker
	}
	u, err := url.Parse(broker)
	if err != nil {
		return "", "", fmt.Errorf("client: broker: %w", err)
	}
	if u.Scheme == "unix" && u.Host == "" && u.Path != "" {
		return "unix", u.Path, nil
	}
	if u.Hostname() == "" {
		return "", "", fmt.Errorf("client: broker %q names no host", broker)
	}
	switch u.Scheme {
	case "ws", "wss":
		return "ws", broker, nil
	case "mqtt", "tcp":
		return "tcp", net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "1883")), nil
	case "mqtts":
		return "tls", net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "8883")), nil
	}
	return "", "", fmt.Errorf("client: broker %q: must begin with mqtt://, tcp://, mqtts://, ws://, wss:// or unix:///", broker)
}
