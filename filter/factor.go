package filter

// factor returns the canonical and, or or, of members, with what all of them
// have in common taken out: (a and b) or (a and c) is a and (b or c), and
// a or (a and b) is a. Nothing is multiplied out, so that the filter only
// shrinks.
func (f former) factor(members []node, all bool) node {
	common := parts(members[0], !all)
	for _, n := range members[1:] {
		if common = shared(common, parts(n, !all), true); common == nil {
			return joined(members, all)
		}
	}
	rests := make([]node, len(members))
	for i, n := range members {
		rests[i] = f.join(shared(parts(n, !all), common, false), !all)
	}
	return f.join(append(common, f.join(rests, all)), !all)
}

// shared returns the nodes that are among the others, or those that are not.
func shared(nodes, others []node, among bool) []node {
	texts := make(map[string]bool, len(others))
	for _, n := range others {
		texts[string(n.appendText(nil))] = true
	}
	var kept []node
	for _, n := range nodes {
		if texts[string(n.appendText(nil))] == among {
			kept = append(kept, n)
		}
	}
	return kept
}

// parts returns the members of an and, if all is set, or else of an or. Any
// other node is its only part.
func parts(n node, all bool) []node {
	if members, ok := n.(and); ok && all {
		return members
	}
	if members, ok := n.(or); ok && !all {
		return members
	}
	return []node{n}
}
