package filter

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

func TestMatcherFindsTheFiltersThatMatch(t *testing.T) {
	var m Matcher[string]
	d := document(t, `{"a":1}`)
	if got := m.Match(nil, d); len(got) != 0 || m.Len() != 0 {
		t.Errorf("an empty matcher finds %v and has %d filters", got, m.Len())
	}
	m.Add("one", parsed(t, `{"equals":{"a":1}}`))
	m.Add("two", parsed(t, `{"equals":{"a":2}}`))
	m.Add("any", parsed(t, `{}`))
	wantMatch(t, &m, d, "any", "one")
	m.Add("two", parsed(t, `{"exists":"a"}`)) // in place of the first
	wantMatch(t, &m, d, "any", "one", "two")
	m.Remove("one")
	m.Remove("one")
	m.Remove("unknown")
	wantMatch(t, &m, d, "any", "two")
	m.Remove("two")
	m.Remove("any")
	wantMatch(t, &m, d)
	m.Add("one", parsed(t, `{}`))
	wantMatch(t, &m, d, "one")
}

func TestMatcherAppends(t *testing.T) {
	var m Matcher[int]
	m.Add(2, parsed(t, `{}`))
	if got := m.Match([]int{1}, document(t, `{}`)); !slices.Equal(got, []int{1, 2}) {
		t.Errorf("got %v", got)
	}
}

func wantMatch(t *testing.T, m *Matcher[string], d *Document, want ...string) {
	t.Helper()
	got := m.Match(nil, d)
	slices.Sort(got)
	if !slices.Equal(got, want) || m.Len() < len(want) {
		t.Errorf("got %v of %d, want %v", got, m.Len(), want)
	}
}

