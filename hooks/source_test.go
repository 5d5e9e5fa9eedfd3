package hooks

import (
	"testing"

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
