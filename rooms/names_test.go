package rooms

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// A stored is a store whose tail is read.
type stored struct {
	*persistence.Store
	t *testing.T
}

func openStore(t *testing.T) *stored {
	t.Helper()
	s, err := persistence.Open(t.TempDir(), persistence.Options{})
	if err != nil {
		t.Fatal(err)
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		for batch := range s.Tail() {
			for _, r := range batch {
				r.Apply()
			}
		}
	}()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		<-drained
	})
	return &stored{s, t}
}

// put writes a document of fleet/trucks, or deletes it if the body is nil.
func (s *stored) put(id string, body []byte) {
	s.t.Helper()
	done := make(chan error, 1)
	op := &persistence.Op{
		Write:   &persistence.Write{Key: persistence.Key{Index: "fleet", Collection: "trucks", ID: id}, Body: body, Time: time.UnixMilli(1000)},
		Applied: func(r *persistence.Result) { done <- r.Err },
	}
	err := s.Append(s.t.Context(), op)
	if err == nil {
		err = <-done
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// name has a name point to a filter, nil for none, and shows what its members are told.
func (w *world) name(name string, next *filter.Filter) string {
	w.t.Helper()
	old := Nothing()
	if n, ok := w.engine.Named("fleet", "trucks", name); ok {
		old = n.Filter
	}
	if next == nil {
		w.engine.DropName("fleet", "trucks", name)
		next = Nothing()
	} else if err := w.engine.SetName(Name{Index: "fleet", Collection: "trucks", Name: name, Filter: next}, w); err != nil {
		return err.Error() + "\n"
	}
	s := openStore(w.t)
	for _, id := range slices.Sorted(maps.Keys(w.docs)) {
		if doc := w.docs[id]; doc != nil {
			s.put(id, doc.Body)
		}
	}
	snap := s.Snapshot()
	defer snap.Close()
	w.out.Reset()
	for _, m := range w.engine.Called("fleet", "trucks", name) {
		w.goOver(m, old, next, snap)
	}
	clear(w.out.messages)
	if w.names[next.Hash("fleet", "trucks")] == "" {
		w.names[next.Hash("fleet", "trucks")] = fmt.Sprintf("room-%d", len(w.names)+1)
	}
	return w.told() + fmt.Sprintf("rooms: %d\n", w.engine.Len())
}

// goOver has a member told by the next filter, and before of what that makes of the old one.
func (w *world) goOver(m Membership, old, next *filter.Filter, snap *persistence.Snapshot) {
	w.t.Helper()
	to, err := topics.ParseFilter(m.TopicFilter, topics.Limits{})
	if err != nil {
		w.t.Fatal(err)
	}
	if Check(to, old) != nil {
		old = Nothing()
	}
	if Check(to, next) != nil {
		next = Nothing()
	}
	for msg, err := range w.engine.Replay(to, View{Filter: old}.To(next)).Difference(snap) {
		if err != nil {
			w.t.Fatal(err)
		}
		w.out.Publish(m.TopicFilter, []string{m.Member}, msg)
	}
	j := joined{to: to, replay: w.engine.Replay(to, View{Filter: next})}
	if j.hash, err = w.engine.Join(m.Member, to, next, w); err != nil {
		w.t.Fatal(err)
	}
	if hash := old.Hash("fleet", "trucks"); hash != j.hash {
		w.engine.Leave(m.Member, to, hash)
	}
	w.joined[m.TopicFilter] = j
}

// What is remembered of a difference makes the next one cheaper, and never another one.
func TestDifferencesAreThoseOfAllDocuments(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	s, engine := openStore(t), New("node", nil, Options{})
	within := func() *filter.Filter {
		low := rnd.IntN(10)
		f, err := filter.Parse(fmt.Appendf(nil, `{"range":{"v":{"gte":%d,"lt":%d}}}`, low, low+1+rnd.IntN(3)))
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	views := make([]View, 4)
	for i := range views {
		views[i] = View{Filter: within()}.To(within()).To(within())
	}
	to, err := topics.ParseFilter("fleet/trucks/@a", topics.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	old := s.Snapshot()
	for step := range 400 {
		id := fmt.Sprint(rnd.IntN(20))
		if s.put(id, fmt.Appendf(nil, `{"v":%d}`, rnd.IntN(10))); rnd.IntN(4) == 0 {
			s.put(id, nil)
		}
		snap, v := s.Snapshot(), views[rnd.IntN(len(views))]
		if rnd.IntN(10) == 0 {
			snap, old = old, snap
		}
		var got, want []string
		for m, err := range engine.Replay(to, v).Difference(snap) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, m.ID+" "+m.Transition.String())
		}
		for doc, err := range snap.Documents("fleet", "trucks", "") {
			if err != nil {
				t.Fatal(err)
			}
			d, err := Prepare(doc)
			if err != nil {
				t.Fatal(err)
			}
			is, was := v.Filter.Match(d), 0
			for _, f := range v.Earlier {
				if f.Match(d) {
					was++
				}
			}
			switch {
			case is && was < len(v.Earlier):
				want = append(want, doc.Key.ID+" enter")
			case !is && was > 0:
				want = append(want, doc.Key.ID+" exit")
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("step %d: %s: told %q, want %q", step, v, got, want)
		}
		snap.Close()
	}
	old.Close()
}

func TestViewsComeBackAsTheyWere(t *testing.T) {
	parse := func(text string) *filter.Filter {
		f, err := filter.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	a, b, c := parse(`{"exists":"a"}`), parse(`{"exists":"b"}`), parse("{}")
	one := View{Filter: a}
	for _, tt := range []struct {
		view View
		want string
	}{
		{one, `{"exists":"a"}`},
		{one.To(b), `[{"exists":"b"},{"exists":"a"}]`},
		{one.To(b).To(c), `[{},{"exists":"b"},{"exists":"a"}]`},
		{one.To(b).To(a), `[{"exists":"a"},{"exists":"b"}]`},
	} {
		back, err := ParseView([]byte(tt.view.String()))
		if err != nil || tt.view.String() != tt.want || back.String() != tt.want {
			t.Errorf("%s came back as %s (%v), want %s", tt.view, back, err, tt.want)
		}
	}
	for _, text := range []string{"", "[]", `[{}`, `{"exists":1}`} {
		if v, err := ParseView([]byte(text)); err == nil {
			t.Errorf("%q was read as %s", text, v)
		}
	}
	if one.To(b).Is(b) || !one.Is(parse(strings.TrimSpace(` {"exists":{"field":"a"}} `))) {
		t.Error("a view is that of a filter alone when there are no earlier ones")
	}
}
