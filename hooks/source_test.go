package hooks

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/topics"
)

// A message that overtakes the snapshot of its document comes before the one
// that says that the snapshot is complete.
func TestTheEndOfASnapshotComesBehindWhatHasOvertakenIt(t *testing.T) {
	n := startNode(t, nil)
	p := n.connect(4, "map", nil)
	p.quiet() // the outbox is open
	box := n.hook.session("map").box
	live := delivery{m: &message{topic: "b", payload: []byte("live"), supersedes: true}}
	messages := func(yield func(*message, error) bool) {
		if !yield(&message{topic: "a"}, nil) {
			return
		}
		box.push(live) // while the writer reads the store
		_ = yield(&message{topic: "b", payload: []byte("old")}, nil) &&
			yield(&message{topic: "end", synced: true}, nil)
	}
	released := make(chan struct{})
	sub := &subscription{to: topics.Filter{Text: "+", Kind: topics.Scope}}
	if !box.addSource(newSource(sub, messages, func() { close(released) })) {
		t.Fatal("the client is gone")
	}
	box.startSources()
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
	n.hook.turns.take("map", t) // so that the writer ends before the session hears of it
	p.hangUp()
	n.hook.session("map").box.written(t)
	n.hook.turns.give(t)
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
	s := n.hook.session("map")
	release := n.hold()
	p.send(packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: p.nextID(),
		Filters: packets.Subscriptions{{Filter: scope + "+"}},
	})
	s.box.waiting(t)
	p.hangUp()
	dev.publish("home/lamp", "on", 0) // which cannot be written
	s.box.written(t)
	release()
	n.absent("map")
	s.box.mu.Lock()
	if left := len(s.box.link.sources); left > 0 {
		t.Errorf("%d sources are left", left)
	}
	s.box.mu.Unlock()
	p = n.connect(5, "map", keepSession)
	p.message(scope + "1")
	p.message(scope + "$synced")
}
