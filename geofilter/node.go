package geofilter

import (
	"slices"
	"sync/atomic"
)

const (
	// levels is how many levels of cells a node stands above its children.
	levels = 1
	fan    = 1 << (2 * levels)
)

// A node says which shapes are in a cell. Its lists never change: a change is a
// new node in its slot. A shape is in at most one list on the way from a face
// to a leaf.
type node struct {
	within   []uint32 // shapes that hold the cell
	disks    []disk   // circles with an edge in it
	crates   []crate
	others   []uint32   // other shapes with an edge in it
	children *[fan]slot // nil for a leaf
}

type slot = atomic.Pointer[node]

// An entry is a shape on its way into a list or out of it.
type entry struct {
	id      uint32
	outline outline
	disk    disk
	crate   crate
	finest  int
}

func makeEntry(id uint32, s Shape) entry {
	o := s.outline()
	e := entry{id: id, outline: o, finest: o.finest()}
	switch o := o.(type) {
	case *round:
		e.disk = makeDisk(id, o)
	case *double:
		e.disk = makeDisk(id, o.outer)
	case *frame:
		e.crate = crate{o.box, id}
	}
	return e
}

// with returns a node that has the entry besides.
func (n *node) with(e *entry, how relation) *node {
	m := &node{}
	if n != nil {
		*m = *n
	}
	switch how {
	case apart:
	case within:
		m.within = grow(m.within, e.id)
	case byDisk:
		m.disks = grow(m.disks, e.disk)
	case byBox:
		m.crates = grow(m.crates, e.crate)
	case byShape:
		m.others = grow(m.others, e.id)
	}
	return m
}

// without returns a node that has not got the entry any more.
func (n *node) without(e *entry, how relation) *node {
	m := *n
	switch how {
	case apart:
	case within:
		m.within = drop(m.within, func(id uint32) bool { return id == e.id })
	case byDisk:
		m.disks = drop(m.disks, func(d disk) bool { return d.id == e.id })
	case byBox:
		m.crates = drop(m.crates, func(c crate) bool { return c.id == e.id })
	case byShape:
		m.others = drop(m.others, func(id uint32) bool { return id == e.id })
	}
	return &m
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

// edges returns how many shapes have an edge in the cell.
func (n *node) edges() int { return len(n.disks) + len(n.crates) + len(n.others) }

// empty reports whether the node says nothing.
func (n *node) empty() bool {
	return len(n.within) == 0 && n.edges() == 0 && n.children == nil
}

// each calls f with the shapes that have an edge in the cell.
func (n *node) each(f func(id uint32)) {
	for i := range n.disks {
		f(n.disks[i].id)
	}
	for i := range n.crates {
		f(n.crates[i].id)
	}
	for _, id := range n.others {
		f(id)
	}
}
