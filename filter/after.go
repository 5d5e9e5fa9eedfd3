package filter

func parseAfter(p *parser, at place, arg any) (node, error) {
	field, instant, err := p.instant(at, arg)
	return timing{field, true, instant}, err
}
