package filter

import "slices"

// Demands are what an and says of one field. An or says the opposite of what an
// and says with the opposites.
type demands struct {
	field string
	unite bool // whether elements that must not be there may become one anyOf

	absent, present bool       // missing and exists are demanded
	there           bool       // anything else is demanded that needs the field
	kinds           kindSet    // what the field may be
	listed, bounded bool       // values and numbers are demanded
	values          []any      // of which it is one, sorted
	excluded        []any      // of which it is none, besides numbers
	numbers         interval   // where it is
	holes           []interval // where it is not
	elements        []any      // of which it holds none
	times           []demand   // one at most of each direction, and of its opposite
	others          []demand   // which stay as they are
}

// A demand is a leaf, or its opposite.
type demand struct {
	leaf    leaf
	negated bool
	term    term // that says so, unless the demand is new
}

// demandOf returns the demand that a term is, if it is one.
func demandOf(t term) (demand, bool) {
	n := t.node
	negation, negated := n.(not)
	if negated {
		n = negation.filter
	}
	l, ok := n.(leaf)
	return demand{l, negated, t}, ok
}

// merge says in as few words as possible what an and, or an or, says of each
// field.
func (f *former) merge(members []term, all bool) []term {
	counts := make(map[string]int, len(members))
	for _, t := range members {
		if d, ok := demandOf(t); ok {
			counts[d.leaf.path()]++
		}
	}
	merged := make([]term, 0, len(members))
	fields := map[string]*demands{}
	for _, t := range members {
		d, ok := demandOf(t)
		if !ok || counts[d.leaf.path()] == 1 {
			merged = append(merged, t)
			continue
		}
		g := fields[d.leaf.path()]
		if g == nil {
			g = &demands{field: d.leaf.path(), unite: f.factors, kinds: anyKind, numbers: unbounded()}
			fields[g.field] = g
		}
		d.negated = d.negated == all
		g.add(d)
	}
	for _, g := range fields {
		kept, possible := g.settle()
		if !possible {
			return []term{f.term(constant(!all))}
		}
		for _, d := range kept {
			merged = append(merged, f.demanded(d, all))
		}
	}
	return merged
}

// demanded returns the term of a demand, or, for an or, that of its opposite.
func (f *former) demanded(d demand, all bool) term {
	switch {
	case d.term.node != nil:
		return d.term
	case d.negated == all:
		return f.term(not{d.leaf})
	}
	return f.term(d.leaf)
}

func (g *demands) add(d demand) {
	if _, ok := d.leaf.(existence); ok {
		g.absent = g.absent || d.negated
		g.present = g.present || !d.negated
		return
	}
	if !d.negated {
		g.kinds &= kindsOf(d.leaf)
		g.there = g.there || needsField(d.leaf)
	}
	switch n := d.leaf.(type) {
	case membership:
		g.addValues(d, n)
	case between:
		if d.negated {
			g.holes = append(g.holes, n.interval)
			return
		}
		g.bounded, g.numbers = true, g.numbers.intersect(n.interval)
	case element:
		if !d.negated || !g.unite {
			g.others = append(g.others, d)
			return
		}
		g.elements = append(g.elements, n.values...)
	case timing:
		g.addTime(d, n)
	default:
		g.others = append(g.others, d)
	}
}

func (g *demands) addValues(d demand, n membership) {
	switch {
	case d.negated:
		for _, v := range n.values {
			if number, ok := v.(float64); ok {
				g.holes = append(g.holes, pointAt(number))
			} else {
				g.excluded = append(g.excluded, v)
			}
		}
	case g.listed:
		g.values = slices.DeleteFunc(slices.Clone(g.values), func(v any) bool { return !n.includes(v) })
	default:
		g.listed, g.values = true, n.values
	}
}

