package broker

import (
	"container/list"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/ambitmq/ambit/limits"
)

// A crowd is all connections of the listeners: how many there are, of which addresses, and
// which have not said yet what they want.
type crowd struct {
	connections int // that there may be, those that are half open apart
	quotas      Quotas
	counts      *limits.Counts

	sockets   atomic.Int64
	addresses limits.Shares[netip.Prefix]

	mu      sync.Mutex // guards what follows
	waiting list.List  // of *guest that are half open, the oldest first
	of      map[netip.Prefix]*list.List
}

// A guest is one connection.
type guest struct {
	crowd *crowd
	conn  net.Conn
	from  netip.Prefix // of a connection that has no address the zero value
	// all and own are where it is among those that are half open, or nil. They are guarded by
	// the crowd's mutex.
	all, own *list.Element
	left     sync.Once

	// network is the one that it counts for. Whoever serves the connection reads and writes it.
	network netip.Prefix
}

func newCrowd(cfg Config) *crowd {
	return &crowd{connections: cfg.Limits.Connections, quotas: cfg.Quotas, counts: new(limits.Counts), of: map[netip.Prefix]*list.List{}}
}

// come takes a connection in that was accepted, or returns nil if there are too many, and
// closes it. balanced says that the address is that of a balancer.
func (c *crowd) come(conn net.Conn, balanced bool) *guest {
	if n := c.sockets.Add(1); n > int64(c.connections+c.quotas.HalfOpen) {
		c.sockets.Add(-1)
		c.counts.Add(limits.Connections)
		_ = conn.Close() // nothing was said yet
		return nil
	}
	g := &guest{crowd: c, conn: conn}
	if !balanced {
		g.from = limits.NetworkOf(conn.RemoteAddr())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	g.all = c.waiting.PushBack(g)
	if g.from.IsValid() {
		own := c.of[g.from]
		if own == nil {
			own = list.New()
			c.of[g.from] = own
		}
		g.own = own.PushBack(g)
		if own.Len() > c.quotas.HalfOpenPerAddress {
			c.close(own.Front())
		}
	}
	if c.waiting.Len() > c.quotas.HalfOpen {
		c.close(c.waiting.Front())
	}
	return g
}

// close closes a connection that is half open. Whoever serves it sees that. The caller holds
// c.mu.
func (c *crowd) close(e *list.Element) {
	g := e.Value.(*guest)
	c.settle(g)
	c.counts.Add(limits.HalfOpen)
	_ = g.conn.Close() // it has said nothing
}

// settle forgets that a connection is half open. The caller holds c.mu.
func (c *crowd) settle(g *guest) {
	if g.all == nil {
		return
	}
	c.waiting.Remove(g.all)
	if own := c.of[g.from]; g.own != nil {
		if own.Remove(g.own); own.Len() == 0 {
			delete(c.of, g.from)
		}
	}
	g.all, g.own = nil, nil
}

// asked says that the client has said what it wants.
func (g *guest) asked() {
	g.crowd.mu.Lock()
	defer g.crowd.mu.Unlock()
	g.crowd.settle(g)
}

// introduce counts the connection among those of the address that it comes from, and says
// whether that has no more than it may have.
func (g *guest) introduce(from net.Addr) bool {
	network := limits.NetworkOf(from)
	if !network.IsValid() || g.network.IsValid() {
		return true
	}
	if !g.crowd.addresses.Take(network, g.crowd.quotas.ConnectionsPerAddress) {
		return false
	}
	g.network = network
	return true
}

// leave says that the connection has ended.
func (g *guest) leave() {
	g.left.Do(func() {
		g.asked()
		if g.network.IsValid() {
			g.crowd.addresses.Give(g.network)
		}
		g.crowd.sockets.Add(-1)
	})
}
