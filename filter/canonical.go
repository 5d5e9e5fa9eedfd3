package filter

import (
	"fmt"
	"slices"
	"strings"
)

// canonical returns the canonical form of a tree: one that means the same, and
// is the same for many of its spellings. Nothing in it is exponential: the work
// grows with the length of the tree, and its depth. Only where one member after
// another comes to be left out of the next does it grow with the square of the
// length, and is refused beyond a limit.
//
//   - not stands at the leaves alone;
//   - and holds no and, or holds no or, none holds a constant or a single
//     member, and the members are sorted and different;
//   - what an and, or an or, says of one field is said in as few words as
//     possible: see demands;
//   - no member of an and, or of an or, has a part that is a member as well: see
//     reduce;
//   - what all members of an or, or all of an and, have in common stands beside
//     it: see factor.
//
// Readers of keywords bring the leaves themselves into one form.
func canonical(n node, lim Limits) (term, error) {
	factored, err := (&former{factors: true, limit: lim.steps()}).form(n)
	if err != nil || factored.depth() <= lim.Depth {
		return factored, err
	}
	return (&former{limit: lim.steps()}).form(n)
}

// A term is a node in canonical form with its text, by which terms are sorted
// and compared. The texts are made once: of an and or an or, out of those of its
// members.
type term struct {
	text    string
	node    node   // a leaf, the negation of one, or a constant; nil with members
	members []term // of an and or an or
	all     bool   // whether it is an and
}

// tree returns the term as a node.
func (t term) tree() node {
	if t.members == nil {
		return t.node
	}
	nodes := make([]node, len(t.members))
	for i, member := range t.members {
		nodes[i] = member.tree()
	}
	if t.all {
		return and(nodes)
	}
	return or(nodes)
}

// depth returns how many keywords are within each other, as tree.
func (t term) depth() int {
	if t.members == nil {
		return depth(t.node)
	}
	deepest := 0
	for _, member := range t.members {
		deepest = max(deepest, member.depth())
	}
	return deepest + 1
}

func depth(n node) int {
	switch n := n.(type) {
	case not:
		return depth(n.filter) + 1
	case selection:
		return depth(n.query) + 1
	}
	return 1
}

// parts returns the members of an and, if all is set, or else of an or. Any
// other term is its only part.
func (t term) parts(all bool) []term {
	if t.members != nil && t.all == all {
		return t.members
	}
	return []term{t}
}

func (t term) is(c constant) bool { return t.node == node(c) }

// A former makes canonical forms. Those without factors are never deeper than
// what was written, so that at the limit of depth there is one as well. For that
// they do not unite missing elements either: two of them are a not of an anyOf.
type former struct {
	factors bool
	scratch []byte

	steps, limit int // members that were looked at so far, and how many may be
}

// form returns the canonical form of n, or an error if it takes too many steps.
func (f *former) form(n node) (term, error) {
	t := f.simplify(n, false)
	if f.steps > f.limit {
		const format = "the canonical form takes %d steps or more, the limit is %d"
		return term{}, &SyntaxError{Text: fmt.Sprintf(format, f.steps, f.limit), Limit: true}
	}
	return t, nil
}

// term returns the term of a node without members.
func (f *former) term(n node) term {
	f.scratch = n.appendText(f.scratch[:0])
	return term{text: string(f.scratch), node: n}
}

// simplify returns the canonical form of n, or of its negation.
func (f *former) simplify(n node, negated bool) term {
	switch n := n.(type) {
	case not:
		return f.simplify(n.filter, !negated)
	case constant:
		return f.term(constant(bool(n) != negated))
	case and:
		return f.join(f.simplifyAll(n, negated), !negated)
	case or:
		return f.join(f.simplifyAll(n, negated), negated)
	}
	if negated {
		n = not{n}
	}
	return f.term(n)
}

func (f *former) simplifyAll(nodes []node, negated bool) []term {
	simple := make([]term, len(nodes))
	for i, n := range nodes {
		simple[i] = f.simplify(n, negated)
	}
	return simple
}

// join returns the canonical and of members, if all is set, or else their
// canonical or. The members are canonical.
func (f *former) join(members []term, all bool) term {
	if f.steps += len(members); f.steps > f.limit {
		return joined(members, all)
	}
	members = f.merge(splice(members, all), all)
	// An everything does nothing to an and, a nothing makes it nothing; with or
	// it is the other way round.
	if slices.ContainsFunc(members, func(t term) bool { return t.is(constant(!all)) }) {
		return f.term(constant(!all))
	}
	members = slices.DeleteFunc(members, func(t term) bool { return t.is(constant(all)) })
	members = sorted(members)
	if reduced, ok := f.reduce(members, all); ok {
		return f.join(reduced, all)
	}
	switch {
	case len(members) == 0:
		return f.term(constant(all))
	case len(members) == 1:
		return members[0]
	case f.factors:
		return f.factor(members, all)
	}
	return joined(members, all)
}

// joined returns the and, or the or, of members that are canonical together.
func joined(members []term, all bool) term {
	keyword := "or"
	if all {
		keyword = "and"
	}
	size := len(`{"and":[]}`)
	for _, t := range members {
		size += len(t.text) + len(",")
	}
	var b strings.Builder
	b.Grow(size)
	b.WriteString(`{"` + keyword + `":[`)
	for i, t := range members {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(t.text)
	}
	b.WriteString(`]}`)
	return term{text: b.String(), members: members, all: all}
}

// splice replaces the ands of an and, or the ors of an or, by their members.
func splice(members []term, all bool) []term {
	flat := make([]term, 0, len(members))
	for _, t := range members {
		flat = append(flat, t.parts(all)...)
	}
	return flat
}

// sorted sorts terms by their texts, and returns each once.
func sorted(terms []term) []term {
	slices.SortFunc(terms, compareTerms)
	return slices.CompactFunc(terms, func(a, b term) bool { return a.text == b.text })
}

func compareTerms(a, b term) int { return strings.Compare(a.text, b.text) }

// reduce leaves out of the members of an and what the others say, and likewise
// of an or: a and (a or b) is a, and a and (b or (a and c)) is a and (b or c). It
// reports whether there was any of that.
//
// What is left out of a member is smaller than it. So it does not matter that
// the one that says it may be reduced as well.
func (f *former) reduce(members []term, all bool) (reduced []term, ok bool) {
	said := func(t term) bool {
		f.steps++
		_, found := slices.BinarySearchFunc(members, t, compareTerms)
		return found
	}
	for i, t := range members {
		if !slices.ContainsFunc(t.members, func(part term) bool { return slices.ContainsFunc(part.parts(all), said) }) {
			continue
		}
		if !ok {
			reduced, ok = slices.Clone(members), true
		}
		rests := slices.Clone(t.members)
		for j, part := range rests {
			if parts := part.parts(all); slices.ContainsFunc(parts, said) {
				rests[j] = f.join(slices.DeleteFunc(slices.Clone(parts), said), all)
			}
		}
		reduced[i] = f.join(rests, !all)
	}
	return reduced, ok
}
