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
// readers search.
type node struct {
	rest     atomic.Pointer[rest] // nil for an empty one
	children *[fan]slot           // nil for a leaf

	// disks are circles with an edge in the cell. Only the first of them are in
	// use, and what is in use never changes, but for an ID that becomes gone.
	disks []disk
	used  atomic.Uint32
	gone  int // of the used ones; only the writer asks
}

type slot = atomic.Pointer[node]

// A rest is what a node knows besides disks. It never changes: its lists may
// only grow beyond their lengths.
type rest struct {
	within []uint32 // shapes that hold the cell
	crates []crate
	hoops  []hoop
	clips  []tagged
}

type tagged struct {
	id   uint32
	clip *clip
}

// newLeaf returns a leaf with room for some disks. A short list is in one piece
// of memory with its node, so that Search waits only once for both.
func newLeaf(room int) *node {
	switch {
	case room == 0:
		return new(node)
	case room <= 2:
		l := new(struct {
			node
			list [2]disk
		})
		l.disks = l.list[:]
		return &l.node
	case room <= 6:
		l := new(struct {
			node
			list [6]disk
		})
		l.disks = l.list[:]
		return &l.node
	case room <= 12:
		l := new(struct {
			node
			list [12]disk
		})
		l.disks = l.list[:]
		return &l.node
	case room <= 18:
		l := new(struct {
			node
			list [18]disk
		})
		l.disks = l.list[:]
		return &l.node
	case room <= 24:
		l := new(struct {
			node
			list [24]disk
		})
		l.disks = l.list[:]
		return &l.node
	case room <= crowd:
		l := new(struct {
			node
			list [crowd]disk
		})
		l.disks = l.list[:]
		return &l.node
	}
	return &node{disks: make([]disk, room+room/4)}
}

// newParent returns a node with children, in one piece of memory.
func newParent() *node {
	p := new(struct {
		node
		list [fan]slot
	})
	p.children = &p.list
	return &p.node
}

// inUse returns the disks that are or were in n.
func (n *node) inUse() []disk { return n.disks[:n.used.Load()] }

// lists returns what n knows besides disks.
func (n *node) lists() rest {
	if r := n.rest.Load(); r != nil {
		return *r
	}
	return rest{}
}

// load returns how much work a search in n is, where a disk is 1.
func (n *node) load() int {
	r := n.lists()
	load := len(n.inUse()) - n.gone + len(r.crates) + len(r.hoops)
	for _, t := range r.clips {
		load += t.clip.weight()
	}
	return load
}

// empty reports whether n says nothing.
func (n *node) empty() bool {
	return n.children == nil && n.gone == len(n.inUse()) && n.rest.Load() == nil
}

// full reports whether a list of n has to move to become longer. Then it is time
// to ask whether n has become too crowded.
func (n *node) full() bool {
	r := n.lists()
	return full(n.disks[:len(n.inUse()):len(n.disks)]) || full(r.crates) || full(r.hoops)
}

func full[T any](list []T) bool { return len(list) > 0 && len(list) == cap(list) }

// each calls f with the shapes, but for clips, that have an edge in the cell.
func (n *node) each(f func(id uint32)) {
	for _, d := range n.inUse() {
		if d.id != gone {
			f(d.id)
		}
	}
	r := n.lists()
	for i := range r.crates {
		f(r.crates[i].id)
	}
	for i := range r.hoops {
		f(r.hoops[i].outer.id)
	}
}

// with returns a node that has the entry besides: n itself, or another in its
// place.
func (n *node) with(e *entry, how relation, o outline) *node {
	if how == byDisk {
		return n.withDisk(e.disk)
	}
	r := n.lists()
	switch how {
	case within:
		r.within = grow(r.within, e.id)
	case byBox:
		r.crates = grow(r.crates, e.crate)
	case byClip:
		r.clips = grow(r.clips, tagged{e.id, o.(*clip)})
	case byHoop:
		r.hoops = grow(r.hoops, e.hoop)
	case apart, byDisk:
	}
	n.rest.Store(&r)
	return n
}

func (n *node) withDisk(d disk) *node {
	used := len(n.inUse())
	if used < len(n.disks) {
		n.disks[used] = d
		n.used.Store(uint32(used + 1))
		return n
	}
	m := n.resized(used - n.gone + 1)
	return m.withDisk(d)
}

// resized returns a node like n with room for so many disks.
func (n *node) resized(room int) *node {
	m := newLeaf(room)
	m.children = n.children
	m.rest.Store(n.rest.Load())
	used := uint32(0)
	for _, d := range n.inUse() {
		if d.id != gone {
			m.disks[used] = d
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
		return n.withoutDisk(e.id)
	}
	is := func(id uint32) bool { return id == e.id }
	r := n.lists()
	switch how {
	case within:
		r.within = drop(r.within, is)
	case byBox:
		r.crates = drop(r.crates, func(c crate) bool { return is(c.id) })
	case byClip:
		r.clips = drop(r.clips, func(t tagged) bool { return is(t.id) })
	case byHoop:
		r.hoops = drop(r.hoops, func(h hoop) bool { return is(h.outer.id) })
	case apart, byDisk:
	}
	if len(r.within)+len(r.crates)+len(r.clips)+len(r.hoops) == 0 {
		n.rest.Store(nil)
	} else {
		n.rest.Store(&r)
	}
	return n
}

func (n *node) withoutDisk(id uint32) *node {
	disks := n.inUse()
	i := slices.IndexFunc(disks, func(d disk) bool { return d.id == id })
	if i < 0 {
		return n
	}
	atomic.StoreUint32(&disks[i].id, gone)
	n.gone++
	if n.gone <= len(disks)/2 {
		return n
	}
	return n.resized(len(disks) - n.gone)
}

// grow returns list with v at its end. Readers of list do not see it.
func grow[T any](list []T, v T) []T {
	if len(list) == cap(list) {
		// Lists are many and short: they get little to spare.
		list = append(make([]T, 0, len(list)+1+len(list)/8), list...)
	}
	return append(list, v)
}

// drop returns a copy of list without the element that is meant, if it is there.
func drop[T any](list []T, meant func(T) bool) []T {
	i := slices.IndexFunc(list, meant)
	switch {
	case i < 0:
		return list
	case len(list) == 1:
		return nil
	}
	return append(slices.Clone(list[:i]), list[i+1:]...)
}