// A filter that is there all the time must be found all the time, whatever is
// added and removed meanwhile.
func TestMatcherDoesNotStopForChanges(t *testing.T) {
	var m Matcher[int]
	f := parsed(t, `{"exists":"a"}`)
	m.Add(-1, f)
	d := document(t, `{"a":1}`)
	var readers, writers sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if found := m.Match(nil, d); !slices.Contains(found, -1) {
					t.Error("the filter that stays was not found")
					return
				}
			}
		})
	}
	for w := range 2 {
		writers.Go(func() {
			for i := range 5000 {
				m.Add(2*i+w, f)
				m.Add(-1, f)
				if i >= 10 {
					m.Remove(2*(i-10) + w)
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
	if m.Len() != 21 {
		t.Errorf("%d filters are left, want 21", m.Len())
	}
}

// population are filters to add and remove, each with the documents that match.
type population struct {
	filters   []*Filter
	documents []*Document
}

func newPopulation(t *testing.T, seed uint64, filters, documents int) population {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 0))
	var p population
	for range filters {
		p.filters = append(p.filters, parsed(t, randomFilter(random, 1+random.IntN(4))))
	}
	for range documents {
		p.documents = append(p.documents, document(t, randomDocument(random)))
	}
	return p
}

// So many removals that numbers are used again, and structures shrink.
func TestMatcherAgreesAfterManyChanges(t *testing.T) {
	p := newPopulation(t, 1, 2000, 50)
	random := rand.New(rand.NewPCG(2, 0))
	var m Matcher[string]
	truth := map[string]*Filter{}
	for step := range 40_000 {
		key := fmt.Sprint(random.IntN(300))
		if random.IntN(2) == 0 {
			truth[key] = p.filters[random.IntN(len(p.filters))]
			m.Add(key, truth[key])
		} else {
			delete(truth, key)
			m.Remove(key)
		}
		if step%200 == 0 {
			d := p.documents[random.IntN(len(p.documents))]
			compare(t, &m, truth, d, fmt.Sprint(fields(d)))
		}
	}
	for key := range truth {
		m.Remove(key)
	}
	x := &m.index
	if x.entryPool.last > 2*minResting+2000 || x.generation.Load() == 0 {
		t.Errorf("%d numbers for 300 filters at a time, generation %d", x.entryPool.last, x.generation.Load())
	}
	if x.known.n+x.values.n+x.fieldNumbers.n+x.defaults.n+x.outsides.n+len(x.programs) != 0 {
		t.Errorf("an empty matcher keeps %d entries, %d values, %d fields, %d defaults, %d outsides, %d programs",
			x.known.n, x.values.n, x.fieldNumbers.n, x.defaults.n, x.outsides.n, len(x.programs))
	}
}

// While half of the filters come and go, a match must find each of the others
// that matches, and nothing that does not, and nothing twice.
func TestMatcherIsRightAtEveryMoment(t *testing.T) {
	p := newPopulation(t, 3, 600, 20)
	var m Matcher[int]
	for i, f := range p.filters {
		m.Add(i, f)
	}
	var readers, writers sync.WaitGroup
	stop := make(chan struct{})
	for r := range 2 {
		readers.Go(func() {
			for i := r; ; i++ {
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
	}
	writers.Go(func() {
		random := rand.New(rand.NewPCG(4, 0))
		for range 20_000 {
			i := 1 + 2*random.IntN(len(p.filters)/2) // the odd ones
			if random.IntN(2) == 0 {
				m.Add(i, p.filters[i])
			} else {
				m.Remove(i)
			}
		}
	})
	writers.Wait()
	close(stop)
	readers.Wait()
}

func (p population) check(m *Matcher[int], d *Document) error {
	found := map[int]bool{}
	for _, i := range m.Match(nil, d) {
		if found[i] || !p.filters[i].Match(d) {
			return fmt.Errorf("%s is found for %v, before: %v", p.filters[i], fields(d), found[i])
		}
		found[i] = true
	}
	for i := 0; i < len(p.filters); i += 2 {
		if !found[i] && p.filters[i].Match(d) {
			return fmt.Errorf("%s is not found for %v", p.filters[i], fields(d))
		}
	}
	return nil
}

// A key whose filter is replaced by another that matches, too, is found once,
// at every moment.
func TestMatcherFindsAReplacedKeyOnce(t *testing.T) {
	var m Matcher[int]
	d := document(t, `{"a":1}`)
	filters := []*Filter{parsed(t, `{"equals":{"a":1}}`), parsed(t, `{"exists":"a"}`)}
	m.Add(1, filters[0])
	var writer sync.WaitGroup
	stop := make(chan struct{})
	writer.Go(func() {
		for i := 1; ; i++ {
			m.Add(1, filters[i%2])
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	for range 20_000 {
		if found := m.Match(nil, d); !slices.Equal(found, []int{1}) {
			t.Errorf("found %v", found)
			break
		}
	}
	close(stop)
	writer.Wait()
}

// What a match may have missed is in the chain of replacements, or the match is
// told to start anew.
func TestMatcherMendsWhatWasReplacedMeanwhile(t *testing.T) {
	d := document(t, `{"a":1}`)
	filters := []*Filter{parsed(t, `{"equals":{"a":1}}`), parsed(t, `{"exists":"a"}`), parsed(t, `{"exists":"b"}`)}
	for _, tt := range []struct {
		before, during int
		want           bool
	}{{0, 1, true}, {0, chained - 1, true}, {0, chained, false}, {0, 3 * chained, false}, {chained - 1, 1, true}, {chained - 2, 2, false}, {chained + 5, 10, true}} {
		var m Matcher[int]
		m.Add(1, filters[2])
		for i := range tt.before {
			m.Add(1, filters[i%2])
		}
		since := m.settled()
		for i := range tt.during {
			m.Add(1, filters[(tt.before+i)%2])
		}
		if found, ok := m.mend([]int{1, 2, 1}, 1, d, since); ok != tt.want || ok && !slices.Equal(found, []int{1, 2, 1}) {
			t.Errorf("after %d, %d replacements: %v, %v", tt.before, tt.during, found, ok)
		}
		if found, ok := m.mend(nil, 0, d, since); ok && !slices.Equal(found, []int{1}) {
			t.Errorf("after %d, %d replacements: found %v", tt.before, tt.during, found)
		}
	}
}

func TestMatcherTakesOneFilterUnderManyKeys(t *testing.T) {
	var m Matcher[int]
	d, f := document(t, `{"a":1}`), parsed(t, `{"equals":{"a":1}}`)
	for i := range 100 {
		m.Add(i, f)
	}
	if n := m.index.known.n; n != 1 {
		t.Errorf("one filter has %d entries", n)
	}
	for i := 0; i < 100; i += 3 {
		m.Remove(i)
	}
	found := m.Match(nil, d)
	slices.Sort(found)
	if len(found) != 66 || found[0] != 1 || found[65] != 98 {
		t.Errorf("found %v", found)
	}
}

// Three bytes of a literal are a condition besides those on values, whatever the
// bytes are.
func TestMatcherTellsBytesOfALiteralFromValues(t *testing.T) {
	var m Matcher[string]
	m.Add("literal", parsed(t, `{"contains":{"a":"\u0000\u0000\u0000"}}`))
	for _, value := range []string{"null", "false", "true", "0"} {
		m.Add(value, parsed(t, `{"equals":{"a":`+value+`}}`))
	}
	wantMatch(t, &m, document(t, `{"a":"\u0000\u0000\u0000"}`), "literal")
	for _, value := range []string{"null", "false", "true", "0"} {
		wantMatch(t, &m, document(t, `{"a":`+value+`}`), value)
	}
}

// FuzzMatcher compares Matcher with Filter.Match while filters come and go, and
// move.
func FuzzMatcher(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed, 100)
	}
	f.Fuzz(func(t *testing.T, seed uint64, steps int) {
		random := rand.New(rand.NewPCG(seed, 0))
		var m Matcher[string]
		truth := map[string]*Filter{}
		for range min(steps, 500) {
			key := fmt.Sprint(random.IntN(30))
			switch random.IntN(5) {
			case 0, 1:
				truth[key] = parsed(t, randomFilter(random, 3))
				m.Add(key, truth[key])
			case 2:
				delete(truth, key)
				m.Remove(key)
			case 3:
				body := randomDocument(random)
				compare(t, &m, truth, document(t, body), body)
			case 4:
				scatter(t, &m, random)
			}
		}
	})
}

func compare(t *testing.T, m *Matcher[string], truth map[string]*Filter, d *Document, body string) {
	t.Helper()
	var want []string
	for key, f := range truth {
		if f.Match(d) {
			want = append(want, key)
		}
	}
	slices.Sort(want)
	got := m.Match(nil, d)
	slices.Sort(got)
	if !slices.Equal(got, want) || m.Len() != len(truth) {
		t.Fatalf("%s: got %v of %d, want %v of %d", body, got, m.Len(), want, len(truth))
	}
}
