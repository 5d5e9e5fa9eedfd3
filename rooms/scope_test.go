package rooms

import (
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/topics"
)

// Whoever was told as much as may be since a change, by any filter of a view, knows what is in
// scope when he is told a snapshot, and nothing else.
func TestASnapshotSaysWhatHasLeft(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	s, engine := openStore(t), New("node", nil, Options{})
	to, err := topics.ParseFilter("$scope/fleet/trucks/@a/+", topics.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	docs := map[string]int{}
	for round := range 60 {
		v, lows := goingOver(t, rnd)
		last := lows[len(lows)-1]
		known, in := map[string]bool{}, map[string]bool{}
		know := func(id string, value int) {
			for _, low := range lows {
				if value >= low && value < low+3 {
					known[id] = true
				}
			}
		}
		for id, value := range docs {
			know(id, value)
		}
		since := lastSeq(s)
		for range rnd.IntN(15) {
			id, value := fmt.Sprint(rnd.IntN(10)), rnd.IntN(10)
			if rnd.IntN(4) == 0 {
				s.put(id, nil)
				delete(docs, id)
				continue
			}
			s.put(id, fmt.Appendf(nil, `{"v":%d}`, value))
			docs[id] = value
			know(id, value)
		}
		for id, value := range docs {
			if value >= last && value < last+3 {
				in[id] = true
			}
		}
		snap := s.Snapshot()
		hear(t, engine.Replay(to, v).Snapshot(snap, since), known)
		snap.Close()
		if !maps.Equal(known, in) {
			t.Fatalf("round %d: %v is known, and %v in scope", round, known, in)
		}
	}
}

// goingOver returns the view of who goes over from filters to the last one. Each matches three
// numbers from a low one on.
func goingOver(t *testing.T, rnd *rand.Rand) (v View, lows []int) {
	t.Helper()
	for i := range 1 + rnd.IntN(3) {
		low := rnd.IntN(8)
		f, err := filter.Parse(fmt.Appendf(nil, `{"range":{"v":{"gte":%d,"lt":%d}}}`, low, low+3))
		if err != nil {
			t.Fatal(err)
		}
		lows = append(lows, low)
		if i == 0 {
			v = View{Filter: f}
		} else {
			v = v.To(f)
		}
	}
	return v, lows
}

// hear takes what a scope is told first.
func hear(t *testing.T, messages iter.Seq2[*Message, error], known map[string]bool) {
	t.Helper()
	var last *Message
	for m, err := range messages {
		switch last = m; {
		case err != nil:
			t.Fatal(err)
		case m.ID != "" && len(m.Payload) > 0:
			known[m.ID] = true
		default:
			delete(known, m.ID)
		}
	}
	if !strings.HasSuffix(last.Topic, SyncedID) {
		t.Errorf("the last message is on %s", last.Topic)
	}
}

func lastSeq(s *stored) uint64 {
	snap := s.Snapshot()
	defer snap.Close()
	return snap.Seq()
}