// addTime keeps the stricter of two times in the same direction.
func (g *demands) addTime(d demand, n timing) {
	for i, other := range g.times {
		o := other.leaf.(timing)
		if o.after != n.after || other.negated != d.negated {
			continue
		}
		if n.instant.After(o.instant) == (n.after != d.negated) {
			g.times[i] = d
		}
		return
	}
	g.times = append(g.times, d)
}

// settle returns the demands that say the same together, unless nothing can
// meet them.
func (g *demands) settle() (kept []demand, possible bool) {
	if g.absent {
		return g.withoutField()
	}
	pieces := g.numbers.minus(g.holes)
	if values, ok := pointsOf(pieces); ok && g.bounded && !g.listed {
		g.listed, g.values = true, values
	}
	if g.listed {
		kept = g.list(pieces)
	} else {
		kept = g.exclude(pieces)
	}
	if g.elements != nil && g.kinds.has(arrayKind) {
		kept = append(kept, demand{leaf: newElement(g.field, g.elements), negated: true})
	}
	for _, d := range slices.Concat(g.times, g.others) {
		if !d.negated || g.kinds&kindsOf(d.leaf) != 0 {
			kept = append(kept, d)
		}
	}
	if g.present && !g.there {
		kept = append(kept, demand{leaf: existence{g.field}})
	}
	return kept, g.kinds != 0 && !g.contradictory()
}

// withoutField is settle for a field that must be missing. Whatever needs it is
// impossible, and the opposite goes without saying.
func (g *demands) withoutField() (kept []demand, possible bool) {
	kept = []demand{{leaf: existence{g.field}, negated: true}}
	for _, d := range g.others {
		if !needsField(d.leaf) {
			kept = append(kept, d)
		}
	}
	return kept, !g.present && !g.there
}

// list returns the values that are left, and leaves their kinds alone possible.
func (g *demands) list(pieces []interval) []demand {
	excluded := newMembership(g.field, g.excluded)
	var values []any
	var kinds kindSet
	for _, v := range g.values {
		number, ok := v.(float64)
		if k := kindOf(v); g.kinds.has(k) && (!ok || inOne(pieces, number)) && !excluded.includes(v) {
			values = append(values, v)
			kinds |= only(k)
		}
	}
	g.kinds = kinds
	if values == nil {
		return nil
	}
	return []demand{{leaf: membership{g.field, values}}}
}

// exclude returns where the field is, if it has to be a number, and what it is
// not.
func (g *demands) exclude(pieces []interval) (kept []demand) {
	whole := unbounded()
	holes := halves()
	if len(pieces) > 0 {
		if g.bounded {
			whole = hull(pieces)
			kept = append(kept, demand{leaf: between{g.field, whole}})
		}
		holes = whole.minus(pieces)
	}
	var excluded []any
	for _, v := range g.excluded {
		if g.kinds.has(kindOf(v)) {
			excluded = append(excluded, v)
		}
	}
	if g.kinds.has(numberKind) {
		for _, hole := range holes {
			if hole.low == hole.high {
				excluded = append(excluded, hole.low)
			} else {
				kept = append(kept, demand{leaf: between{g.field, hole}, negated: true})
			}
		}
	}
	if excluded != nil {
		kept = append(kept, demand{leaf: newMembership(g.field, excluded), negated: true})
	}
	return kept
}

// contradictory reports whether something is demanded with its opposite, or a
// time after one that is not before it.
func (g *demands) contradictory() bool {
	stay := slices.Concat(g.times, g.others)
	refused := map[string]bool{}
	for _, d := range stay {
		if d.negated {
			refused[string(d.leaf.appendText(nil))] = true
		}
	}
	for _, d := range stay {
		if !d.negated && len(refused) > 0 && refused[string(d.leaf.appendText(nil))] {
			return true
		}
	}
	for _, d := range g.times {
		for _, e := range g.times {
			after, before := d.leaf.(timing), e.leaf.(timing)
			if after.after && !before.after && !d.negated && !e.negated && !after.instant.Before(before.instant) {
				return true
			}
		}
	}
	return false
}
