package filter

func parsePrefix(p *parser, at place, arg any) (node, error) {
	field, text, err := p.stringField(at, arg)
	return substring{field, atStart, text}, err
}
