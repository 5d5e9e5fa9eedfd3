package filter

import "sync/atomic"

// A replacement is a change of a key's filter. A match that runs meanwhile may
// find both filters, or neither, where it looks; so it looks at the replacements
// afterwards.
type replacement[K comparable] struct {
	number   uint64 // from 1
	key      K
	filter   *Filter // the new one
	done     atomic.Bool
	previous *replacement[K] // nil for the first of a chain
}

// chained is how many replacements are in a chain. A match during which a chain
// ends and another begins starts anew.
const chained = 64

// begin notes a replacement, before anything is replaced.
func (m *Matcher[K]) begin(k K, f *Filter) *replacement[K] {
	r := &replacement[K]{number: 1, key: k, filter: f}
	if last := m.last.Load(); last != nil {
		if r.number = last.number + 1; r.number%chained != 0 {
			r.previous = last
		}
	}
	m.last.Store(r)
	return r
}

// settled returns up to which number replacements are done.
func (m *Matcher[K]) settled() uint64 {
	last := m.last.Load()
	switch {
	case last == nil:
		return 0
	case last.done.Load():
		return last.number
	}
	return last.number - 1
}

// mend makes the keys in dst from a place on right about those whose filter was
// replaced since a number. It fails if there were too many.
func (m *Matcher[K]) mend(dst []K, from int, d *Document, since uint64) ([]K, bool) {
	r := m.last.Load()
	if r == nil || r.number == since {
		return dst, true
	}
	seen := make(map[K]bool, len(dst)-from)
	kept := dst[:from]
	for _, k := range dst[from:] {
		if !seen[k] {
			kept = append(kept, k)
		}
		seen[k] = true
	}
	oldest := r.number
	for ; r != nil && r.number > since; r = r.previous {
		oldest = r.number
		if !seen[r.key] && r.filter.Match(d) {
			kept = append(kept, r.key)
			seen[r.key] = true
		}
	}
	return kept, oldest == since+1
}
