package integration

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"
)

// Whoever joins a scope while its documents change, sees it right: a snapshot
// and the changes behind it, each once, none of them older than what was seen.
func TestAScopeJoinedDuringWritesIsRight(t *testing.T) {
	const writers, trucks, joiners = 4, 50, 30
	rounds := 40
	if testing.Short() {
		rounds = 10
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	// Those who have joined do not read before all is written.
	b := startBroker(t, brokerOptions{config: "limits: {queue_bytes: 16MiB}"})
	final := make([]map[string]string, writers) // topic to body
	var writing sync.WaitGroup
	for i := range writers {
		w := connect(t, b, connectOptions{})
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		writing.Go(func() { final[i] = writeTrucks(t, w, i, trucks, rounds, random) })
	}
	views := make([]*scopeView, joiners)
	for i := range views {
		w := connect(t, b, connectOptions{})
		views[i] = &scopeView{w: w, bodies: map[string]string{}, numbers: map[string]int{}}
		w.granted(t, `$scope/fleet/trucks/?{"range":{"speed":{"gt":50}}}/+`)
		views[i].readUntil(t, "$synced") // and so the next one joins later
	}
	writing.Wait()
	connect(t, b, connectOptions{}).put(t, "fleet/trucks/marker", `{"speed":99}`)
	for i, v := range views {
		v.readUntil(t, "marker")
		delete(v.bodies, "marker")
		if diff := v.difference(final); diff != "" {
			t.Errorf("subscriber %d: %s", i, diff)
		}
	}
}

// writeTrucks changes the documents of one writer again and again, and returns
// their last bodies.
func writeTrucks(t *testing.T, w *wire, writer, trucks, rounds int, random *rand.Rand) map[string]string {
	t.Helper()
	last := map[string]string{}
	for n := range rounds {
		var burst []byte
		for truck := range trucks {
			id := fmt.Sprintf("%d-%d", writer, truck)
			body := fmt.Sprintf(`{"n":%d,"speed":%d}`, n, random.IntN(100))
			if random.IntN(10) == 0 {
				body = ""
			}
			last[id] = body
			burst = append(burst, publishPacket(message{
				topic: "fleet/trucks/" + id, payload: []byte(body), qos: 1, id: w.id(),
			}, false)...)
		}
		if _, err := w.Write(burst); err != nil {
			t.Error(err)
			return last
		}
		for range trucks {
			if _, err := w.read(); err != nil {
				t.Error(err)
				return last
			}
		}
	}
	return last
}

// A scopeView is what a subscriber knows of a scope.
type scopeView struct {
	w       *wire
	synced  bool
	bodies  map[string]string
	numbers map[string]int // the newest n of each document
}

// readUntil applies messages until one for that id.
func (v *scopeView) readUntil(t *testing.T, until string) {
	t.Helper()
	for {
		m := v.w.message(t)
		id := m.topic[strings.LastIndexByte(m.topic, '/')+1:]
		switch {
		case id == "$synced":
			v.synced = true
		case len(m.payload) == 0:
			delete(v.bodies, id) // perhaps it left before its turn in the snapshot came
		default:
			v.apply(t, id, m)
		}
		if id == until {
			return
		}
	}
}

func (v *scopeView) apply(t *testing.T, id string, m message) {
	t.Helper()
	if m.retain && v.synced {
		t.Errorf("%s is of a snapshot that was complete", id)
	}
	var body struct{ N int }
	if err := json.Unmarshal(m.payload, &body); err != nil {
		t.Fatal(err)
	}
	if newest, ok := v.numbers[id]; ok && body.N <= newest {
		t.Errorf("%s: n=%d after n=%d", id, body.N, newest)
	}
	v.numbers[id] = body.N
	v.bodies[id] = string(m.payload)
}

// difference compares the view with the documents that are in scope in the end.
func (v *scopeView) difference(final []map[string]string) string {
	left := len(v.bodies)
	for _, bodies := range final {
		for id, body := range bodies {
			var d struct{ Speed int }
			isIn := body != "" && json.Unmarshal([]byte(body), &d) == nil && d.Speed > 50
			if isIn && v.bodies[id] != body || !isIn && v.bodies[id] != "" {
				return fmt.Sprintf("%s is %q, seen as %q", id, body, v.bodies[id])
			}
			if isIn {
				left--
			}
		}
	}
	if left != 0 {
		return fmt.Sprintf("%d documents too many", left)
	}
	return ""
}
