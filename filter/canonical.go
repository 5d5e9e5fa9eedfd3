package filter

import (
	"bytes"
	"slices"
)

// canonical returns the canonical form of a tree: one that means the same, and
// is the same for many of its spellings. Nothing in it is exponential: it grows
// with the length of the tree, and its depth.
//
//   - not stands at the leaves alone;
//   - and holds no and, or holds no or, none holds a constant or a single
//     member, and the members are sorted and different;
//   - within an or, the equals and in of a field are one, and so are its anyOf and
//     exists with elements; so are those that are negated within an and;
//   - within an and, the ranges of a field are one; so are those that are negated
//     within an or;
//   - what all members of an or, or all of an and, have in common stands beside
//     it: see factor.
//
// Readers of keywords bring the leaves themselves into one form.
func canonical(n node) node {
	if factored := (former{factors: true}).simplify(n, false); depth(factored) <= maxDepth {
		return factored
	}
	return former{}.simplify(n, false)
}

// depth returns how many keywords are within each other, select aside.
func depth(n node) int {
	deepest := 0
	switch n := n.(type) {
	case and:
		for _, member := range n {
			deepest = max(deepest, depth(member))
		}
	case or:
		for _, member := range n {
			deepest = max(deepest, depth(member))
		}
	case not:
		deepest = depth(n.filter)
	case selection:
		deepest = depth(n.query)
	}
	return deepest + 1
}

// A former makes canonical forms. Those without factors are never deeper than
// what was written, so that at the limit of depth there is one as well. For that
// they do not unite missing elements either: two of them are a not of an anyOf.
type former struct{ factors bool }

// simplify returns the canonical form of n, or of its negation.
func (f former) simplify(n node, negated bool) node {
	switch n := n.(type) {
	case not:
		return f.simplify(n.filter, !negated)
	case constant:
		return constant(bool(n) != negated)
	case and:
		return f.join(f.simplifyAll(n, negated), !negated)
	case or:
		return f.join(f.simplifyAll(n, negated), negated)
	}
	if negated {
		return not{n}
	}
	return n
}

func (f former) simplifyAll(nodes []node, negated bool) []node {
	simple := make([]node, len(nodes))
	for i, n := range nodes {
		simple[i] = f.simplify(n, negated)
	}
	return simple
}

// join returns the canonical and of members, if all is set, or else their
// canonical or. The members are canonical.
func (f former) join(members []node, all bool) node {
	members = f.merge(splice(members, all), all)
	// An everything does nothing to an and, a nothing makes it nothing; with or
	// it is the other way round.
	if slices.Contains(members, node(constant(!all))) {
		return constant(!all)
	}
	members = slices.DeleteFunc(members, func(n node) bool { return n == node(constant(all)) })
	members = sorted(members)
	switch {
	case len(members) == 0:
		return constant(all)
	case len(members) == 1:
		return members[0]
	case f.factors:
		return f.factor(members, all)
	}
	return joined(members, all)
}

func joined(members []node, all bool) node {
	if all {
		return and(members)
	}
	return or(members)
}

// splice replaces the ands of an and, or the ors of an or, by their members.
func splice(members []node, all bool) []node {
	var flat []node
	for _, n := range members {
		inner, isAnd := n.(and)
		if o, isOr := n.(or); isOr && !all {
			flat = append(flat, o...)
		} else if isAnd && all {
			flat = append(flat, inner...)
		} else {
			flat = append(flat, n)
		}
	}
	return flat
}

// merge unites the conditions on a field of which one can say the same. What
// and does to a condition, or does to its negation, so merge does it to the
// ranges of an and and to the negated ranges of an or, and to the equals and in,
// and the elements, of an or and to the negated ones of an and.
func (f former) merge(members []node, all bool) []node {
	var rest []node
	values, elements := map[string][]any{}, map[string][]any{}
	intervals := map[string]interval{}
	for _, n := range members {
		negation, negated := n.(not)
		leaf := n
		if negated {
			leaf = negation.filter
		}
		m, isMembership := leaf.(membership)
		e, isElement := leaf.(element)
		r, isRange := leaf.(between)
		switch {
		case isMembership && negated == all:
			values[m.field] = append(values[m.field], m.values...)
		case isElement && negated == all && f.factors:
			elements[e.field] = append(elements[e.field], e.values...)
		case isRange && negated != all:
			i, ok := intervals[r.field]
			if !ok {
				i = unbounded()
			}
			intervals[r.field] = i.intersect(r.interval)
		default:
			rest = append(rest, n)
		}
	}
	for field, v := range values {
		rest = append(rest, f.simplify(newMembership(field, v), all))
	}
	for field, v := range elements {
		rest = append(rest, f.simplify(newElement(field, v), all))
	}
	for field, i := range intervals {
		rest = append(rest, f.simplify(i.on(field), !all))
	}
	return rest
}

// sorted returns the nodes in the order of their texts, each once.
func sorted(nodes []node) []node {
	type entry struct {
		text []byte
		node node
	}
	entries := make([]entry, len(nodes))
	for i, n := range nodes {
		entries[i] = entry{n.appendText(nil), n}
	}
	slices.SortFunc(entries, func(a, b entry) int { return bytes.Compare(a.text, b.text) })
	entries = slices.CompactFunc(entries, func(a, b entry) bool { return bytes.Equal(a.text, b.text) })
	unique := make([]node, len(entries))
	for i, e := range entries {
		unique[i] = e.node
	}
	return unique
}
