package integration

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"
)

// A told is what a notification says of a transition.
type told struct {
	Seq        uint64
	Transition string
	Result     struct {
		ID     string          `json:"_id"`
		Source struct{ N int } `json:"_source"`
	}
}

func parseTold(t *testing.T, m message) told {
	t.Helper()
	var n told
	if err := json.Unmarshal(m.payload, &n); err != nil {
		t.Fatalf("%s: %v", m.payload, err)
	}
	return n
}

// The process is killed under load, again and again. A subscriber that resumes
// has seen each transition of what was acknowledged, in order but for what it is
// told again, and the same as whoever reads it all from the change log.
func TestAResumedSubscriberHasSeenEveryTransitionInSpiteOfKill(t *testing.T) {
	t.Parallel()
	cycles := 5
	if testing.Short() {
		cycles = 2
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	b := startBroker(t, brokerOptions{})
	w := connect(t, b, connectOptions{id: "dash", keep: true})
	w.subscribe(t, fastTrucks)
	seen := &transitionsSeen{bySeq: map[uint64]told{}}
	var acked []int
	for cycle := range cycles {
		device := connect(t, b, connectOptions{})
		var written atomic.Int64
		done := make(chan []int)
		go func() { done <- device.writeUntilKilled(cycle*1_000_000, &written) }()
		for range 50 + random.IntN(500) {
			seen.add(t, w.message(t))
		}
		if cycle%2 == 1 { // it does not acknowledge while marks are written
			until := written.Load() + 1500
			eventually(t, "more is written", func() bool { return written.Load() >= until })
		}
		b.kill()
		acked = append(acked, <-done...)
		b = b.restart(t)
		w = connect(t, b, connectOptions{id: "dash", keep: true})
	}
	connect(t, b, connectOptions{}).put(t, "fleet/trucks/end", `{"speed":60}`)
	for seen.add(t, w.message(t)).Result.ID != "end" {
	}
	t.Logf("%d writes were acknowledged, %d transitions seen, %d more than once", len(acked), len(seen.bySeq), seen.repeats)
	seen.check(t, b, acked)
}

// writeUntilKilled writes numbered documents that enter and leave the scope
// until the connection ends, and returns the numbers that were acknowledged.
func (w *wire) writeUntilKilled(from int, written *atomic.Int64) (acked []int) {
	for n := from; ; n++ {
		m := message{
			topic: fmt.Sprintf("fleet/trucks/%d", n%7), qos: 1, id: uint16(n%60_000 + 1),
			payload: fmt.Appendf(nil, `{"speed":%d,"n":%d}`, speedOf(n), n),
		}
		if _, err := w.Write(publishPacket(m, false)); err != nil {
			return acked
		}
		if p, err := w.read(); err != nil || p.kind != typePuback {
			return acked
		}
		acked = append(acked, n)
		written.Add(1)
	}
}

// speedOf is over 50 for some time, and then is not.
func speedOf(n int) int { return 35 + 10*(n/7%4) }

// transitionsSeen are what a subscriber was told.
type transitionsSeen struct {
	bySeq   map[uint64]told
	last    uint64
	repeats int
}

// add takes a notification: a new one, or one that is told again.
func (s *transitionsSeen) add(t *testing.T, m message) told {
	t.Helper()
	n := parseTold(t, m)
	old, repeated := s.bySeq[n.Seq]
	switch {
	case repeated && old != n:
		t.Fatalf("%+v is told again as %+v", old, n)
	case repeated:
		s.repeats++
	case n.Seq < s.last:
		t.Fatalf("%+v comes after seq %d", n, s.last)
	}
	s.bySeq[n.Seq], s.last = n, max(s.last, n.Seq)
	return n
}

// check compares what was seen with what the change log tells somebody who was
// not there, and with what was acknowledged.
func (s *transitionsSeen) check(t *testing.T, b *broker, acked []int) {
	t.Helper()
	w := connect(t, b, connectOptions{})
	w.subscribe(t, fastTrucks+"&since=0")
	logged := map[int]bool{}
	for id := ""; id != "end"; {
		n := parseTold(t, w.message(t))
		id = n.Result.ID
		if s.bySeq[n.Seq] != n {
			t.Errorf("%+v was told as %+v", n, s.bySeq[n.Seq])
		}
		logged[n.Result.Source.N] = true
		delete(s.bySeq, n.Seq)
	}
	for _, n := range s.bySeq {
		t.Errorf("%+v was told, and is not in the change log", n)
	}
	for _, n := range acked {
		if speedOf(n) > 50 && !logged[n] {
			t.Errorf("write %d was acknowledged, and not told", n)
		}
	}
}
