package filter

import "math"

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

// on returns the filter for a field in the interval, which is nothing if the
// interval is empty, and equals if it is a single number: range has no spelling
// for these.
func (i interval) on(field string) node {
	switch {
	case i.contains(i.low) && i.low == i.high:
		return newMembership(field, []any{i.low})
	case i.low >= i.high:
		return constant(false)
	}
	return between{field, i}
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
