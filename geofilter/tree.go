package geofilter

import "github.com/golang/geo/s2"

const (
	// crowd is how many edges may pass a leaf before it is divided.
	crowd = 20
	// quiet is how few shapes may be left under a node for it to become a leaf
	// again. It is well below crowd, lest a node goes to and fro.
	quiet = 8
)

// add notes an entry at a cell or under it.
func (x *Index) add(at *slot, id s2.CellID, e *entry, o outline) {
	how, o := relate(id, e, o)
	if how == apart {
		return
	}
	n, level := at.Load(), id.Level()
	if how != within && n != nil && n.children != nil && e.finest >= level+levels {
		for i := range n.children {
			x.add(&n.children[i], childID(id, i), e, o)
		}
		return
	}
	n = n.with(e, how)
	if n.children == nil && n.edges() > crowd {
		n = x.divide(n, id)
	}
	at.Store(n)
}

// relate returns how an entry lies to a cell. That of a cell which is large
// against the shape is a guess.
func relate(id s2.CellID, e *entry, o outline) (relation, outline) {
	if !e.bound.intersects(id) {
		return apart, o
	}
	c := makeCell(id)
	return o.relate(&c)
}

// reach returns what add comes to when it comes to a cell.
func reach(id s2.CellID, e *entry) (how relation, o outline) {
	o = e.outline
	for level := 0; level <= id.Level(); level += levels {
		how, o = relate(id.Parent(level), e, o)
	}
	return how, o
}

// divide returns n with children, into which go the edges of the shapes that
// are not too small for them.
func (x *Index) divide(n *node, id s2.CellID) *node {
	level := id.Level()
	movers := 0
	n.each(func(shape uint32) {
		if x.shapes.get(shape).outline().finest() >= level+levels {
			movers++
		}
	})
	if movers <= crowd {
		return n
	}
	m := &node{within: n.within, children: new([fan]slot)}
	n.each(func(shape uint32) {
		e := makeEntry(shape, x.shapes.get(shape))
		how, o := reach(id, &e)
		if e.finest < level+levels {
			m = m.with(&e, how)
			return
		}
		for i := range m.children {
			x.add(&m.children[i], childID(id, i), &e, o)
		}
	})
	return m
}

// remove undoes add. It may find nothing to undo: a shape that is apart from all
// children of a node is forgotten when the node becomes a leaf, although
// relate, which is cautious, does not call it apart from the node.
func (x *Index) remove(at *slot, id s2.CellID, e *entry, o outline) {
	how, o := relate(id, e, o)
	n, level := at.Load(), id.Level()
	if how == apart || n == nil {
		return
	}
	if how != within && n.children != nil && e.finest >= level+levels {
		for i := range n.children {
			x.remove(&n.children[i], childID(id, i), e, o)
		}
		if m := x.merge(n, id); m != n {
			at.Store(m)
		}
		return
	}
	n = n.without(e, how)
	if n.empty() {
		n = nil
	}
	at.Store(n)
}

// merge returns n as a leaf if there are only few shapes under it, and n itself
// otherwise.
func (x *Index) merge(n *node, id s2.CellID) *node {
	shapes := map[uint32]bool{}
	for i := range n.children {
		child := n.children[i].Load()
		if child == nil {
			continue
		}
		if child.children != nil || len(child.within)+child.edges() > quiet {
			return n
		}
		for _, shape := range child.within {
			shapes[shape] = true
		}
		child.each(func(shape uint32) { shapes[shape] = true })
	}
	if len(shapes) > quiet {
		return n
	}
	m := *n
	m.children = nil
	merged := &m
	for shape := range shapes {
		e := makeEntry(shape, x.shapes.get(shape))
		how, _ := reach(id, &e)
		merged = merged.with(&e, how)
	}
	if merged.empty() {
		return nil
	}
	return merged
}
