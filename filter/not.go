package filter

// not matches what its filter does not match.
type not struct{ filter node }

func (n not) match(d *Document) bool { return !n.filter.match(d) }

func (n not) appendText(b []byte) []byte {
	// The spelling with missing is no deeper than what was parsed: the canonical
	// text of a filter at the limit of depth is within the limit too.
	switch filter := n.filter.(type) {
	case existence:
		return appendExistence(b, "missing", escapeBrackets(filter.field))
	case element:
		if path, ok := filter.bracketed(); ok {
			return appendExistence(b, "missing", path)
		}
	}
	return append(n.filter.appendText(append(b, `{"not":`...)), '}')
}

func parseNot(p *parser, at place, arg any) (node, error) {
	o, err := objectOf(at, arg, form{members: 1})
	if err != nil {
		return nil, err
	}
	filter, err := p.filter(at, o)
	return not{filter}, err
}
