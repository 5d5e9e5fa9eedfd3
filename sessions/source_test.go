package sessions_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/sessions"
)

// A message that overtakes the snapshot of its document comes before the one
// that says that the snapshot is complete.
func TestTheEndOfASnapshotComesBehindWhatHasOvertakenIt(t *testing.T) {
	n := startNode(t, nil)
	p := n.connect(4, "map", nil)
	p.quiet() // the outbox is open
	s := n.session("map")
	messages := func(yield func(*sessions.Message, error) bool) {
		if !yield(&sessions.Message{Topic: "a"}, nil) {
			return
		}
		s.Push(&sessions.Message{Topic: "b", Payload: []byte("live"), Supersedes: true}) // while the store is read
		_ = yield(&sessions.Message{Topic: "b", Payload: []byte("old")}, nil) &&
			yield(&sessions.Message{Topic: "end", Last: true}, nil)
	}
	released := make(chan struct{})
	if !s.Tell("+", messages, func() { close(released) }) {
		t.Fatal("the client is gone")
	}
	p.message("a")
	if m := p.message("b"); string(m.Payload) != "live" {
		t.Errorf("b is %s", m.Payload)
	}
	p.message("end")
	<-released
}

func TestASnapshotThatAFailedWriteCutsOffGoesOnAfterResume(t *testing.T) {
	n := startNode(t, nil)
	dev := n.connect(4, "dev", nil)
	const docs = 200 // more than two batches
	for i := range docs {
		dev.put(fmt.Sprintf("fleet/trucks/%d", i), fmt.Sprintf(`{"speed":60,"pad":%q}`, strings.Repeat("x", 1000)))
	}
	p := n.connect(5, "map", keepSession)
	p.subscribe(0, scope+"+")
	p.expect(packets.Publish)
	n.engine.TakeTurn("map", t) // so that the writer ends before the session hears of it
	p.hangUp()
	dev.publish("home/lamp", "on", 0) // which cannot be written
	n.offline("map")
	n.engine.GiveTurn(t)
	n.absent("map")
	p = n.connect(5, "map", keepSession)
	for range docs {
		p.expect(packets.Publish)
	}
	p.message(scope + "$synced")
}

func TestAWriterThatIsGoneLeavesNoSourceBehind(t *testing.T) {
	n := startNode(t, nil)
	dev := n.connect(4, "dev", nil)
	dev.put("fleet/trucks/1", `{"speed":60}`)
	p := n.connect(5, "map", keepSession)
	p.subscribe(0, "home/lamp")
	s := n.session("map")
	release := n.hold()
	p.send(packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: p.nextID(),
		Filters: packets.Subscriptions{{Filter: scope + "+"}},
	})
	n.waiting("map")
	p.hangUp()
	dev.publish("home/lamp", "on", 0) // which cannot be written
	n.offline("map")
	release()
	n.absent("map")
	if left := s.Sources(); left > 0 {
		t.Errorf("%d sources are left", left)
	}
	p = n.connect(5, "map", keepSession)
	p.message(scope + "1")
	p.message(scope + "$synced")
}
