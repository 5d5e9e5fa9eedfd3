package filter

import (
	"cmp"
	"math"
	"slices"
	"sync/atomic"
)

// Intervals finds which of many intervals hold a number: a B+ tree by lower
// bound that knows the highest upper bound of every branch. Whoever walks it
// meets a leaf only for what it finds there, but for the last. A change copies
// the nodes on its way, some 4 KB.
type intervals struct {
	root atomic.Pointer[branch]
}

// A branch is a leaf, with entries, or has children. It is never changed.
type branch struct {
	children []child
	entries  []entryInterval
}

type child struct {
	*branch
	first entryInterval // the least entry
	high  float64       // the highest upper bound
}

// An entryInterval holds low, high and all between.
type entryInterval struct {
	low, high float64
	entry     uint32
}

// maxBranch is how many entries or children a node has at most.
const maxBranch = 32

// closed returns the least and the greatest number of an interval.
func (i interval) closed() (low, high float64) {
	low, high = i.low, i.high
	if i.lowOpen {
		low = math.Nextafter(low, math.Inf(1))
	}
	if i.highOpen {
		high = math.Nextafter(high, math.Inf(-1))
	}
	return low, high
}

// complement appends the intervals that hold the other numbers.
func (i interval) complement(entry uint32) []entryInterval {
	var parts []entryInterval
	low, high := i.closed()
	if !math.IsInf(i.low, -1) {
		parts = append(parts, entryInterval{math.Inf(-1), math.Nextafter(low, math.Inf(-1)), entry})
	}
	if !math.IsInf(i.high, 1) {
		parts = append(parts, entryInterval{math.Nextafter(high, math.Inf(1)), math.Inf(1), entry})
	}
	return parts
}

func compareIntervals(a, b entryInterval) int {
	return cmp.Or(cmp.Compare(a.low, b.low), cmp.Compare(a.high, b.high), cmp.Compare(a.entry, b.entry))
}

// search appends the entries of the intervals that hold v.
func (t *intervals) search(dst []uint32, v float64) []uint32 {
	if root := t.root.Load(); root != nil {
		return root.search(dst, v)
	}
	return dst
}

// high returns the highest upper bound.
func (t *intervals) high() float64 {
	if root := t.root.Load(); root != nil {
		return childFrom(root).high
	}
	return math.Inf(-1)
}

func (b *branch) search(dst []uint32, v float64) []uint32 {
	for i := range b.entries {
		e := &b.entries[i]
		if e.low > v {
			break
		}
		if e.high >= v {
			dst = append(dst, e.entry)
		}
	}
	for i := range b.children {
		c := &b.children[i]
		if c.first.low > v {
			break
		}
		if c.high >= v {
			dst = c.search(dst, v)
		}
	}
	return dst
}

func (t *intervals) add(e entryInterval) {
	root := t.root.Load()
	if root == nil {
		root = &branch{}
	}
	root = root.add(e)
	if parts := split(root); len(parts) > 1 {
		root = &branch{children: parts}
	}
	t.root.Store(root)
}

// add returns a copy of b with e, which may be one too large.
func (b *branch) add(e entryInterval) *branch {
	if b.children == nil {
		i, _ := slices.BinarySearchFunc(b.entries, e, compareIntervals)
		return &branch{entries: inserted(b.entries, i, 0, e)}
	}
	i := b.childOf(e)
	return &branch{children: inserted(b.children, i, 1, split(b.children[i].add(e))...)}
}

// inserted returns a copy of list in which items stand for n items from i on.
func inserted[T any](list []T, i, n int, items ...T) []T {
	return slices.Concat(list[:i], items, list[i+n:])
}

// childOf returns the place of the child in which e is or would be.
func (b *branch) childOf(e entryInterval) int {
	i, found := slices.BinarySearchFunc(b.children, e, func(c child, e entryInterval) int { return compareIntervals(c.first, e) })
	if !found && i > 0 {
		i--
	}
	return i
}

// split returns b, or its halves if it is too large, as children. An empty one
// has none.
func split(b *branch) []child {
	n := len(b.entries) + len(b.children)
	switch {
	case n == 0:
		return nil
	case n <= maxBranch:
		return []child{childFrom(b)}
	case b.children == nil:
		return []child{childFrom(&branch{entries: b.entries[: n/2 : n/2]}), childFrom(&branch{entries: b.entries[n/2:]})}
	}
	return []child{childFrom(&branch{children: b.children[: n/2 : n/2]}), childFrom(&branch{children: b.children[n/2:]})}
}

func childFrom(b *branch) child {
	c := child{branch: b, high: math.Inf(-1)}
	for _, e := range b.entries {
		c.high = max(c.high, e.high)
	}
	for _, inner := range b.children {
		c.high = max(c.high, inner.high)
	}
	if b.children != nil {
		c.first = b.children[0].first
	} else {
		c.first = b.entries[0]
	}
	return c
}

// remove removes an interval that is there.
func (t *intervals) remove(e entryInterval) {
	root := t.root.Load().remove(e)
	for len(root.children) == 1 {
		root = root.children[0].branch
	}
	if len(root.entries)+len(root.children) == 0 {
		root = nil
	}
	t.root.Store(root)
}

// remove returns a copy of b without e. Where two neighbours have become small
// they are joined.
func (b *branch) remove(e entryInterval) *branch {
	if b.children == nil {
		i, _ := slices.BinarySearchFunc(b.entries, e, compareIntervals)
		return &branch{entries: inserted(b.entries, i, 1)}
	}
	i := b.childOf(e)
	smaller := &branch{children: inserted(b.children, i, 1, split(b.children[i].remove(e))...)}
	if i = min(i, len(smaller.children)-1); i > 0 {
		smaller.joinAt(i - 1)
	}
	return smaller
}

// joinAt joins the children at i and after it, if they are small. b is new.
func (b *branch) joinAt(i int) {
	left, right := b.children[i].branch, b.children[i+1].branch
	if len(left.entries)+len(left.children)+len(right.entries)+len(right.children) > maxBranch/2 {
		return
	}
	joined := &branch{children: slices.Concat(left.children, right.children), entries: slices.Concat(left.entries, right.entries)}
	b.children = inserted(b.children, i, 2, childFrom(joined))
}
