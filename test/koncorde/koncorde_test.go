package koncorde

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ambitmq/ambit/filter"
)

// TestAnswersAreThoseOfKoncorde compares some ten thousand pairs of a filter and
// a document, and prints how many of them differ, by the name of the deviation.
func TestAnswersAreThoseOfKoncorde(t *testing.T) {
	j := &judge{oracle: consult(t), counts: map[string]int{}}
	rounds := uint64(16)
	if testing.Short() {
		rounds = 4
	}
	for seed := range rounds {
		j.round(t, seed)
	}
	for _, name := range slices.Sorted(maps.Keys(j.counts)) {
		t.Logf("%4d answers: %s", j.counts[name], name)
	}
}

func TestFaultsAreThoseOfKoncorde(t *testing.T) {
	j := &judge{oracle: consult(t), counts: map[string]int{}}
	for _, source := range faults() {
		if f, err := j.judge(source, nil); err != nil || f != nil {
			t.Errorf("%s: accepted: %v, %v", source, f != nil, err)
		}
	}
}

// A deviation that has a name here has a row in the manual, and each row there
// has a name here.
func TestDeviationsAreThoseOfTheManual(t *testing.T) {
	manual, err := os.ReadFile("../../FILTERS.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(manual), "\n## Differences from Koncorde\n")
	_, table, _ = strings.Cut(table, "\n|---|---|---|\n")
	names := slices.Concat(shown, unshown)
	for row := range strings.Lines(table) {
		here, _, _ := strings.Cut(strings.TrimPrefix(row, "| "), " | ")
		i := slices.IndexFunc(names, func(name string) bool { return strings.Contains(here, name) })
		if i < 0 {
			t.Errorf("no deviation has the name %q", here)
			continue
		}
		names = slices.Delete(names, i, i+1)
	}
	for _, name := range names {
		t.Errorf("the manual does not name %q", name)
	}
}

// FuzzAnswersAreThoseOfKoncorde takes the seeds of rounds.
func FuzzAnswersAreThoseOfKoncorde(f *testing.F) {
	j := &judge{oracle: consult(f), counts: map[string]int{}}
	f.Fuzz(func(t *testing.T, seed uint64) { j.round(t, seed) })
}

// round compares the answers for filters and documents of a seed: of Koncorde,
// of Filter.Match, and of a Matcher that has all the filters.
func (j *judge) round(t *testing.T, seed uint64) {
	t.Helper()
	g := newGenerator(seed)
	clear(j.oracle.known)
	var documents []document
	for range 15 {
		d, err := newDocument(g.document())
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, d)
	}
	filters := map[int]*filter.Filter{}
	var m filter.Matcher[int]
	for i := range 60 {
		source := g.filter(1 + g.IntN(4))
		if g.IntN(3) == 0 {
			source = g.broken(source)
		}
		f, err := j.judge(source, documents)
		if err != nil {
			t.Errorf("seed %d: %v", seed, err)
		} else if f != nil {
			filters[i] = f
			m.Add(i, f)
		}
	}
	for _, d := range documents {
		var want []int
		for i, f := range filters {
			if f.Match(d.parsed) {
				want = append(want, i)
			}
		}
		slices.Sort(want)
		got := m.Match(nil, d.parsed)
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("seed %d: %s: the Matcher finds %v, want %v", seed, d.text, got, want)
		}
	}
}
