package sessions_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/persistence"
)

const (
	modelClients = 5
	// modelWindow is the server's Receive Maximum, which the clients keep to.
	modelWindow = 20
	// checkEvery is after how many steps all must have come, and crashEvery after how
	// many the server crashes, on average.
	checkEvery, crashEvery = 100, 150
)

// Topics of two levels are ordinary ones, those of three are documents. What
// begins with s is only subscribed to by groups, one for each topic.
var (
	modelTopics  = []string{"a/b", "a/c", "x/y/z", "x/y/w", "s/q", "s/t/1"}
	modelFilters = []string{"a/b", "a/+", "a/#", "+/c", "x/y/z", "x/#", "+/y/w", "$share/one/s/+", "$share/one/s/t/+"}
)

// A modelClient is a client identifier and what it does.
type modelClient struct {
	id      string
	session *session
	wire    *wire // nil while it is away
	id16    uint16
}

// A run is one random test.
type run struct {
	t       *testing.T
	n       *node
	m       *model
	rand    *rand.Rand
	listen  net.Listener
	clients []*modelClient
	wires   []*wire // all that there were since the last check
	now     string  // what is being done
}

// TestSessionsKeepTheirPromises has a few clients do what clients do, at random,
// over sockets. AMBIT_MODEL_STEPS is how many steps, and AMBIT_MODEL_SEED where
// the first round begins.
func TestSessionsKeepTheirPromises(t *testing.T) {
	steps, seed := 6000, uint64(1)
	if testing.Short() {
		steps = 2000
	}
	if s := os.Getenv("AMBIT_MODEL_STEPS"); s != "" {
		steps, _ = strconv.Atoi(s)
	}
	if s := os.Getenv("AMBIT_MODEL_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	const round = 2000 // a new node after so many
	for ; steps > 0 && !t.Failed(); steps, seed = steps-round, seed+1 {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { runModel(t, seed, min(round, steps)) })
	}
}

func runModel(t *testing.T, seed uint64, steps int) {
	t.Helper()
	n := startNode(t, func(o *options) {
		o.ReceiveMaximum, o.QueueBytes, o.Connections, o.fs = modelWindow, 64<<20, 100, vfs.NewCrashableMem()
	})
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &run{t: t, n: n, m: newModel(), rand: rand.New(rand.NewPCG(seed, 1)), listen: l}
	accepting := make(chan struct{})
	go r.accept(accepting)
	defer func() { _ = l.Close(); <-accepting }()
	defer r.end()
	for i := range modelClients {
		r.clients = append(r.clients, &modelClient{id: fmt.Sprint("client", i)})
	}
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	for step := range steps {
		r.step()
		if step%checkEvery == checkEvery-1 {
			r.check()
		}
		if r.m.fault != "" {
			t.Fatalf("step %d, %s: %s", step, r.now, r.m.fault)
		}
	}
	r.leave()
}

// accept gives the server small buffers, so that a client that stalls is soon
// felt.
func (r *run) accept(done chan<- struct{}) {
	defer close(done)
	for {
		conn, err := r.listen.Accept()
		if err != nil {
			return
		}
		_ = conn.(*net.TCPConn).SetWriteBuffer(4096) // a wish
		r.m.mu.Lock()
		r.n.serve(conn)
		r.m.mu.Unlock()
	}
}

// end ends all connections.
func (r *run) end() {
	for _, w := range r.wires {
		r.m.mu.Lock()
		w.dead = true
		r.m.changed.Broadcast()
		r.m.mu.Unlock()
		_ = w.conn.Close() // if it was not yet
		w.running.Wait()
	}
}

// step does one thing. The mutex is only given up while somebody waits.
func (r *run) step() {
	c := r.clients[r.rand.IntN(len(r.clients))]
	if c.wire != nil && c.wire.dead {
		c.wire = nil
	}
	p := r.rand.IntN(100)
	switch w := c.wire; {
	case r.rand.IntN(crashEvery) == 0:
		r.crash()
	case w == nil && p < 60, p < 3:
		r.connect(c)
	case w == nil:
	case p < 60:
		for range 1 + r.rand.IntN(4) {
			r.publish(c)
		}
	case p < 68:
		r.subscribe(c)
	case p < 71:
		r.unsubscribe(c)
	case p < 77:
		r.now = c.id + " stalls or goes on"
		w.stalled = !w.stalled
	case p < 83:
		r.now = c.id + " acknowledges"
		w.lazy = !w.lazy
		w.shuffleAcks(r.rand)
		w.flushAcks()
	case p < 89:
		r.kill(c)
	default: // all do something meanwhile
		r.m.mu.Unlock()
		r.m.mu.Lock()
	}
	r.m.changed.Broadcast()
}

// wait waits until ok, a fault, or for too long.
func (r *run) wait(what string, ok func() bool) {
	late := false
	timer := time.AfterFunc(2*deadline, func() {
		r.m.mu.Lock()
		defer r.m.mu.Unlock()
		late = true
		r.m.changed.Broadcast()
	})
	defer timer.Stop()
	for !ok() && r.m.fault == "" {
		if late {
			r.m.fail("waited too long for %s", what)
			return
		}
		r.m.changed.Wait()
	}
}

// check lets all be delivered, and has the model judge.
func (r *run) check() {
	for _, c := range r.clients {
		if c.wire == nil {
			r.connect(c)
		}
		if r.m.fault != "" {
			return
		}
		c.wire.stalled, c.wire.lazy = false, false
		c.wire.flushAcks()
		r.ask(c, packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pingreq}}) // what was published is read
	}
	r.wait("all acknowledgements", func() bool {
		return !slices.ContainsFunc(r.clients, func(c *modelClient) bool { return len(c.session.published) > 0 })
	})
	if r.m.fault != "" {
		return
	}
	r.m.mu.Unlock()
	applied := make(chan struct{})
	if err := r.n.store.Append(r.t.Context(), &persistence.Op{Applied: func(*persistence.Result) { close(applied) }}); err != nil {
		r.t.Error(err)
	}
	<-applied
	r.m.mu.Lock()
	poll := time.AfterFunc(time.Millisecond, r.m.changed.Broadcast)
	defer poll.Stop()
	r.wait("all messages", func() bool {
		poll.Reset(time.Millisecond)
		return !slices.ContainsFunc(r.clients, func(c *modelClient) bool {
			held := r.n.session(c.id)
			return held.Bytes() > 0 || held.Queued() > 0 || held.Pending() > 0 || held.Promised() > 0
		})
	})
	var all []*session
	for _, c := range r.clients {
		if r.m.fault != "" {
			return
		}
		r.ask(c, packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pingreq}}) // what was sent is read
		all = append(all, c.session)
		c.session.last = map[*session]int{}
	}
	r.now = "check"
	r.m.check(all)
}

// leave ends all sessions, and holds that nothing is left of them.
func (r *run) leave() {
	for _, c := range r.clients {
		c.wire.dead = true
	}
	r.m.mu.Unlock()
	defer r.m.mu.Lock()
	r.end()
	for _, c := range r.clients {
		p := r.n.connect(4, c.id, nil) // a clean session
		p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Disconnect}})
		p.expectEnd(0)
	}
	waitFor(r.t, "all sessions to go", func() bool { return r.n.engine.Empty() })
	for range 2 { // what is handed over to a session that has ended is told to the store once more
		done := make(chan struct{})
		if err := r.n.store.Append(r.t.Context(), &persistence.Op{Applied: func(*persistence.Result) { close(done) }}); err != nil {
			r.t.Fatal(err)
		}
		<-done
		r.n.engine.Tasks()
	}
	r.n.holdsNothing()
}
