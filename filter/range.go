package filter

import (
	"cmp"
	"math"
	"slices"
)

// between matches documents whose field is a number in an interval.
type between struct {
	field string
	interval
}

// An interval is bounded by two numbers. A side without a bound is closed and
// infinite.
type interval struct {
	low, high         float64
	lowOpen, highOpen bool // whether the bound itself is outside
}

// unbounded holds every number.
func unbounded() interval { return interval{low: math.Inf(-1), high: math.Inf(1)} }

func (n between) match(d *Document) bool {
	v, ok := d.lookup(n.field)
	return ok && n.holds(v)
}

func (n between) path() string { return n.field }

func (n between) holds(v value) bool {
	f, ok := v.number()
	return ok && n.contains(f)
}

func (i interval) contains(v float64) bool {
	return (v > i.low || v == i.low && !i.lowOpen) && (v < i.high || v == i.high && !i.highOpen)
}

// intersect returns what both intervals hold.
func (i interval) intersect(j interval) interval {
	if j.low > i.low || j.low == i.low && j.lowOpen {
		i.low, i.lowOpen = j.low, j.lowOpen
	}
	if j.high < i.high || j.high == i.high && j.highOpen {
		i.high, i.highOpen = j.high, j.highOpen
	}
	return i
}

// minus returns what an interval holds besides what others hold, in order. No
// two of the pieces touch.
func (i interval) minus(others []interval) (pieces []interval) {
	others = slices.SortedFunc(slices.Values(others), compareLows)
	for _, o := range others {
		below := i.intersect(interval{low: math.Inf(-1), high: o.low, highOpen: !o.lowOpen})
		if !below.empty() {
			pieces = append(pieces, below)
		}
		i = i.intersect(interval{low: o.high, high: math.Inf(1), lowOpen: !o.highOpen})
	}
	if i.empty() {
		return pieces
	}
	return append(pieces, i)
}

func compareLows(a, b interval) int {
	if a.low == b.low && a.lowOpen != b.lowOpen {
		if a.lowOpen {
			return 1
		}
		return -1
	}
	return cmp.Compare(a.low, b.low)
}

func (i interval) empty() bool {
	return i.low > i.high || i.low == i.high && (i.lowOpen || i.highOpen)
}

// hull returns the interval from the first of some pieces to the last.
func hull(pieces []interval) interval {
	i, last := pieces[0], pieces[len(pieces)-1]
	i.high, i.highOpen = last.high, last.highOpen
	return i
}

// halves returns two intervals that hold every number: no single range does.
func halves() []interval {
	negative, others := unbounded(), unbounded()
	negative.high, negative.highOpen = 0, true
	others.low = 0
	return []interval{negative, others}
}

func pointAt(v float64) interval { return interval{low: v, high: v} }

// pointsOf returns the numbers that pieces are, if each is a single one.
func pointsOf(pieces []interval) (numbers []any, ok bool) {
	for _, i := range pieces {
		if i.low != i.high {
			return nil, false
		}
		numbers = append(numbers, i.low)
	}
	return numbers, true
}

// inOne reports whether one of some pieces holds a number.
func inOne(pieces []interval, v float64) bool {
	_, found := slices.BinarySearchFunc(pieces, v, func(i interval, v float64) int {
		switch {
		case i.contains(v):
			return 0
		case v <= i.low:
			return 1
		}
		return -1
	})
	return found
}

func (n between) appendText(b []byte) []byte {
	b = appendOpen(b, "range", n.field)
	b = append(b, '{')
	if !math.IsInf(n.low, -1) {
		b = appendNumber(append(b, bound("gt", n.lowOpen)...), n.low)
	}
	if !math.IsInf(n.high, 1) {
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = appendNumber(append(b, bound("lt", n.highOpen)...), n.high)
	}
	return append(b, "}}}"...)
}

func bound(name string, open bool) string {
	if open {
		return `"` + name + `":`
	}
	return `"` + name + `e":`
}

func parseRange(p *parser, at place, arg any) (node, error) {
	m, err := p.field(at, arg)
	if err != nil {
		return nil, err
	}
	at = at.at(m.name)
	bounds, err := objectOf(at, m.value, form{nonEmpty: true, allowed: []string{"gt", "gte", "lt", "lte"}})
	if err != nil {
		return nil, err
	}
	i, err := intervalOf(at, bounds)
	if err != nil {
		return nil, err
	}
	if i.high <= i.low {
		return nil, at.errorf("lower boundary must be strictly inferior to the upper one")
	}
	return between{m.name, i}, nil
}

func intervalOf(at place, bounds object) (interval, error) {
	i := unbounded()
	for _, m := range bounds {
		v, err := numberOf(at.at(m.name), m.value)
		if err != nil {
			return i, err
		}
		switch m.name {
		case "gt", "gte":
			if !math.IsInf(i.low, -1) {
				return i, at.errorf("only 1 lower boundary allowed")
			}
			i.low, i.lowOpen = v, m.name == "gt"
		case "lt", "lte":
			if !math.IsInf(i.high, 1) {
				return i, at.errorf("only 1 upper boundary allowed")
			}
			i.high, i.highOpen = v, m.name == "lt"
		}
	}
	return i, nil
}
