package broker

import (
	"container/heap"
	"container/list"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ambitmq/ambit/limits"
)

// A crowd is all connections of the listeners: how many there are, of which addresses, and
// which have not said yet what they want.
type crowd struct {
	connections atomic.Int64 // that there may be, those that are half open apart
	quotas      Quotas
	counts      *limits.Counts

	sockets   atomic.Int64
	addresses limits.Shares[netip.Prefix]

	mu      sync.Mutex              // guards what follows
	waiting int                     // how many are half open
	of      map[netip.Prefix]*queue // those of each address
	most    longest                 // of has the same
}

// A queue is the guests of one address that are half open, the oldest first.
type queue struct {
	list.List     // of *guest
	place     int // in longest
}

// longest is a heap, by [container/heap], whose first queue is as long as any.
type longest []*queue

func (l longest) Len() int           { return len(l) }
func (l longest) Less(i, j int) bool { return l[i].Len() > l[j].Len() }

func (l longest) Swap(i, j int) {
	l[i], l[j] = l[j], l[i]
	l[i].place, l[j].place = i, j
}

// Push adds a queue at the end.
func (l *longest) Push(q any) {
	q.(*queue).place = len(*l)
	*l = append(*l, q.(*queue))
}

// Pop removes the last queue.
func (l *longest) Pop() any {
	last := len(*l) - 1
	q := (*l)[last]
	(*l)[last] = nil
	*l = (*l)[:last]
	return q
}

// A guest is one connection, or a session that has none of its own.
type guest struct {
	crowd *crowd
	conn  io.Closer
	from  netip.Prefix // of a connection that has no address the zero value
	since time.Time
	// own is where it is among those of its address that are half open, or nil. It is guarded by
	// the crowd's mutex.
	own  *list.Element
	left sync.Once

	// network is the one that it counts for. Whoever serves the connection reads and writes it.
	network netip.Prefix
}

func newCrowd(cfg Config) *crowd {
	c := &crowd{quotas: cfg.Quotas, counts: new(limits.Counts), of: map[netip.Prefix]*queue{}}
	c.connections.Store(int64(cfg.Limits.Connections))
	return c
}

// come takes a connection in that was accepted, or returns nil if there are too many, and
// closes it. balanced says that the address is that of a balancer.
func (c *crowd) come(conn net.Conn, balanced bool) *guest {
	if !c.seat() {
		_ = conn.Close() // nothing was said yet
		return nil
	}
	g := &guest{crowd: c, conn: conn}
	if !balanced {
		g.from = limits.NetworkOf(conn.RemoteAddr())
	}
	g.wait()
	return g
}

// board takes in a session that has no connection of its own as if it were one, or returns nil if there
// are too many.
func (c *crowd) board(from net.Addr, session io.Closer) *guest {
	if !c.seat() {
		return nil
	}
	g := &guest{crowd: c, conn: session, from: limits.NetworkOf(from)}
	g.wait()
	return g
}

// seat counts one more, unless there are as many as there may be.
func (c *crowd) seat() bool {
	if n := c.sockets.Add(1); n > c.connections.Load()+int64(c.quotas.HalfOpen) {
		c.sockets.Add(-1)
		c.counts.Add(limits.Connections)
		return false
	}
	return true
}

// wait notes that the connection is half open, and closes another one if that is too many.
func (g *guest) wait() {
	c := g.crowd
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle(g)
	g.since = time.Now()
	own := c.of[g.from]
	if own == nil {
		own = new(queue)
		c.of[g.from] = own
		heap.Push(&c.most, own)
	}
	g.own = own.PushBack(g)
	heap.Fix(&c.most, own.place)
	c.waiting++
	first := own.Front()
	if g.from.IsValid() && own.Len() > c.quotas.HalfOpenPerAddress && time.Since(first.Value.(*guest).since) > halfOpenGrace {
		c.close(first)
	}
	if c.waiting > c.quotas.HalfOpen {
		c.close(c.most[0].Front())
	}
}

// halfOpenGrace is how long a connection is not closed because its address has many that are half
// open: others that come so fast must not keep it from saying what it wants.
const halfOpenGrace = 500 * time.Millisecond

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
	if g.own == nil {
		return
	}
	own := c.of[g.from]
	if own.Remove(g.own); own.Len() == 0 {
		delete(c.of, g.from)
		heap.Remove(&c.most, own.place)
	} else {
		heap.Fix(&c.most, own.place)
	}
	c.waiting--
	g.own = nil
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
