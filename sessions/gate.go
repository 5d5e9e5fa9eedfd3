package sessions

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ambitmq/ambit/netpoll"
)

const (
	// slice is for how long packets of one connection are handled before others have
	// their turn.
	slice = 500 * time.Microsecond
	// lightPart is the part of the time that a connection may be handled, and lightBurst
	// how much of it can be saved up, before it counts as busy.
	lightPart  = 1.0 / 32
	lightBurst = time.Millisecond
	// longestTurn is after how long a busy connection's place is given to another one: it
	// waits for something, or handles a packet that takes long.
	longestTurn = 5 * time.Millisecond
	// openAfter is after how long without a packet of any other connection the busy ones are
	// not held up at all, which would only cost time.
	openAfter = time.Second
)

// A gate lets as many busy connections be handled at once as there are processors.
// All others are handled as they come.
//
// Go's scheduler looks at the network when nothing else is ready to run, and else every
// ten milliseconds. A client that sends as fast as it is read always is ready: a few of
// them, and everybody else waits for tens of milliseconds. At the gate they wait where
// they are not ready to run. Places are given to them by a [netpoll.Bell], so that whenever
// one busy connection gives way to another those who are ready at the network run first.
//
// A change of places costs some microseconds, which is a part of what a flood of nothing but
// tiny messages can do. So the gate is open as long as there is nobody for whose sake it would be shut.
//
// Nobody is held up for good: a place that is not given back is taken back after longestTurn,
// so that whoever has one may wait for whoever waits for one.
type gate struct {
	light atomic.Int64 // when a light connection was last handled, about

	mu      sync.Mutex // guards what follows
	inside  []*effort  // who has a place, in the order in which they got it
	waiting []*effort
	bell    netpoll.Bell
	rung    bool
	timer   *time.Timer // rings, too
	closed  bool
}

// An effort is what the handling of one connection's packets takes. All of it but what
// the gate guards is the reader's own.
type effort struct {
	gate  *gate
	begun time.Time // of the handling; zero while there is none
	ended time.Time
	used  time.Duration // of lightBurst
	ran   time.Duration // since the network was looked at
	since int           // packets handled since the clock was
	busy  bool          // it has passed the gate
	turn  chan struct{}

	inside bool      // guarded by the gate
	from   time.Time // guarded by the gate
}

// begin is called before packets are handled. It waits for a place if the connection is
// busy, so that whoever calls it holds nothing that others need. If the last handling has not
// ended, it goes on.
func (f *effort) begin() {
	if !f.begun.IsZero() {
		return
	}
	now := time.Now()
	if idle := now.Sub(f.ended); idle > 0 {
		f.used = max(0, f.used-time.Duration(lightPart*float64(idle)))
	}
	if f.busy = false; f.used <= lightBurst {
		f.gate.note(now)
	} else if f.busy = f.gate.shuts(now); f.busy {
		now = f.gate.enter(f, now)
	}
	f.begun, f.since = now, 0
}

// over says, before a packet of this size, whether others have their turn now. It looks
// at the clock now and then.
func (f *effort) over(size int) bool {
	if f.begun.IsZero() {
		return true
	}
	const packetsMost, bytesMost = 16, 4 << 10
	if f.since += 1 + size*packetsMost/bytesMost; f.since < packetsMost {
		return false
	}
	f.since = 0
	return time.Since(f.begun) > slice
}

// end is called when packets were handled, and before the reader waits for anybody. It
// may be called twice.
func (f *effort) end() {
	if f.begun.IsZero() {
		return
	}
	f.ended = time.Now()
	took := f.ended.Sub(f.begun)
	f.begun = time.Time{}
	f.used = min(f.used+took, lightBurst+slice)
	f.ran += took
	if f.busy {
		f.gate.leave(f)
	}
}

// note notes that a light connection has been handled, once in a while.
func (g *gate) note(now time.Time) {
	if at := now.UnixNano(); at-g.light.Load() > int64(time.Millisecond) {
		g.light.Store(at)
	}
}

// shuts says whether there are others than busy connections.
func (g *gate) shuts(now time.Time) bool {
	return now.UnixNano()-g.light.Load() < int64(openAfter)
}

// enter waits for a place, and returns when it was given.
func (g *gate) enter(f *effort, now time.Time) time.Time {
	g.mu.Lock()
	if f.ran < slice && len(g.waiting) == 0 && g.admit(f, now) {
		g.mu.Unlock()
		return now
	}
	if f.turn == nil {
		f.turn = make(chan struct{}, 1)
	}
	g.waiting = append(g.waiting, f)
	g.ring()
	g.mu.Unlock()
	<-f.turn
	f.ran = 0
	return time.Now()
}

// admit gives somebody a place if there is one. The caller holds the mutex.
func (g *gate) admit(f *effort, now time.Time) bool {
	if len(g.inside) >= runtime.GOMAXPROCS(0) {
		return false
	}
	g.inside = append(g.inside, f)
	f.inside, f.from = true, now
	return true
}

// leave gives up a place, unless it was taken back.
func (g *gate) leave(f *effort) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !f.inside {
		return
	}
	if len(g.inside) < runtime.GOMAXPROCS(0) {
		f.ran = 0 // a processor has nothing to do but look at the network
	}
	g.remove(f)
	if len(g.waiting) > 0 {
		g.ring()
	}
}

func (g *gate) remove(f *effort) {
	f.inside = false
	g.inside = slices.DeleteFunc(g.inside, func(o *effort) bool { return o == f })
}

// ring has places given to those who wait, once the network was looked at. The caller
// holds the mutex.
func (g *gate) ring() {
	if g.rung || g.closed {
		return
	}
	if g.timer == nil {
		g.timer = time.AfterFunc(longestTurn, g.late)
	}
	if g.rung = g.bell.Ring(g.answer); !g.rung { // too many files are open
		g.give()
	}
}

func (g *gate) answer() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.rung = false
	g.give()
}

func (g *gate) late() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) > 0 {
		g.ring()
	}
}

// give gives places to those who wait, in order. The caller holds the mutex.
func (g *gate) give() {
	now := time.Now()
	for len(g.waiting) > 0 && len(g.inside) > 0 && now.Sub(g.inside[0].from) >= longestTurn {
		g.remove(g.inside[0])
	}
	for len(g.waiting) > 0 && g.admit(g.waiting[0], now) {
		g.waiting[0].turn <- struct{}{}
		g.waiting[0] = nil
		g.waiting = g.waiting[1:]
	}
	if len(g.waiting) > 0 {
		g.timer.Reset(longestTurn - now.Sub(g.inside[0].from))
	}
}

// close ends it. Nobody is at the gate any more.
func (g *gate) close() {
	g.mu.Lock()
	g.closed = true
	if g.timer != nil {
		g.timer.Stop()
	}
	g.mu.Unlock()
	g.bell.Close()
}

// pass is called before the reader waits: others need what it has appended, and its place.
func (c *Client) pass() {
	c.flushes.flush()
	c.effort.end()
}
