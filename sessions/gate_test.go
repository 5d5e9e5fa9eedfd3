package sessions

import (
	"runtime"
	"sync"
	"testing"
	"time"
)

// busyEffort is the effort of a connection that has been handled for long.
func busyEffort(g *gate) *effort {
	return &effort{gate: g, used: lightBurst + slice, ended: time.Now().Add(time.Hour)}
}

// fill has as many busy connections be handled as there is room for.
func fill(t *testing.T, g *gate) (inside []*effort) {
	t.Helper()
	t.Cleanup(g.close)
	(&effort{gate: g}).begin() // a light one, for whose sake it is shut
	for range runtime.GOMAXPROCS(0) {
		f := busyEffort(g)
		f.begin()
		inside = append(inside, f)
	}
	return inside
}

// beginning has a connection wait for a place, and returns what is closed when it has one. The
// mutex says that it waits.
func beginning(t *testing.T, g *gate, f *effort) <-chan struct{} {
	t.Helper()
	g.mu.Lock()
	before := len(g.waiting)
	g.mu.Unlock()
	begun := make(chan struct{})
	go func() {
		defer close(begun)
		f.begin()
	}()
	for deadline := time.Now().Add(patient); ; runtime.Gosched() {
		g.mu.Lock()
		waits := len(g.waiting) > before
		g.mu.Unlock()
		select {
		case <-begun: // its turn has come at once
			return begun
		default:
		}
		if waits {
			return begun
		}
		if time.Now().After(deadline) {
			t.Fatal("nobody waits at the gate")
		}
	}
}

const patient = 20 * time.Second

func awaitTurn(t *testing.T, begun <-chan struct{}) {
	t.Helper()
	select {
	case <-begun:
	case <-time.After(patient):
		t.Fatal("no turn came")
	}
}

func TestALightConnectionPassesAFullGate(t *testing.T) {
	g := new(gate)
	fill(t, g)
	light := &effort{gate: g}
	light.begin() // and does not wait
	light.end()
	if light.busy || light.used > slice {
		t.Errorf("it counts as busy after %v", light.used)
	}
}

func TestAConnectionThatIsHandledForLongGetsBusyAndLightAgain(t *testing.T) {
	g := new(gate)
	t.Cleanup(g.close)
	f := &effort{gate: g}
	f.begin()
	f.begun = f.begun.Add(-time.Second) // so long ago
	if !f.over(1 << 20) {
		t.Error("nobody else has a turn after a second")
	}
	f.end()
	if f.begin(); !f.busy {
		t.Error("it is not busy")
	}
	f.end()
	f.ended = f.ended.Add(-time.Second)
	if f.begin(); f.busy {
		t.Error("it is busy though it has done nothing for a second")
	}
	f.end()
}

func TestAPlaceAtTheGateGoesToWhoWaits(t *testing.T) {
	g := new(gate)
	inside := fill(t, g)
	first, second := busyEffort(g), busyEffort(g)
	firstBegun := beginning(t, g, first)
	secondBegun := beginning(t, g, second)
	inside[0].end()
	awaitTurn(t, firstBegun)
	first.end()
	awaitTurn(t, secondBegun)
	second.end()
}

// Nobody waits for good, whatever those do who have the places.
func TestAPlaceThatIsNotGivenBackIsTakenBack(t *testing.T) {
	g := new(gate)
	inside := fill(t, g)
	late := busyEffort(g)
	awaitTurn(t, beginning(t, g, late))
	for _, f := range append(inside, late) {
		f.end()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.inside)+len(g.waiting) > 0 {
		t.Errorf("%d have a place and %d wait", len(g.inside), len(g.waiting))
	}
}

func TestTheGateIsOpenWhenAllConnectionsAreBusy(t *testing.T) {
	g := new(gate)
	inside := fill(t, g)
	g.light.Add(-int64(openAfter))
	f := busyEffort(g)
	f.begin() // and does not wait
	if f.busy {
		t.Error("it has passed the gate")
	}
	for _, f := range append(inside, f) {
		f.end()
	}
}

func TestAReaderThatWaitsHasNoPlaceAtTheGate(t *testing.T) {
	g := new(gate)
	inside := fill(t, g)
	b := &outbox{}
	b.changed = sync.NewCond(&b.mu)
	f := &flushes{reader: b, effort: inside[0]}
	f.wait()
	if inside[0].inside {
		t.Error("it has")
	}
	if !inside[0].over(0) {
		t.Error("it would go on without one")
	}
}
