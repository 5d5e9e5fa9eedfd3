package broker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"syscall"

	"github.com/pires/go-proxyproto"

	"github.com/ambitmq/ambit/limits"
)

// A proxyListener yields connections that begin with a header of the PROXY
// protocol, as *proxied.
type proxyListener struct {
	net.Listener
	settings Listener
	trusted  []netip.Prefix // empty: everybody
	log      *slog.Logger
}

func newProxyListener(l net.Listener, settings Listener, log *slog.Logger) *proxyListener {
	p := &proxyListener{Listener: l, settings: settings, log: log}
	for _, text := range settings.Proxies {
		network, _ := limits.ParseNetwork(text) // the settings are valid
		p.trusted = append(p.trusted, network)
	}
	return p
}

// Accept returns the next connection of a proxy that is trusted. Its header is
// yet to be read.
func (l *proxyListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if len(l.trusted) > 0 && !networkHas(l.trusted, c.RemoteAddr()) {
			l.log.Warn("connection refused", "listener", l.settings.Name, "remote", c.RemoteAddr().String(), "reason", "it is no proxy that is trusted")
			_ = c.Close() // nothing was said
			continue
		}
		return &proxied{proxyproto.NewConn(c,
			proxyproto.WithPolicy(proxyproto.REQUIRE), proxyproto.SetReadHeaderTimeout(l.settings.Limits.ConnectTimeout))}, nil
	}
}

// A proxied connection is one that a proxy has passed on. The first call that
// needs the header waits for it.
type proxied struct{ *proxyproto.Conn }

// readHeader reads the header, before ctx is done.
func (c *proxied) readHeader(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = c.Close() }) // whoever reads gets the error
	defer stop()
	if c.ProxyHeader() != nil {
		return nil
	}
	_, err := c.Read(nil) // says what was wrong with it
	return fmt.Errorf("PROXY protocol: %w", cmp.Or(ctx.Err(), err))
}

// RemoteAddr returns the address that the header names: the proxy's own for its
// own connections, and one that is no machine's for clients of which the proxy
// does not know the address.
func (c *proxied) RemoteAddr() net.Addr {
	h := c.ProxyHeader()
	if h == nil || h.Command.IsLocal() && h.Version == 2 {
		return c.Raw().RemoteAddr()
	}
	return clientOf(c.Raw().RemoteAddr(), h.SourceAddr)
}

// clientOf returns the address of a client that a proxy names. What to a proxy on another machine
// is its own machine is not this one.
func clientOf(proxy, named net.Addr) net.Addr {
	client, ok := named.(*net.TCPAddr)
	from, far := proxy.(*net.TCPAddr)
	if !ok || client.IP.IsLoopback() && far && !from.IP.IsLoopback() {
		return unknownAddr{}
	}
	return client
}

// SyscallConn is that of the socket, which may be written to once the header has
// been read.
func (c *proxied) SyscallConn() (syscall.RawConn, error) {
	socket, ok := c.Raw().(syscall.Conn)
	if !ok {
		return nil, errors.ErrUnsupported
	}
	return socket.SyscallConn()
}

// unknownAddr is the address of a client that a proxy does not know.
type unknownAddr struct{}

func (unknownAddr) Network() string { return "tcp" }
func (unknownAddr) String() string  { return "unknown" }
