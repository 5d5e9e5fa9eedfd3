package rooms

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// A model says who is to hear of a change by asking every member's filter, one
// by one, about the document before and after.
type model struct {
	docs    map[string]int // speed by id
	members map[[2]string]int
}

// hears returns "member topic-filter transition" for all who are concerned.
func (m *model) hears(id string, speed int, deleted bool) []string {
	before, was := m.docs[id]
	m.docs[id] = speed
	if deleted {
		delete(m.docs, id)
	}
	var all []string
	for who, limit := range m.members {
		in, now := was && before >= limit, !deleted && speed >= limit
		t := topics.Transition(0)
		switch {
		case in && now:
			t = topics.Stay
		case in:
			t = topics.Exit
		case now:
			t = topics.Enter
		default:
			continue
		}
		all = append(all, fmt.Sprintf("%s %s %s", who[0], who[1], t))
	}
	slices.Sort(all)
	return all
}

// heard is a Publisher that notes who gets what, in the model's words.
type heard struct{ all []string }

func (h *heard) Publish(topicFilter string, members []string, m *Message) {
	for _, member := range members {
		h.all = append(h.all, fmt.Sprintf("%s %s %s", member, topicFilter, m.Transition))
	}
}

// TestEngineAgreesWithTheModel joins, leaves, writes and deletes at random. A
// crash in between loses the engine, and its members join again as they would
// from the store. Some changes the engine never sees, so that what it remembers
// is of another version.
func TestEngineAgreesWithTheModel(t *testing.T) {
	for name, opts := range map[string]Options{
		"remembering all": {}, "remembering three": {Standings: 3}, "remembering a few bytes": {StandingBytes: 2000}, "remembering nothing": {Standings: -1},
	} {
		t.Run(name, func(t *testing.T) { compareWithModel(t, opts) })
	}
}

// modelSteps is AMBIT_MODEL_STEPS, or few.
func modelSteps(t *testing.T) int {
	t.Helper()
	text := os.Getenv("AMBIT_MODEL_STEPS")
	if text == "" {
		return 5000
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func compareWithModel(t *testing.T, opts Options) {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	out := &heard{}
	engine := New("node", out, opts)
	m := &model{docs: map[string]int{}, members: map[[2]string]int{}}
	stored := map[string]*persistence.Document{}
	join := func(who [2]string, limit int) (topics.Filter, string) {
		text := fmt.Sprintf(`{"range":{"speed":{"gte":%d}}}`, limit)
		f, err := filter.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		to, err := topics.ParseFilter(who[1], topics.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		hash, err := engine.Join(who[0], to, f, nil)
		if err != nil {
			t.Fatal(err)
		}
		return to, hash
	}
	for step := range modelSteps(t) {
		limit := rnd.IntN(5) * 10
		who := [2]string{fmt.Sprintf("c%d", rnd.IntN(6)), fmt.Sprintf(`i/c/?{"range":{"speed":{"gte":%d}}}`, limit)}
		switch op := rnd.IntN(100); {
		case op == 0: // crash
			engine = New("node", out, opts)
			for who, limit := range m.members {
				join(who, limit)
			}
		case op < 15:
			join(who, limit)
			m.members[who] = limit
		case op < 25:
			to, hash := join(who, limit)
			if !engine.Leave(who[0], to, hash) {
				t.Fatalf("step %d: %v was not in", step, who)
			}
			delete(m.members, who)
		default:
			id, speed, deleted := fmt.Sprint(rnd.IntN(10)), rnd.IntN(60), rnd.IntN(5) == 0
			c := &persistence.Change{Seq: uint64(step + 1), Key: persistence.Key{Index: "i", Collection: "c", ID: id}, Before: stored[id]}
			if !deleted {
				c.After = &persistence.Document{Key: c.Key, Seq: c.Seq, Body: fmt.Appendf(nil, `{"speed":%d}`, speed)}
			}
			if c.Before == nil && c.After == nil {
				continue
			}
			stored[id], out.all = c.After, nil
			if op == 99 { // unseen
				m.hears(id, speed, deleted)
				continue
			}
			if err := engine.Apply(c); err != nil {
				t.Fatal(err)
			}
			slices.Sort(out.all)
			if want := m.hears(id, speed, deleted); !slices.Equal(out.all, want) {
				t.Fatalf("step %d, document %s: heard\n%q, want\n%q", step, id, out.all, want)
			}
		}
	}
}
