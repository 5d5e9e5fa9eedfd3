package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/ambitmq/ambit/filter"
)

// standings are what a Matcher remembers of documents, each with its body.
type standings struct {
	m      *filter.Matcher[int]
	bodies []string
	stands []filter.Standing
}

// move tells what it changes that a document had one body and now has another.
func (s *standings) move(c *filter.Changes[int], n int, before string, after *filter.Document) error {
	return s.m.Update(c, &s.stands[n], func() (*filter.Document, error) { return parsed(before) }, after)
}

// measureMoves moves documents, each time another one, and has Update tell what
// that changes. It returns the nanoseconds per move, and how many filters enter
// or exit.
func measureMoves(m *filter.Matcher[int], p problem, least time.Duration) (nanoseconds, changes float64, err error) {
	random := rand.New(rand.NewPCG(7, 8))
	s := &standings{m, slices.Clone(p.documents), make([]filter.Standing, len(p.documents))}
	var c filter.Changes[int]
	for n, body := range p.documents {
		d, err := parsed(body)
		if err == nil {
			err = s.move(&c, n, "{}", d)
		}
		if err != nil {
			return 0, 0, err
		}
	}
	var took []float64
	changed := 0
	for spent := time.Duration(0); spent < least || len(took) < 9; {
		var some time.Duration
		for range batches {
			before, after, err := s.next(random, p)
			if err != nil {
				return 0, 0, err
			}
			start := cpuTime()
			for i, d := range after {
				if err := s.move(&c, d.number, before[i], d.Document); err != nil {
					return 0, 0, err
				}
				changed += len(c.Entered) + len(c.Exited)
			}
			some += cpuTime() - start
		}
		spent += some
		took = append(took, float64(some)/(batch*batches))
		n := random.IntN(len(s.bodies))
		if err := s.check(n, p.next(random, n)); err != nil {
			return 0, 0, err
		}
	}
	return median(took), float64(changed) / float64(len(took)*batch*batches), nil
}

// A movedDocument is the next version of a document with a number.
type movedDocument struct {
	*filter.Document
	number int
}

// next moves a batch of documents, and returns what they were and are.
func (s *standings) next(random *rand.Rand, p problem) (before []string, after []movedDocument, err error) {
	for range batch {
		n := random.IntN(len(s.bodies))
		before = append(before, s.bodies[n])
		s.bodies[n] = p.next(random, n)
		d, err := parsed(s.bodies[n])
		if err != nil {
			return nil, nil, err
		}
		after = append(after, movedDocument{d, n})
	}
	return before, after, nil
}

// check moves a document, and compares what Update says with what Match does.
func (s *standings) check(n int, body string) error {
	from, err := parsed(s.bodies[n])
	if err != nil {
		return err
	}
	to, err := parsed(body)
	if err != nil {
		return err
	}
	var c filter.Changes[int]
	if err := s.move(&c, n, s.bodies[n], to); err != nil {
		return err
	}
	s.bodies[n] = body
	was, is := slices.Concat(c.Exited, c.Stayed), slices.Concat(c.Entered, c.Stayed)
	if !same(was, s.m.Match(nil, from)) || !same(is, s.m.Match(nil, to)) {
		return fmt.Errorf("a move to %s is wrong: %v", body, c)
	}
	return nil
}

func same(a, b []int) bool {
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// churn is W6: how long single matches take while filters are removed and added,
// and while nothing is.
type churn struct{ quiet, churning [2]time.Duration } // the median, and p99

// changesPerSecond counts an add and a removal as two.
const changesPerSecond = 50_000

// measureChurn alternates between the two, so that what else the machine does is
// in both, and takes the medians.
func measureChurn(m *filter.Matcher[int], p problem, rounds int) (churn, error) {
	const each = 20_000
	filters := map[int]*filter.Filter{}
	for i, c := range p.each {
		if i%(1+p.size/each) == 0 {
			f, err := filter.Parse([]byte(c.text))
			if err != nil {
				return churn{}, fmt.Errorf("%s: %w", c.text, err)
			}
			filters[i] = f
		}
	}
	var p50s, p99s [2][]time.Duration
	for round := range rounds {
		for busy := range 2 {
			list, err := parsedAll(p.documents[round%4*each:][:each])
			if err != nil {
				return churn{}, err
			}
			stop := make(chan struct{})
			var writer sync.WaitGroup
			if busy == 1 {
				writer.Go(func() { change(m, filters, stop) })
			}
			took := make([]time.Duration, each)
			var found []int
			for i, d := range list {
				start := time.Now()
				found = m.Match(found[:0], d)
				took[i] = time.Since(start)
			}
			close(stop)
			writer.Wait()
			slices.Sort(took)
			p50s[busy] = append(p50s[busy], took[each/2])
			p99s[busy] = append(p99s[busy], took[each*99/100])
		}
	}
	for busy := range 2 {
		slices.Sort(p50s[busy])
		slices.Sort(p99s[busy])
	}
	return churn{
		quiet:    [2]time.Duration{p50s[0][rounds/2], p99s[0][rounds/2]},
		churning: [2]time.Duration{p50s[1][rounds/2], p99s[1][rounds/2]},
	}, nil
}

// change removes filters and adds them again, so many a second.
func change(m *filter.Matcher[int], filters map[int]*filter.Filter, stop chan struct{}) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	left := 0
	for {
		for i, f := range filters {
			if left == 0 {
				select {
				case <-stop:
					return
				case <-tick.C:
					left = changesPerSecond / 2 / 1000
				}
			}
			m.Remove(i)
			m.Add(i, f)
			left--
		}
	}
}

// reportMoves prints the line of moving documents, and W6. An R-tree would have
// to search for each move twice.
func reportMoves(opts options, m *filter.Matcher[int], p problem, tree float64) error {
	nanoseconds, changes, err := measureMoves(m, p, opts.least())
	if err != nil {
		return err
	}
	fmt.Printf("| W2 a walker moves | %s | %s (aim 400) | %.3f enter or exit | | | | | | %s |\n",
		grouped(p.size), grouped(int(nanoseconds)), changes, ratio(2*tree, nanoseconds))
	c, err := measureChurn(m, p, 7)
	if err != nil {
		return err
	}
	fmt.Printf("| W6 the same, wall time of a match, p50 and p99 | %s | %d and %d | | | | | | | |\n",
		grouped(p.size), c.quiet[0], c.quiet[1])
	fmt.Printf("| W6 with 50,000 changes a second (aim: p99 +20%%) | %s | %d and %d (%+.0f%%) | | | | | | | |\n",
		grouped(p.size), c.churning[0], c.churning[1], 100*(float64(c.churning[1])/float64(c.quiet[1])-1))
	return nil
}
