package filter

import (
	"slices"
	"strings"
)

// containment matches documents whose field contains an object or array: the
// members of an object, and the elements of an array, in any order.
type containment struct {
	field   string
	pattern any
}

func (n containment) match(d *Document) bool {
	v, ok := d.lookup(n.field)
	return ok && n.holds(v)
}

func (n containment) path() string       { return n.field }
func (n containment) holds(v value) bool { return contains(v, n.pattern) }

func (n containment) appendText(b []byte) []byte {
	b = appendValue(appendOpen(b, "match", n.field), n.pattern)
	return append(b, "}}"...)
}

// contains reports whether v contains what the pattern says.
func contains(v value, pattern any) bool {
	switch pattern := pattern.(type) {
	case object:
		return v.kind() == objectKind && !slices.ContainsFunc(pattern, func(m member) bool {
			inner, ok := v.get(m.name)
			return !ok || !contains(inner, m.value)
		})
	case []any:
		return v.kind() == arrayKind && containsAll(v.elements(), pattern)
	}
	return v.is(pattern)
}

// containsAll reports whether each pattern, in turn, finds an element of its
// own: the first one that it can have. Koncorde goes no way back either, so an
// exacting pattern should stand before a lenient one.
func containsAll(array []value, patterns []any) bool {
	taken := make([]bool, len(array))
	for _, pattern := range patterns {
		i := 0
		for i < len(array) && (taken[i] || !contains(array[i], pattern)) {
			i++
		}
		if i == len(array) {
			return false
		}
		taken[i] = true
	}
	return true
}

// parseMatch reads an object that documents shall contain. Its members are
// conditions on a field each, and a scalar is as good as equals.
func parseMatch(p *parser, at place, arg any) (node, error) {
	o, err := objectOf(at, arg, form{nonEmpty: true})
	if err != nil {
		return nil, err
	}
	if err := p.spend(at, countValues(o)-1); err != nil {
		return nil, err
	}
	members := make(and, len(o))
	for i, m := range o {
		if isScalar(m.value) {
			members[i] = newMembership(m.name, []any{m.value})
		} else {
			sortMembers(m.value)
			members[i] = containment{m.name, m.value}
		}
	}
	if len(members) == 1 {
		return members[0], nil
	}
	// An and of conditions: the canonical text is a level deeper than match.
	at.depth++
	return members, p.checkDepth(at)
}

// countValues counts the scalars, objects and arrays in v, itself included.
func countValues(v any) int {
	n := 1
	switch v := v.(type) {
	case object:
		for _, m := range v {
			n += countValues(m.value)
		}
	case []any:
		for _, elem := range v {
			n += countValues(elem)
		}
	}
	return n
}

// sortMembers sorts the members of the objects in v by name, where they are.
func sortMembers(v any) {
	switch v := v.(type) {
	case object:
		slices.SortFunc(v, func(a, b member) int { return strings.Compare(a.name, b.name) })
		for _, m := range v {
			sortMembers(m.value)
		}
	case []any:
		for _, elem := range v {
			sortMembers(elem)
		}
	}
}
