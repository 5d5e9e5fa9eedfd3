package filter

func parseSuffix(p *parser, at place, arg any) (node, error) {
	field, text, err := p.stringField(at, arg)
	return substring{field, atEnd, text}, err
}
