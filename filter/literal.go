package filter

import "regexp/syntax"

// maxLiterals is how many alternatives a regular expression is found by.
const maxLiterals = 16

// A literate condition is one on strings that is found by what they hold.
type literate interface {
	leaf
	// literals returns strings of which every string that matches holds at least
	// one, or nothing if there are none of three bytes or more.
	literals() []string
}

func (n pattern) literals() []string {
	text := translate(n.source)
	if n.flags != "" {
		text = "(?" + n.flags + ")" + text
	}
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil // not of a pattern that was parsed
	}
	found := literalsOf(tree.Simplify())
	if len(found) > maxLiterals || shortest(found) < gramBytes {
		return nil
	}
	return found
}

func literalsOf(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase == 0 {
			return []string{string(re.Rune)}
		}
	case syntax.OpCapture, syntax.OpPlus:
		return literalsOf(re.Sub[0])
	case syntax.OpConcat:
		return bestLiterals(re.Sub)
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			found := literalsOf(sub)
			if found == nil {
				return nil
			}
			all = append(all, found...)
		}
		return all
	default: // the rest may match without any
	}
	return nil
}

// bestLiterals returns the literals of the part that has the longest.
func bestLiterals(parts []*syntax.Regexp) []string {
	var best []string
	for _, part := range parts {
		if found := literalsOf(part); shortest(found) > shortest(best) {
			best = found
		}
	}
	return best
}

func shortest(list []string) int {
	if len(list) == 0 {
		return 0
	}
	n := len(list[0])
	for _, s := range list[1:] {
		n = min(n, len(s))
	}
	return n
}

// gramBytes is the length of the parts of literals that are indexed.
const gramBytes = 3

// gramAt returns the three bytes at i of s as a number.
func gramAt(s string, i int) uint32 {
	return uint32(s[i]) | uint32(s[i+1])<<8 | uint32(s[i+2])<<16
}
