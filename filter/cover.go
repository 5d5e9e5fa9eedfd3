package filter

import (
	"cmp"
	"math"
	"slices"

	"github.com/ambitmq/ambit/geofilter"
)

// A cover is a set of conditions of which at least one holds for every document
// that a filter matches. Under them the filter is indexed.
type cover struct {
	access []node  // leaves, and leaves negated
	rest   node    // what is still to be tested when one of them holds, or nil
	chance float64 // an estimate of how many documents have one of them
}

// cover returns the conditions that are expected to make the fewest candidates:
// of an and its best member's, of an or those of all. No step is exponential:
// nothing is multiplied out.
func (x *index) cover(n node) cover {
	c, _ := x.coverBelow(n, math.Inf(1))
	return c
}

// coverBelow is cover, if there is one with a lower chance than some. Members
// that promise more come first, so that few need a look at the sample.
func (x *index) coverBelow(n node, limit float64) (cover, bool) {
	switch n := n.(type) {
	case and:
		return x.bestCover(n, limit)
	case or:
		return x.jointCover(n, limit)
	}
	guess := x.guess(n)
	if _, ok := n.(moment); ok { // of which a sample of documents knows nothing
		return cover{access: []node{n}, chance: guess}, guess < limit
	}
	if x.sample.chance(0, guess) >= limit {
		return cover{}, false
	}
	c := cover{access: []node{n}, chance: x.sample.chance(x.sample.count(n, guess), guess)}
	return c, c.chance < limit
}

func (x *index) bestCover(n and, limit float64) (best cover, found bool) {
	guesses, order := make([]float64, len(n)), make([]int, len(n))
	for i, member := range n {
		guesses[i], order[i] = x.guess(member), i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(guesses[i], guesses[j]) })
	place := 0
	for _, i := range order {
		if c, ok := x.coverBelow(n[i], limit); ok {
			best, found, place, limit = c, true, i, c.chance
		}
	}
	best.rest = restOf(n, place, best.rest)
	return best, found
}

func (x *index) jointCover(n or, limit float64) (all cover, found bool) {
	for _, member := range n {
		c, ok := x.coverBelow(member, limit-all.chance)
		if !ok {
			return cover{}, false
		}
		all.access = append(all.access, c.access...)
		all.chance += c.chance
		if c.rest != nil {
			all.rest = n
		}
	}
	return all, true
}

// hasChoice reports whether a filter could have another cover.
func hasChoice(n node) bool {
	switch n := n.(type) {
	case and:
		return true
	case or:
		return slices.ContainsFunc(n, hasChoice)
	}
	return false
}

// restOf returns what is left of an and where of one member rest is left.
func restOf(members and, place int, rest node) node {
	var left and
	for i, member := range members {
		switch {
		case i != place:
			left = append(left, member)
		case rest != nil:
			left = append(left, rest)
		}
	}
	switch len(left) {
	case 0:
		return nil
	case 1:
		return left[0]
	}
	return left
}

// guess says how many documents have a condition, as a share of 1. It knows
// filters, not documents: where filters ask for many values, documents will have
// many.
func (x *index) guess(n node) float64 {
	switch n := n.(type) {
	case and:
		least := 1.0
		for _, member := range n {
			least = min(least, x.guess(member))
		}
		return least
	case or:
		sum := 0.0
		for _, member := range n {
			sum += x.guess(member)
		}
		return sum
	case not:
		return 1 - min(0.3, x.guess(n.filter))
	case membership:
		share := 0.0
		for _, v := range n.values {
			share += x.guessValue(n.field, v)
		}
		return min(0.9, share)
	case between:
		return x.guessRange(n)
	case geo:
		return guessShape(n.shape)
	case element:
		return min(0.9, 0.1*float64(len(n.values)))
	case pattern, substring:
		return 0.1
	case timing, difference, nearness:
		return 0.5
	case crossing:
		return 0.01
	case existence:
		return 0.6
	}
	return 0.3
}

func (x *index) guessValue(path string, v any) float64 {
	switch v.(type) {
	case nil, bool:
		return 0.4
	}
	values := 0
	if f := x.fieldOf(path); f != nil {
		values = int(f.scalars.Load())
	}
	return 1 / float64(values+3)
}

// A spread is where the bounds of a field's ranges lie.
type spread struct {
	known     bool
	low, high float64
}

// include widens the spread by the bounds of an interval.
func (s *spread) include(i interval) {
	for _, bound := range [...]float64{i.low, i.high} {
		switch {
		case math.IsInf(bound, 0):
		case !s.known:
			*s = spread{true, bound, bound}
		default:
			s.low, s.high = min(s.low, bound), max(s.high, bound)
		}
	}
}

func (x *index) guessRange(n between) float64 {
	const guess = 0.3
	f := x.fieldOf(n.field)
	if f == nil || !f.known {
		return guess
	}
	width := min(n.high, f.high) - max(n.low, f.low)
	if whole := f.high - f.low; whole > width && width >= 0 {
		return max(0.001, width/whole)
	}
	return guess
}

// guessShape takes documents to be spread over a town of 20 km.
func guessShape(s geofilter.Shape) float64 {
	const town = 20_000
	share := 0.01
	switch s := s.(type) {
	case geofilter.Circle:
		share = float64(s.Radius / town * s.Radius / town)
	case geofilter.Ring:
		share = float64(s.Outer / town * s.Outer / town)
	case geofilter.Box:
		const degree = 111_000.0
		width := math.Mod(s.Right-s.Left+360, 360) * degree * math.Cos(s.Bottom*math.Pi/180)
		share = width / town * (s.Top - s.Bottom) * degree / town / 4
	}
	return max(1e-6, min(0.8, share))
}
