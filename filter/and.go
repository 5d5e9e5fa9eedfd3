package filter

// and matches what all of its members match.
type and []node

func (n and) match(d *Document) bool {
	for _, member := range n {
		if !member.match(d) {
			return false
		}
	}
	return true
}

func (n and) appendText(b []byte) []byte { return appendFilters(b, "and", n) }

func parseAnd(p *parser, at place, arg any) (node, error) {
	filters, err := p.filters(at, arg)
	return and(filters), err
}

// filters reads a non-empty array of non-empty filters.
func (p *parser) filters(at place, arg any) ([]node, error) {
	array, err := arrayOf(at, arg)
	if err != nil {
		return nil, err
	}
	for _, elem := range array {
		if o, ok := elem.(object); !ok || len(o) == 0 {
			return nil, at.errorf("can only contain non-empty objects")
		}
	}
	nodes := make([]node, len(array))
	for i, elem := range array {
		if nodes[i], err = p.filter(at, elem.(object)); err != nil {
			return nil, err
		}
	}
	return nodes, nil
}

func appendFilters(b []byte, keyword string, filters []node) []byte {
	b = append(b, `{"`+keyword+`":[`...)
	for i, f := range filters {
		if i > 0 {
			b = append(b, ',')
		}
		b = f.appendText(b)
	}
	return append(b, `]}`...)
}
