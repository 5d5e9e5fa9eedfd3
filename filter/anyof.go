package filter

import (
	"slices"
	"strings"
)

// element matches documents whose field is an array that holds one of some
// scalars. It is what anyOf means, and exists with a value in brackets.
type element struct {
	field  string
	values []any // at least one, sorted, each once
}

func newElement(field string, values []any) element {
	return element(newMembership(field, values))
}

func (n element) match(d *Document) bool {
	v, ok := d.lookup(n.field)
	return ok && n.holds(v)
}

func (n element) path() string         { return n.field }
func (n element) holds(v value) bool   { return slices.ContainsFunc(v.elements(), n.includes) }
func (n element) only(scalar any) node { return element{n.field, []any{scalar}} }

// includes reports whether v is one of the values. As a document may have any
// number of elements, they are not compared with all.
func (n element) includes(v value) bool {
	if v.kind() > stringKind {
		return false
	}
	_, found := slices.BinarySearchFunc(n.values, v.decoded(), compareScalars)
	return found
}

func (n element) appendText(b []byte) []byte {
	if path, ok := n.bracketed(); ok {
		return appendExistence(b, "exists", path)
	}
	b = appendValue(appendOpen(b, "anyOf", n.field), n.values)
	return append(b, "}}"...)
}

// bracketed returns the argument of exists that means n, if there is one: for a
// single value, and a name that brackets can follow.
func (n element) bracketed() (path string, ok bool) {
	if len(n.values) > 1 || n.field == "" || strings.HasSuffix(n.field, `\`) {
		return "", false
	}
	return escapeBrackets(n.field) + "[" + string(appendValue(nil, n.values[0])) + "]", true
}

func parseAnyOf(p *parser, at place, arg any) (node, error) {
	field, values, err := p.scalars(at, arg)
	if err != nil {
		return nil, err
	}
	return newElement(field, values), nil
}
