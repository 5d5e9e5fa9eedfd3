package filter

import "iter"

// A moment is a condition that cannot be said of a document alone: it is about
// the change that made it, or about where another document is at that time.
type moment interface {
	leaf
	// evidence adds to an explanation what the condition compares with.
	evidence(e *Explanation, d *Document)
}

var (
	_ moment = difference{}
	_ moment = crossing{}
	_ moment = nearness{}
)

// Momentary reports whether there is a condition in the filter that cannot be
// said of a document alone: changed, crossed or near. Such a filter is one of
// changes: a document matches with one change and not with the next, so that
// there is nothing that it matches in between.
func (f *Filter) Momentary() bool {
	for range momentsOf(f.root) {
		return true
	}
	return false
}

// momentsOf yields the moments in a tree. In the query of a select there are none.
func momentsOf(n node) iter.Seq[moment] {
	return func(yield func(moment) bool) { eachMoment(n, yield) }
}

func eachMoment(n node, yield func(moment) bool) bool {
	if m, ok := n.(moment); ok {
		return yield(m)
	}
	for _, part := range partsOf(n) {
		if !eachMoment(part, yield) {
			return false
		}
	}
	return true
}

// Follow says which version of the document is the one before d. Without it, d
// is new, as it is with nil. It may not be called during a Match; d keeps
// previous, and whatever that follows.
func (d *Document) Follow(previous *Document) { d.previous = previous }

// Among says how to find where other documents are, each by its latest version.
// Without it, nobody is anywhere. It may not be called during a Match, which
// calls where.
func (d *Document) Among(where func(Neighbour) Position) { d.where = where }

// before returns the value that a path had in the version before.
func (d *Document) before(path string) (value, bool) {
	if d.previous == nil {
		return value{}, false
	}
	return d.previous.lookup(path)
}
