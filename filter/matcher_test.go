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

// FuzzMatcher compares Matcher with Filter.Match while filters come and go.
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
			switch random.IntN(4) {
			case 0, 1:
				truth[key] = parsed(t, randomFilter(random, 3))
				m.Add(key, truth[key])
			case 2:
				delete(truth, key)
				m.Remove(key)
			case 3:
				body := randomDocument(random)
				compare(t, &m, truth, document(t, body), body)
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
