package filter

// parseMissing reads the opposite of exists, in the same spellings.
func parseMissing(p *parser, at place, arg any) (node, error) {
	filter, err := parseExists(p, at, arg)
	return not{filter}, err
}
