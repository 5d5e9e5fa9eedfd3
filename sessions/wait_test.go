package sessions_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/sessions"
)

// waitFor polls for what no event announces.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	end := time.After(deadline)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("waited too long for %s", what)
		}
	}
}

// absent waits until a session has lost its connection.
func (n *node) absent(id string) {
	n.t.Helper()
	waitFor(n.t, id+" to be gone", func() bool {
		s, ok := n.engine.Session(id)
		return !ok || !s.Connected()
	})
}

// gone waits until there is no session any more.
func (n *node) gone(id string) {
	n.t.Helper()
	waitFor(n.t, "the session "+id+" to be gone", func() bool { _, ok := n.engine.Session(id); return !ok })
}

// session returns a session, which must be there.
func (n *node) session(id string) sessions.Held {
	n.t.Helper()
	s, ok := n.engine.Session(id)
	if !ok {
		n.t.Fatalf("there is no session %s", id)
	}
	return s
}

// offline waits until nothing is written to a client any more.
func (n *node) offline(id string) {
	n.t.Helper()
	waitFor(n.t, "the writer to end", func() bool { return !n.session(id).Online() })
}

// waiting waits until the reader of a client waits for somebody.
func (n *node) waiting(id string) {
	n.t.Helper()
	waitFor(n.t, "the reader to wait", func() bool { return n.session(id).Busy() })
}

// ping waits until the server has read everything that was sent.
func (p *peer) ping() {
	p.t.Helper()
	p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pingreq}})
	p.expect(packets.Pingresp)
}

// hold stops the goroutine that applies until release is called.
func (n *node) hold() (release func()) {
	n.t.Helper()
	held, released := make(chan struct{}), make(chan struct{})
	release = sync.OnceFunc(func() { close(released) })
	n.t.Cleanup(release) // before the node stops
	op := &persistence.Op{Applied: func(*persistence.Result) { close(held); <-released }}
	if err := n.store.Append(n.t.Context(), op); err != nil {
		n.t.Fatal(err)
	}
	<-held
	return release
}

// versions are the protocol versions that behave differently.
var versions = [...]byte{4, 5}

// name returns the name of a test for one protocol version.
func name(version byte) string { return fmt.Sprintf("v%d", version) }
