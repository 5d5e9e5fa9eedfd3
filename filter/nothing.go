package filter

// parseNothing takes any argument: nothing matches.
func parseNothing(p *parser, at place, _ any) (node, error) {
	return constant(false), p.spend(at, 1)
}
