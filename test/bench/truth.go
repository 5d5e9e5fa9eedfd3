package main

import (
	"fmt"
	"slices"

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

// walk asks each of some filters, of which the first has a number, about each of
// the documents.
func (t *truth) walk(first int, filters []*filter.Filter, documents []*filter.Document) {
	start := cpuTime()
	for n, d := range documents {
		for i, f := range filters {
			if f.Match(d) {
				t.matches[n] = append(t.matches[n], first+i)
			}
		}
	}
	t.scan += float64(cpuTime()-start) / float64(len(documents))
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
