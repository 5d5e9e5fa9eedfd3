package hooks

import (
	"sync"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/persistence"
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
		s := n.hook.session(id)
		return s == nil || !s.connected()
	})
}

// written waits until nothing is written to the client any more.
func (b *outbox) written(t *testing.T) {
	t.Helper()
	waitFor(t, "the writer to end", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.online() == nil
	})
}

// waiting waits until the client's reader waits for somebody.
func (b *outbox) waiting(t *testing.T) {
	t.Helper()
	waitFor(t, "the reader to wait", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.busy > 0
	})
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
