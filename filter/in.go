package filter

import "slices"

// membership matches documents whose field is one of some scalars. It is what
// equals, in and ids mean. Types count: 1 is not "1"; an array is not its
// element; null is not a missing field.
type membership struct {
	field  string
	values []any // at least one, sorted, each once
}

func newMembership(field string, values []any) membership {
	values = slices.SortedFunc(slices.Values(values), compareScalars)
	return membership{field, slices.Compact(values)}
}

func (n membership) match(d *Document) bool {
	v, ok := d.lookup(n.field)
	return ok && n.holds(v)
}

func (n membership) path() string         { return n.field }
func (n membership) holds(v value) bool   { return slices.ContainsFunc(n.values, v.is) }
func (n membership) only(scalar any) node { return membership{n.field, []any{scalar}} }

// includes reports whether a scalar is one of the values.
func (n membership) includes(scalar any) bool {
	_, found := slices.BinarySearchFunc(n.values, scalar, compareScalars)
	return found
}

func (n membership) appendText(b []byte) []byte {
	if len(n.values) == 1 {
		b = appendOpen(b, "equals", n.field)
		b = appendValue(b, n.values[0])
	} else {
		b = appendOpen(b, "in", n.field)
		b = appendValue(b, n.values)
	}
	return append(b, "}}"...)
}

func parseIn(p *parser, at place, arg any) (node, error) {
	field, values, err := p.scalars(at, arg)
	if err != nil {
		return nil, err
	}
	return newMembership(field, values), nil
}

// scalars reads the object of in or anyOf.
func (p *parser) scalars(at place, arg any) (field string, values []any, err error) {
	m, err := p.field(at, arg)
	if err != nil {
		return "", nil, err
	}
	at = at.at(m.name)
	values, err = p.values(at, m.value)
	if err != nil {
		return "", nil, err
	}
	for _, v := range values {
		if _, err := scalarOf(at, v); err != nil {
			return "", nil, err
		}
	}
	return m.name, values, nil
}

// values reads the array of in, ids or anyOf, of whose cost one is already
// spent.
func (p *parser) values(at place, arg any) ([]any, error) {
	values, err := arrayOf(at, arg)
	if err != nil {
		return nil, err
	}
	if len(values) > p.lim.Values {
		return nil, at.overf("has %d values, the limit is %d", len(values), p.lim.Values)
	}
	return values, p.spend(at, len(values)-1)
}
