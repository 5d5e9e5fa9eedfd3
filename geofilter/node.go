package geofilter

import (
	"slices"
	"sync/atomic"
)

const (
	// levels is how many levels of cells a node stands above its children. Two
	// make half as many steps of one, each of which waits for memory.
	levels = 2
	fan    = 1 << (2 * levels)
)

// A node says which shapes are in a cell. A shape is in at most one list on the
// way from a face to a leaf. One writer may add and remove entries while
// readers search. It is a cache line, with the first chips in the next one.
type node struct {
	rest     atomic.Pointer[rest] // nil for an empty one
	children *[fan]slot           // nil for a leaf

	// chips are circles with an edge in the cell. Only the first of them are in
	// use, and what is in use never changes, but for an ID that becomes gone.
	chips []chip
	grid  grid
	used  atomic.Uint32
	gone  int32 // of the used ones; only the writer asks
}

type slot = atomic.Pointer[node]

// A leaf is a node and a short list in one piece of memory, so that Search waits
// only once for both.
type leaf[List any] struct {
	node
	list List
}

// newLeaf returns a leaf with room for some chips. The lists fill the sizes in
// which Go gives out memory.
func newLeaf(g grid, room int) *node {
	var n *node
	switch {
	case room == 0:
		n = new(node)
	case room <= 2:
		l := new(leaf[[2]chip])
		n, l.chips = &l.node, l.list[:]
	case room <= 5:
		l := new(leaf[[5]chip])
		n, l.chips = &l.node, l.list[:]
	case room <= 8:
		l := new(leaf[[8]chip])
		n, l.chips = &l.node, l.list[:]
	case room <= 12:
		l := new(leaf[[12]chip])
		n, l.chips = &l.node, l.list[:]
	case room <= 16:
		l := new(leaf[[16]chip])
		n, l.chips = &l.node, l.list[:]
	case room <= 20:
		l := new(leaf[[20]chip])
		n, l.chips = &l.node, l.list[:]
	case room <= 26:
		l := new(leaf[[26]chip])
		n, l.chips = &l.node, l.list[:]
	case room <= crowd:
		l := new(leaf[[crowd]chip])
		n, l.chips = &l.node, l.list[:]
	default:
		n = &node{chips: make([]chip, room+room/4)}
	}
	n.grid = g
	return n
}

// newParent returns a node with children, in one piece of memory.
func newParent(g grid) *node {
	p := new(leaf[[fan]slot])
	p.grid, p.children = g, &p.list
	return &p.node
}

// inUse returns the chips that are or were in n.
func (n *node) inUse() []chip { return n.chips[:n.used.Load()] }

// lists returns what n knows besides chips.
func (n *node) lists() rest {
	if r := n.rest.Load(); r != nil {
		return *r
	}
	return rest{}
}

// load returns how much work a search in n is, where a disk is 1.
func (n *node) load() int {
	r := n.lists()
	load := len(n.inUse()) - int(n.gone) + len(r.disks) + len(r.crates) + len(r.hoops)
	for _, t := range r.clips {
		load += t.clip.weight()
	}
	return load
}

// empty reports whether n says nothing.
func (n *node) empty() bool {
	return n.children == nil && int(n.gone) == len(n.inUse()) && n.rest.Load() == nil
}

// full reports whether a list of n has to move to become longer. Then it is time
// to ask whether n has become too crowded.
func (n *node) full() bool {
	r := n.lists()
	return full(n.chips[:len(n.inUse()):len(n.chips)]) || full(r.disks) || full(r.crates) || full(r.hoops)
}

// each calls f with the shapes, but for clips, that have an edge in the cell.
func (n *node) each(f func(id uint32)) {
	for _, c := range n.inUse() {
		if c.id != gone {
			f(c.id)
		}
	}
	r := n.lists()
	r.each(f)
}

// with returns a node that has the entry besides: n itself, or another in its
// place.
func (n *node) with(e *entry, how relation, o outline) *node {
	if how == byDisk {
		if c, fits := n.grid.chip(&e.disk); fits {
			return n.withChip(c)
		}
	}
	r := n.lists()
	r.add(e, how, o)
	n.rest.Store(&r)
	return n
}

func (n *node) withChip(c chip) *node {
	used := len(n.inUse())
	if used < len(n.chips) {
		n.chips[used] = c
		n.used.Store(uint32(used + 1))
		return n
	}
	m := n.resized(used - int(n.gone) + 1)
	return m.withChip(c)
}

// resized returns a node like n with room for so many chips.
func (n *node) resized(room int) *node {
	m := newLeaf(n.grid, room)
	m.children = n.children
	m.rest.Store(n.rest.Load())
	used := uint32(0)
	for _, c := range n.inUse() {
		if c.id != gone {
			m.chips[used] = c
			used++
		}
	}
	m.used.Store(used)
	return m
}

// without returns a node that has not got the entry any more: n itself, or
// another in its place.
func (n *node) without(e *entry, how relation) *node {
	if how == byDisk {
		if _, fits := n.grid.chip(&e.disk); fits {
			return n.withoutChip(e.id)
		}
	}
	r := n.lists()
	r.remove(e.id, how)
	if r.empty() {
		n.rest.Store(nil)
	} else {
		n.rest.Store(&r)
	}
	return n
}

func (n *node) withoutChip(id uint32) *node {
	chips := n.inUse()
	i := slices.IndexFunc(chips, func(c chip) bool { return c.id == id })
	if i < 0 {
		return n
	}
	atomic.StoreUint32(&chips[i].id, gone)
	n.gone++
	if int(n.gone) <= len(chips)/2 {
		return n
	}
	return n.resized(len(chips) - int(n.gone))
}
