package main

import (
	"fmt"
	"time"

	"github.com/ambitmq/ambit/filter"
)

// A figure is what Ambit needs for a problem.
type figure struct {
	nanoseconds float64 // CPU time per document, for matching alone
	matches     float64 // per document
	candidates  float64 // per document
	bytes       float64 // per filter
	adding      float64 // nanoseconds of CPU time per filter, parsing included
}

// chunk is how many filters are parsed and walked between two looks at the clock.
const chunk = 5000

// fill adds the filters of a problem to a new Matcher, and finds the truth about
// so many documents, while it has them.
func fill(p problem, count int) (m *filter.Matcher[int], f figure, t truth, err error) {
	documents, err := parsedAll(p.documents[:count])
	if err != nil {
		return nil, f, t, err
	}
	t.matches = make([][]int, count)
	before := heapBytes()
	m = new(filter.Matcher[int])
	for first := 0; first < p.size; first += chunk {
		conditions := p.some(first, min(first+chunk, p.size))
		filters := make([]*filter.Filter, len(conditions))
		start := cpuTime()
		for i, c := range conditions {
			if filters[i], err = filter.Parse([]byte(c.text)); err != nil {
				return nil, f, t, fmt.Errorf("%s: %w", c.text, err)
			}
			m.Add(first+i, filters[i])
		}
		f.adding += float64(cpuTime()-start) / float64(p.size)
		t.walk(first, filters, documents)
	}
	f.bytes = float64(heapBytes()-before) / float64(p.size)
	return m, f, t, nil
}

// A batch of documents is parsed before it is matched, as in a broker. Times are
// of so many batches.
const (
	batch   = 100
	batches = 10
)

// measure matches the documents of a problem, again and again for at least so
// long.
func measure(m *filter.Matcher[int], p problem, least time.Duration, f figure) (figure, error) {
	var found []int
	matches := 0
	var err error
	f.nanoseconds, err = p.clock(least, func(list []*filter.Document) {
		for _, d := range list {
			found = m.Match(found[:0], d)
		}
	})
	if err != nil {
		return f, err
	}
	const some = 10_000
	list, err := parsedAll(p.documents[:some])
	for _, d := range list {
		matches += len(m.Match(found[:0], d))
		f.candidates += float64(m.Candidates(d)) / some
	}
	f.matches = float64(matches) / some
	return f, err
}

// clock has match see batches of documents for at least so long, and returns the
// nanoseconds per document.
func (p problem) clock(least time.Duration, match func(list []*filter.Document)) (float64, error) {
	var took []float64
	n := 0
	for spent := time.Duration(0); spent < least || len(took) < 9; {
		var some time.Duration
		for range batches {
			list, err := parsedAll(p.documents[n : n+batch])
			if err != nil {
				return 0, err
			}
			start := cpuTime()
			match(list)
			some += cpuTime() - start
			n = (n + batch) % len(p.documents)
		}
		spent += some
		took = append(took, float64(some)/(batch*batches))
	}
	return median(took), nil
}

// answers are the matches of the first documents.
func answers(m *filter.Matcher[int], p problem, count int) ([][]int, error) {
	list, err := parsedAll(p.documents[:count])
	matches := make([][]int, len(list))
	for i, d := range list {
		matches[i] = m.Match(nil, d)
	}
	return matches, err
}
