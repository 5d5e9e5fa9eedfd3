package broker

import (
	"context"
	"net"
	"net/http"
	"net/netip"
)

// A guestKey is the key of a context for the guest that a request comes from.
type guestKey struct{}

func guestOf(r *http.Request) *guest { return r.Context().Value(guestKey{}).(*guest) }

// meet notes a connection of HTTP. One that is too many has been closed: whoever serves it
// sees that.
func (l *listeners) meet(ctx context.Context, ln *listener, c net.Conn) context.Context {
	g := l.crowd.come(c, ln.ProxyProtocol)
	l.met.Store(c, g)
	return context.WithValue(ctx, guestKey{}, g)
}

// part notes that a connection of HTTP has ended. One that has become a WebSocket goes on.
func (l *listeners) part(c net.Conn, state http.ConnState) {
	if state != http.StateClosed && state != http.StateHijacked {
		return
	}
	g, _ := l.met.LoadAndDelete(c)
	if g, ok := g.(*guest); ok && g != nil && state == http.StateClosed {
		g.leave()
	}
}

// greet answers requests of those who have said what they want, which is when their headers
// have come. An address that has too many connections is told so.
func (l *listeners) greet(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g := guestOf(r)
		if g == nil {
			panic(http.ErrAbortHandler) // it is closed
		}
		g.asked()
		if !g.introduce(remoteAddr(r)) {
			w.Header().Set("Connection", "close")
			http.Error(w, "the address has as many connections as it may have", http.StatusTooManyRequests)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hosts returns the names by which the broker is reached. Whoever points a name of his at this
// machine, to have a browser on it ask for him, cannot sign in: then any will do.
func (c Config) hosts() []string {
	if c.Anonymous == "none" {
		return []string{"*"}
	}
	return c.Hosts
}

// remoteAddr returns the address that a request comes from, or nil.
func remoteAddr(r *http.Request) net.Addr {
	if addr, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		return net.TCPAddrFromAddrPort(addr)
	}
	return nil
}
