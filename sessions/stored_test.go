package sessions_test

import (
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/sessions"
)

// A client that is let in no more when it has its turn leaves nothing behind.
func TestAClientThatComesTooLateLeavesNoSession(t *testing.T) {
	n := startNode(t, nil)
	n.engine.TakeTurn("dash", t)
	p := n.dial(5)
	p.sendConnect("dash", keepSession)
	waitFor(t, "CONNECT", func() bool { return n.engine.Early() == 0 })
	n.engine.Drain(&sessions.Error{Code: packets.ErrServerShuttingDown.Code, Text: "stop"})
	n.engine.GiveTurn(t)
	p.expect(packets.Connack)
	n.restart()
	for s, err := range n.store.Sessions() {
		t.Errorf("there is a session of %q, %v", s.ClientID, err)
	}
}

// almostFull starts a node, and returns what makes its disk almost full, or not.
func almostFull(t *testing.T) (n *node, full func(bool)) {
	t.Helper()
	fs := vfs.NewMem()
	free := vfs.DiskUsage{AvailBytes: 1 << 30}
	fs.TestingSetDiskUsage(free)
	n = startNode(t, func(o *options) { o.fs, o.store.MinFreeBytes = fs, 1000 })
	op := func() *persistence.Op {
		return &persistence.Op{Records: []persistence.Record{persistence.PutRetained(persistence.Retained{Topic: "a"})}}
	}
	return n, func(is bool) {
		fs.TestingSetDiskUsage(free)
		if is {
			fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1})
		}
		waitFor(t, "the store to see it", func() bool {
			return errors.Is(n.store.Append(t.Context(), op()), persistence.ErrDiskFull) == is
		})
	}
}

// What could not be stored of a session is when its client comes again.
func TestASessionThatCouldNotBeStoredIsStoredLater(t *testing.T) {
	for _, tt := range []struct {
		name        string
		before      func(*packets.Packet)
		clean, kept bool // what the connection wants that is refused; whether subscriptions last
	}{
		{"that was to end with its connection", nil, false, true},
		{"that is new", keepSession, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, full := almostFull(t)
			n.connect(5, "dash", tt.before).subscribe(2, "home/lamp")
			full(true)
			if ack := n.dial(5).connect("dash", func(pk *packets.Packet) {
				keepSession(pk)
				pk.Connect.Clean = tt.clean
			}); ack.ReasonCode == 0 {
				t.Error("a session is kept that is not stored")
			}
			full(false)
			p := n.connect(5, "dash", keepSession)
			p.hangUp()
			n.absent("dash")
			n.restart()
			dev := n.connect(5, "dev", nil)
			dev.put("home/lamp", "on")
			p = n.connect(5, "dash", keepSession)
			if tt.kept {
				p.message("home/lamp")
			}
			p.quiet()
		})
	}
}
