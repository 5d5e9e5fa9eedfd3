package filter

import (
	"cmp"
	"fmt"
)

// Limits bound what Parse accepts. A filter beyond one is refused with a
// *SyntaxError that says which, by how much, and where.
type Limits struct {
	// Bytes is the length of the text, and of the canonical text. Defaults to
	// 16 KiB.
	Bytes int
	// Depth is how many keywords may be nested. Of objects and arrays it is four
	// times as many. Defaults to 16.
	Depth int
	// Cost is what the conditions of a filter may cost: 1 each, but for those
	// about several values and those that take long to read. FILTERS.md has the
	// list. Defaults to 1,000; it is 30,000 at most.
	Cost int
	// Values is how many values an in, ids or anyOf may have. Defaults to 1,000.
	Values int
	// Vertices is how many points the polygons of a condition may have. Defaults
	// to 1,000.
	Vertices int
	// PatternBytes and Instructions bound the pattern of a regexp, and what it is
	// compiled to. They default to 256 and 500.
	PatternBytes, Instructions int
}

// maxCost is the highest limit of the cost: a program numbers its tests by 15
// bits.
const maxCost = 30_000

func (l Limits) withDefaults() Limits {
	return Limits{
		Bytes:        cmp.Or(l.Bytes, 16<<10),
		Depth:        cmp.Or(l.Depth, 16),
		Cost:         min(cmp.Or(l.Cost, 1000), maxCost),
		Values:       cmp.Or(l.Values, 1000),
		Vertices:     cmp.Or(l.Vertices, 1000),
		PatternBytes: cmp.Or(l.PatternBytes, 256),
		Instructions: cmp.Or(l.Instructions, 500),
	}
}

// NoLimits are those of a filter that was within limits when it was stored.
func NoLimits() Limits {
	const none = 1 << 30
	return Limits{none, none, none, none, none, none, none}
}

func (l Limits) checkBytes(what string, n int) error {
	if n > l.Bytes {
		return &SyntaxError{Text: fmt.Sprintf("%s has %d bytes, the limit is %d", what, n, l.Bytes), Limit: true}
	}
	return nil
}

// steps is how many steps the canonical form may take. Few filters take more
// than three for each condition.
func (l Limits) steps() int { return 10 * l.Cost }

// nesting is how many objects and arrays may be nested.
func (l Limits) nesting() int { return 4 * l.Depth }
