package sessions_test

import (
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/persistence"
)

// age makes the stored sessions of a node that is stopped a day older.
func (n *node) age() {
	n.t.Helper()
	store, err := persistence.Open("data", persistence.Options{FS: n.fs})
	if err != nil {
		n.t.Fatal(err)
	}
	op := &persistence.Op{}
	for s, err := range store.Sessions() {
		if err != nil {
			n.t.Fatal(err)
		}
		s.DisconnectedAt = s.DisconnectedAt.Add(-24 * time.Hour)
		op.Records = append(op.Records, persistence.PutSession(s))
	}
	if err := store.Append(n.t.Context(), op); err != nil {
		n.t.Fatal(err)
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		for range store.Tail() {
		}
	}()
	if err := store.Close(); err != nil {
		n.t.Fatal(err)
	}
	<-drained
}

func TestWhatExpiredWhileTheBrokerWasDownDoesNotComeBack(t *testing.T) {
	n := startNode(t, nil)
	n.connect(5, "dash", keepSession).subscribe(1, "home/lamp", body)
	n.stop()
	n.age()
	n.start()
	if ack := n.dial(5).connect("dash", keepSession); ack.SessionPresent {
		t.Fatal("the session is still there")
	}
	n.restart()
	p := n.dial(5)
	if ack := p.connect("dash", keepSession); !ack.SessionPresent {
		t.Fatal("the new session is gone")
	}
	dev := n.connect(4, "dev", nil)
	dev.put("home/lamp", "on")
	dev.put("fleet/trucks/1", `{"speed":60}`)
	p.quiet()
}

// Of a scope that was complete only what has changed is told, exits as well.
func TestAScopeIsToldItsChangesAfterARestart(t *testing.T) {
	n := startNode(t, nil)
	dev := n.connect(4, "dev", nil)
	dev.put("fleet/trucks/1", `{"speed":60}`)
	dev.put("fleet/trucks/2", `{"speed":60}`)
	p := n.connect(5, "map", keepSession)
	p.subscribe(1, scope+"+")
	for _, id := range []string{"1", "2", "$synced"} {
		p.message(scope + id)
	}
	p.hangUp()
	n.absent("map")
	dev.put("fleet/trucks/1", `{"speed":10}`)
	n.restart()
	p = n.connect(5, "map", keepSession)
	if m := p.message(scope + "1"); len(m.Payload) > 0 || property(m, "transition") != "exit" {
		t.Errorf("fleet/trucks/1 is told as %q", m.Payload)
	}
	p.quiet()
}

// What was on its way to the client when the process ended is lost: it is told
// the whole scope again, and what has left.
func TestAScopeThatWasNotCompleteIsToldAgainAfterARestart(t *testing.T) {
	n := startNode(t, nil)
	dev := n.connect(4, "dev", nil)
	dev.put("fleet/trucks/1", `{"speed":60}`)
	dev.put("fleet/trucks/2", `{"speed":60}`)
	p := n.connect(5, "map", func(pk *packets.Packet) {
		keepSession(pk)
		pk.Properties.ReceiveMaximum = 1
	})
	p.subscribe(1, scope+"+")
	p.expect(packets.Publish)
	p.hangUp()
	n.absent("map")
	dev.put("fleet/trucks/1", `{"speed":10}`)
	n.restart()
	p = n.connect(5, "map", keepSession)
	if m := p.message(scope + "1"); len(m.Payload) > 0 {
		t.Errorf("fleet/trucks/1 is told as %s", m.Payload)
	}
	p.message(scope + "2")
	if m := p.message(scope + "$synced"); string(m.Payload) != `{"seq":3}` {
		t.Errorf("synced as of %s", m.Payload)
	}
}

// A plain retained message that a document replaces, before it is applied
// itself, must not be on disk any more.
func TestNoStaleRetainedMessageComesBack(t *testing.T) {
	n := startNode(t, nil)
	dev := n.connect(4, "dev", nil)
	release := n.hold()
	for _, payload := range []string{"plain", `{"n":1}`} {
		dev.retain("fleet/trucks/1", payload, 1)
		dev.expect(packets.Puback)
	}
	release()
	n.restart()
	p := n.connect(4, "new", nil)
	p.subscribe(0, "fleet/trucks/1")
	if m := p.message("fleet/trucks/1"); string(m.Payload) != `{"n":1}` {
		t.Errorf("the retained message is %s", m.Payload)
	}
	p.quiet()
}
