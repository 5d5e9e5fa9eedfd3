package sdk

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
)

// TestObserversAgreeWithASearch has observers start, read pages, lose their connections
// and see the broker die while others write, and then compares what they have with what a
// search finds.
func TestObserversAgreeWithASearch(t *testing.T) {
	t.Run("Go", func(t *testing.T) {
		agree(t, dialGo)
	})
	t.Run("Node", func(t *testing.T) {
		build(t)
		c := startJS(t, "5")
		agree(t, c.dialer(func(b *broker) string { return "ws://" + b.http.address() + "/mqtt" }))
	})
}

// watched are the searches that are observed.
func watched() []step {
	fast := map[string]any{"range": map[string]any{"n": map[string]any{"gt": 40.0}}}
	return []step{
		{Search: map[string]any{}, Size: 5},
		{Search: map[string]any{"sort": "n"}, Size: 3},
		{Search: map[string]any{"query": fast, "sort": []any{map[string]any{"n": "desc"}}}, Size: 4},
		{Search: map[string]any{"query": fast}, Size: 100},
	}
}

func agree(t *testing.T, dial dialer) {
	t.Helper()
	const rounds, writers, writes = 6, 3, 60
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	b := startBroker(t, "")
	p := newPlay(t, b, dial)
	c := p.client("")
	for round := range rounds {
		var done sync.WaitGroup
		for w := range writers {
			its := rand.New(rand.NewPCG(seed, uint64(round*writers+w+1)))
			done.Go(func() {
				for range writes {
					if err := p.write(map[string]json.RawMessage{fmt.Sprint(its.IntN(40)): randomBody(its)}); err != nil {
						t.Logf("a write: %v", err) // of a deleted document, or while the broker is down
					}
				}
			})
		}
		for i, s := range watched() {
			s.Observe = fmt.Sprint(round, "-", i)
			if _, err := c.do(s); err != nil {
				t.Fatal(err)
			}
			if _, err := c.do(step{Next: s.Observe}); err != nil {
				t.Fatal(err)
			}
		}
		if random.IntN(2) == 0 {
			b.mqtt.cut()
			b.http.cut()
		}
		done.Wait()
		if random.IntN(3) == 0 {
			b.kill()
			b.start(t)
		}
		b.mqtt.mend()
		b.http.mend()
	}
	for round := range rounds {
		for i, s := range watched() {
			compare(t, p, fmt.Sprint(round, "-", i), s)
		}
	}
}

func randomBody(r *rand.Rand) json.RawMessage {
	if r.IntN(5) == 0 {
		return json.RawMessage("null")
	}
	return json.RawMessage(fmt.Sprintf(`{"n":%d}`, r.IntN(80)))
}

// compare reads the rest of what is observed, and waits until it is what a search finds.
func compare(t *testing.T, p *play, name string, s step) {
	t.Helper()
	for more := any(true); more == true; {
		var err error
		if more, err = p.client("").do(step{Next: name}); err != nil {
			t.Fatal(err)
		}
	}
	request := map[string]any{"index": index, "collection": collection, "body": s.Search, "size": 1000}
	answer, err := p.broker.ask("document", "search", request)
	if err != nil {
		t.Fatal(err)
	}
	var page struct {
		Hits []struct {
			ID     string          `json:"_id"`
			Source json.RawMessage `json:"_source"`
		}
		Total int
	}
	if err := json.Unmarshal(answer, &page); err != nil {
		t.Fatal(err)
	}
	want := []map[string]any{}
	for _, hit := range page.Hits {
		doc := plain(hit.Source)
		doc["_id"] = hit.ID
		want = append(want, doc)
	}
	got, ok := p.client("").board().await(name, func(is state) bool {
		return is.Total == page.Total && len(is.Hits) == len(want) && (len(want) == 0 || reflect.DeepEqual(is.Hits, want))
	})
	if !ok {
		t.Errorf("%s: it has %d: %v\na search finds %d: %v", name, got.Total, got.Hits, page.Total, want)
	}
}
