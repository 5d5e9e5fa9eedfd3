package filter

// or matches what at least one of its members matches.
type or []node

func (n or) match(d *Document) bool {
	for _, member := range n {
		if member.match(d) {
			return true
		}
	}
	return false
}

func (n or) appendText(b []byte) []byte { return appendFilters(b, "or", n) }

func parseOr(p *parser, at place, arg any) (node, error) {
	filters, err := p.filters(at, arg)
	return or(filters), err
}
