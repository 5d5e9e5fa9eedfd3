package filter

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

// Each of these is indexed at first under what most documents have.
var homeless = []struct {
	name   string
	before string // a filter that is there before, with a number
	filter string // with a number
	body   string // of a document, with a number
}{{
	name:   "the first filters, when no value is known yet",
	filter: `{"and":[{"range":{"speed":{"gt":10}}},{"equals":{"plate":"P%d"}}]}`,
	body:   `{"speed":50,"plate":"P%d"}`,
}, {
	name:   "a value that most documents have, among many that filters ask for",
	before: `{"equals":{"status":"S%d"}}`,
	filter: `{"and":[{"equals":{"status":"S1"}},{"equals":{"plate":"P%d"}}]}`,
	body:   `{"status":"S1","plate":"P%d"}`,
}, {
	name:   "a small place where all are",
	filter: `{"and":[{"geoDistance":{"at":[48,11],"distance":"100m"}},{"equals":{"plate":"P%d"}}]}`,
	body:   `{"at":[48,11],"plate":"P%d"}`,
}, {
	name:   "a part of an or",
	filter: `{"or":[{"equals":{"line":"L%[1]d"}},{"and":[{"contains":{"plate":"Plate"}},{"equals":{"number":%[1]d}}]}]}`,
	body:   `{"plate":"Plate %[1]d","number":%[1]d}`,
}}

func TestFiltersMoveToConditionsThatFewDocumentsHave(t *testing.T) {
	for _, tt := range homeless {
		t.Run(tt.name, func(t *testing.T) {
			const n = 1000
			var m Matcher[int]
			for i := range n {
				if tt.before != "" {
					m.Add(-1-i, parsed(t, fmt.Sprintf(tt.before, i)))
				}
			}
			for i := range n {
				m.Add(i, parsed(t, fmt.Sprintf(tt.filter, i)))
			}
			d := document(t, fmt.Sprintf(tt.body, 7))
			if before := m.Candidates(d); before < n {
				t.Fatalf("%d candidates at first, want all of %d", before, n)
			}
			for i := range 100 {
				m.Match(nil, document(t, fmt.Sprintf(tt.body, i)))
			}
			pass(&m, parsed(t, `{"exists":"other"}`), 3*n)
			if after := m.Candidates(d); after > 10 {
				t.Errorf("%d candidates, want few", after)
			}
			if found := m.Match(nil, d); !slices.Contains(found, 7) || len(found) > 2 {
				t.Errorf("found %v", found)
			}
		})
	}
}

// What documents hold is known before the first filter that asks.
func TestDocumentsTellWhatIsRare(t *testing.T) {
	for _, tt := range homeless {
		var m Matcher[int]
		for i := range 100 {
			m.Match(nil, document(t, fmt.Sprintf(tt.body, i)))
		}
		for i := range 1000 {
			m.Add(i, parsed(t, fmt.Sprintf(tt.filter, 1000+i)))
		}
		if n := m.Candidates(document(t, fmt.Sprintf(tt.body, 1500))); n > 10 {
			t.Errorf("%s: %d candidates, want few", tt.name, n)
		}
	}
}

// pass makes so many changes with a filter, and leaves nothing of it.
func pass(m *Matcher[int], f *Filter, changes int) {
	for i := range changes {
		if i%2 == 0 {
			m.Add(-1_000_000, f)
		} else {
			m.Remove(-1_000_000)
		}
	}
}

// scatter makes some filters move, wherever chance has it.
func scatter[K comparable](t *testing.T, m *Matcher[K], random *rand.Rand) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	x := &m.index
	if x.homes.stage > 0 {
		return
	}
	for _, id := range slices.AppendSeq(slices.Clone(m.keys.single.slots), maps.Values(m.keys.shared)) {
		if d := x.entries.at(id).detail.Load(); d != nil && d.text != "" && random.IntN(3) == 0 {
			root := parsed(t, d.text).root
			x.move(id, d, root, anyCover(root, random))
		}
	}
	x.homes.stage = 2 // as if this had been planned
}

func anyCover(n node, random *rand.Rand) cover {
	switch n := n.(type) {
	case and:
		place := random.IntN(len(n))
		c := anyCover(n[place], random)
		c.rest = restOf(n, place, c.rest)
		return c
	case or:
		var all cover
		for _, member := range n {
			c := anyCover(member, random)
			all.access = append(all.access, c.access...)
			if c.rest != nil {
				all.rest = n
			}
		}
		return all
	}
	return cover{access: []node{n}}
}

// While filters move and others come and go, a match finds what it should, once.
func TestMatcherIsRightWhileFiltersMove(t *testing.T) {
	p := newPopulation(t, 5, 300, 20)
	var m Matcher[int]
	for i, f := range p.filters {
		m.Add(i, f)
	}
	var reader, writer sync.WaitGroup
	stop := make(chan struct{})
	reader.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if err := p.check(&m, p.documents[i%len(p.documents)]); err != nil {
				t.Error(err)
				return
			}
		}
	})
	writer.Go(func() {
		random := rand.New(rand.NewPCG(6, 0))
		for range 10_000 {
			scatter(t, &m, random)
			if i := 1 + 2*random.IntN(len(p.filters)/2); random.IntN(2) == 0 {
				m.Add(i, p.filters[i])
			} else {
				m.Remove(i)
			}
		}
	})
	writer.Wait()
	close(stop)
	reader.Wait()
	for i := range p.filters {
		m.Remove(i)
	}
	if x := &m.index; x.known.n+len(x.programs)+x.fieldNumbers.n != 0 {
		t.Errorf("an empty matcher keeps %d entries, %d programs, %d fields", x.known.n, len(x.programs), x.fieldNumbers.n)
	}
}
