package filter

func parseEquals(p *parser, at place, arg any) (node, error) {
	m, err := p.field(at, arg)
	if err != nil {
		return nil, err
	}
	v, err := scalarOf(at.at(m.name), m.value)
	return newMembership(m.name, []any{v}), err
}
