package filter

import (
	"slices"

	"github.com/ambitmq/ambit/geofilter"
)

// A Lookup finds documents in an index.
type Lookup struct {
	Index Index
	// Ranges are the first and the last term of each, in order. Of the index of ids,
	// a term is an id.
	Ranges [][2][]byte
}

// IsIDs says whether the lookup names ids, by each of its ranges one.
func (l Lookup) IsIDs() bool { return l.Index == idIndex() }

// coveringCells is how many cells a geo clause is looked up in.
const coveringCells = 32

// An Access is the ways to the documents that may match a filter.
type Access struct {
	Lookup
	members []Access // of which all find them, or each finds some
	all     bool
}

// Access returns the ways that lead through indexes, of which has says whether
// there is one, or through ids. There may be none.
func (f *Filter) Access(has func(Index) bool) (Access, bool) { return accessTo(f.root, has) }

func accessTo(n node, has func(Index) bool) (Access, bool) {
	switch n := n.(type) {
	case constant:
		return Access{}, !bool(n)
	case and:
		ways := Access{all: true}
		for _, member := range n {
			if way, ok := accessTo(member, has); ok {
				ways.members = append(ways.members, way)
			}
		}
		return ways, len(ways.members) > 0
	case or:
		ways := Access{}
		for _, member := range n {
			way, ok := accessTo(member, has)
			if !ok {
				return Access{}, false
			}
			ways.members = append(ways.members, way)
		}
		return ways, true
	}
	l, ok := n.(leaf)
	if !ok {
		return Access{}, false
	}
	if m, is := n.(membership); is && m.field == idField {
		return Access{Lookup: Lookup{idIndex(), idTerms(m)}}, true
	}
	_, isGeo := n.(geo)
	index := Index{l.path(), isGeo}
	if !has(index) {
		return Access{}, false
	}
	ranges := termsOf(n)
	return Access{Lookup: Lookup{index, ranges}}, ranges != nil
}

// termsOf returns the ranges that have a term of each document that a leaf matches,
// or nil if it could be anywhere.
func termsOf(n node) [][2][]byte {
	switch n := n.(type) {
	case membership:
		return pointsAt(termOfValue, n.values)
	case element:
		return append(pointsAt(termOfElement, n.values), [2][]byte{{termOfMany}, {termOfMany}})
	case between:
		return [][2][]byte{{scalarTerm(termOfValue, n.low), scalarTerm(termOfValue, n.high)}}
	case substring:
		if n.place != atStart {
			return nil
		}
		first := scalarTerm(termOfValue, n.text)
		last := append(slices.Clone(first), slices.Repeat([]byte{0xff}, maxTermBytes+3-len(first))...)
		return [][2][]byte{{first, last}}
	case existence:
		return [][2][]byte{{{termOfInner}, {termOfInner}}, {{termOfValue}, {termOfValue, 0xff}}}
	case geo:
		ranges := [][2][]byte{}
		for _, s := range geofilter.Covering(n.shape, coveringCells) {
			ranges = append(ranges, [2][]byte{positionTerm(s.First), positionTerm(s.Last)})
		}
		return ranges
	}
	return nil
}

// pointsAt are the terms of some scalars, each once.
func pointsAt(first byte, values []any) [][2][]byte {
	terms := make([][]byte, len(values))
	for i, v := range values {
		terms[i] = scalarTerm(first, v)
	}
	return points(terms)
}

func idTerms(m membership) [][2][]byte {
	terms := [][]byte{}
	for _, v := range m.values {
		if id, is := v.(string); is {
			terms = append(terms, []byte(id))
		}
	}
	return points(terms)
}

func points(terms [][]byte) [][2][]byte {
	slices.SortFunc(terms, slices.Compare)
	terms = slices.CompactFunc(terms, slices.Equal)
	ranges := make([][2][]byte, len(terms))
	for i, term := range terms {
		ranges[i] = [2][]byte{term, term}
	}
	return ranges
}

// InOrder returns a lookup of a single term, if that finds all documents which may
// match. So it finds each once, and an index has them in the order of their ids.
func (a Access) InOrder() (Lookup, bool) {
	if len(a.Ranges) == 1 && slices.Equal(a.Ranges[0][0], a.Ranges[0][1]) {
		return a.Lookup, true
	}
	if a.all {
		for _, member := range a.members {
			if l, ok := member.InOrder(); ok {
				return l, true
			}
		}
	}
	return Lookup{}, false
}

// Best returns lookups that together find all documents which may match, and no
// more than most; not ok is that there are none. count says how many a lookup finds,
// or that it is more than most.
func (a Access) Best(most int, count func(l Lookup, most int) (n int, err error)) (lookups []Lookup, ok bool, err error) {
	// Few are tried first: to count what finds many costs most.
	for few := min(64, most); ; few = min(few*8, most) {
		lookups, _, ok, err = a.best(few, count)
		if ok || err != nil || few == most {
			return lookups, ok, err
		}
	}
}

func (a Access) best(most int, count func(Lookup, int) (int, error)) (lookups []Lookup, found int, ok bool, err error) {
	switch {
	case a.Ranges != nil:
		n, err := count(a.Lookup, most)
		return []Lookup{a.Lookup}, n, n <= most, err
	case a.all:
		for _, member := range a.members {
			l, n, better, err := member.best(most, count)
			if err != nil {
				return nil, 0, false, err
			}
			if better {
				lookups, found, ok, most = l, n, true, n-1
			}
			if most < 0 {
				break
			}
		}
		return lookups, found, ok, nil
	}
	for _, member := range a.members {
		l, n, ok, err := member.best(most-found, count)
		if err != nil || !ok {
			return nil, 0, false, err
		}
		lookups, found = append(lookups, l...), found+n
	}
	return lookups, found, true, nil
}
