// Package sorting says in which order a search has documents: in the broker, and in a
// client that keeps what it has found in that order.
package sorting

import (
	"cmp"
	"math"
	"strings"
	"unicode/utf8"
)

// KeyBytes is how much of a string counts for its order: a search holds the keys of
// all documents that it may return.
const KeyBytes = 256

// An Order is what documents are sorted by. Those that are equal in all of it, and all
// without it, are in the order of their ids.
type Order []Field

// A Field is one that documents are sorted by, at a dotted path.
type Field struct {
	Path       string `json:"path"`
	Descending bool   `json:"descending"`
}

// A Position is where a document is in an order.
type Position struct {
	// Values are those of the fields, as [Key] returns them.
	Values []any  `json:"v,omitempty"`
	ID     string `json:"id"`
}

// Key returns what counts of the value of a field: a string that is no part of a
// longer one, a number that JSON has, a boolean, or nil for what has no order.
func Key(v any) any {
	switch scalar := v.(type) {
	case string:
		return strings.Clone(clip(scalar))
	case float64:
		return max(-math.MaxFloat64, min(math.MaxFloat64, scalar))
	case bool:
		return scalar
	}
	return nil
}

// clip returns as much of a string as counts for its order.
func clip(s string) string {
	if len(s) <= KeyBytes {
		return s
	}
	end := KeyBytes
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// Compare says whether a comes before b.
func (o Order) Compare(a, b Position) int {
	for i, f := range o {
		if c := f.compare(a.Values[i], b.Values[i]); c != 0 {
			return c
		}
	}
	return strings.Compare(a.ID, b.ID)
}

// compare says how two values of the field are sorted: numbers before strings, and
// these before booleans. Documents without one come last in either direction.
func (f Field) compare(a, b any) int {
	if a == nil || b == nil {
		return cmp.Compare(rank(a), rank(b))
	}
	c := cmp.Compare(rank(a), rank(b))
	if c == 0 {
		switch a := a.(type) {
		case float64:
			c = cmp.Compare(a, b.(float64))
		case string:
			c = strings.Compare(a, b.(string))
		case bool:
			if a != b.(bool) {
				c = 1
				if !a {
					c = -1
				}
			}
		}
	}
	if f.Descending {
		return -c
	}
	return c
}

// rank sorts values of different types.
func rank(v any) int {
	switch v.(type) {
	case float64:
		return 0
	case string:
		return 1
	case bool:
		return 2
	}
	return 3
}
