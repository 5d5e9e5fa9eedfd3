package main

import (
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/ambitmq/ambit/filter"
)

// A truth is which filters match the first documents of a problem: Filter.Match
// says so, one filter after another. That is the linear scan, too.
type truth struct {
	matches [][]int // by document, in order
	scan    float64 // nanoseconds per document
}

// parsed parses a document, afresh each time: as in a broker, nothing is known
// of it when it is matched.
func parsed(body string) (*filter.Document, error) {
	return filter.ParseDocument([]byte(body), filter.DocumentLimits{})
}

func parsedAll(bodies []string) ([]*filter.Document, error) {
	list := make([]*filter.Document, len(bodies))
	for i, body := range bodies {
		var err error
		if list[i], err = parsed(body); err != nil {
			return nil, fmt.Errorf("%s: %w", body, err)
		}
	}
	return list, nil
}

// scanFilters is how many filters are walked between two looks at the clock.
const scanFilters = 5000

// findTruth walks all filters for so many documents.
func findTruth(p problem, count int) (truth, error) {
	documents, err := parsedAll(p.documents[:count])
	if err != nil {
		return truth{}, err
	}
	t := truth{matches: make([][]int, count)}
	var some []*filter.Filter
	var spent time.Duration
	walk := func(first int) {
		start := cpuTime()
		for n, d := range documents {
			for i, f := range some {
				if f.Match(d) {
					t.matches[n] = append(t.matches[n], first+i)
				}
			}
		}
		spent += cpuTime() - start
		some = some[:0]
	}
	for i, c := range p.each {
		f, err := filter.Parse([]byte(c.text))
		if err != nil {
			return t, fmt.Errorf("%s: %w", c.text, err)
		}
		if some = append(some, f); len(some) == scanFilters {
			walk(i + 1 - scanFilters)
		}
	}
	walk(p.size - len(some))
	t.scan = float64(spent) / float64(count)
	runtime.GC()
	return t, nil
}

// differences counts the documents of which a peer says something else.
func (t truth) differences(matches [][]int) int {
	n := 0
	for i, want := range t.matches {
		if got := matches[i]; len(got) == len(want) {
			slices.Sort(got)
			if slices.Equal(got, want) {
				continue
			}
		}
		n++
	}
	return n
}
