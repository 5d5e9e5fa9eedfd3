package filter

import (
	"slices"
	"strings"
)

// difference matches documents of which a field differs from the version before: in
// its value, or in being there.
type difference struct{ field string }

func (n difference) match(d *Document) bool {
	v, ok := d.lookup(n.field)
	if !ok {
		return n.vanished(d)
	}
	return n.holds(v)
}

func (n difference) path() string { return n.field }

func (n difference) holds(v value) bool {
	was, ok := v.d.before(n.field)
	return !ok || !same(v, was)
}

// vanished reports whether d, which has no such field, had it.
func (n difference) vanished(d *Document) bool {
	_, ok := d.before(n.field)
	return ok
}

func (n difference) evidence(e *Explanation, d *Document) { e.Previous = textAt(n.field, d.previous) }

func (n difference) appendText(b []byte) []byte { return appendExistence(b, "changed", n.field) }

// same reports whether two JSON values are equal: the elements of arrays in
// their order, the members of objects in any.
func same(v, w value) bool {
	if v.kind() != w.kind() {
		return false
	}
	switch v.kind() {
	case arrayKind:
		return slices.EqualFunc(v.elements(), w.elements(), same)
	case objectKind:
		return slices.EqualFunc(v.sortedMembers(), w.sortedMembers(), func(m, n value) bool {
			return v.name(m) == w.name(n) && same(m, n)
		})
	default:
		return v.is(w.decoded())
	}
}

// sortedMembers returns the members of an object in the order of their names.
func (v value) sortedMembers() []value {
	return slices.SortedFunc(v.children(), func(m, n value) int { return strings.Compare(v.name(m), v.name(n)) })
}

// parseChanged reads "path", or that as the property field of an object.
func parseChanged(p *parser, at place, arg any) (node, error) {
	_, path, err := p.path(at, arg)
	return difference{path}, err
}
