package filter

// factor returns the canonical and, or or, of members, with what all of them
// have in common taken out: (a and b) or (a and c) is a and (b or c), and
// a or (a and b) is a. Nothing is multiplied out, so that the filter only
// shrinks.
func (f *former) factor(members []term, all bool) term {
	common := members[0].parts(!all)
	for _, t := range members[1:] {
		if common = shared(common, t.parts(!all), true); len(common) == 0 {
			return joined(members, all)
		}
	}
	rests := make([]term, len(members))
	for i, t := range members {
		rests[i] = f.join(shared(t.parts(!all), common, false), !all)
	}
	return f.join(append(common, f.join(rests, all)), !all)
}

// shared returns the terms that are among the others, or those that are not.
// Both are sorted.
func shared(terms, others []term, among bool) []term {
	var kept []term
	for _, t := range terms {
		for len(others) > 0 && others[0].text < t.text {
			others = others[1:]
		}
		if (len(others) > 0 && others[0].text == t.text) == among {
			kept = append(kept, t)
		}
	}
	return kept
}
