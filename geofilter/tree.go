package geofilter

const (
	// crowd is how many edges may pass a leaf before it is divided.
	crowd = 20
	// quiet is how few shapes may be left under a node for it to become a leaf
	// again. It is well below crowd, lest a node goes to and fro.
	quiet = 8
)

// add notes an entry at a cell or under it.
func (x *Index) add(at *slot, c *cell, e *entry, o outline) {
	how, o := o.relate(c)
	if how == apart {
		return
	}
	n, level := at.Load(), c.level
	if how != within && n != nil && n.children != nil && e.finest >= level+levels {
		for i := range n.children {
			child := c.child(i, levels)
			x.add(&n.children[i], &child, e, o)
		}
		return
	}
	n = n.with(e, how)
	if n.children == nil && n.edges() > crowd {
		n = x.divide(n, c)
	}
	at.Store(n)
}

// reach returns what add comes to when it comes to a cell.
func reach(c *cell, o outline) (how relation, last outline) {
	for level := 0; level <= c.level; level += levels {
		above := c.parent(level)
		how, o = o.relate(&above)
	}
	return how, o
}

// divide returns n with children, into which go the edges of the shapes that
// are not too small for them.
func (x *Index) divide(n *node, c *cell) *node {
	level := c.level
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
		how, o := reach(c, e.outline)
		if e.finest < level+levels {
			m = m.with(&e, how)
			return
		}
		for i := range m.children {
			child := c.child(i, levels)
			x.add(&m.children[i], &child, &e, o)
		}
	})
	return m
}

// remove undoes add. It may find nothing to undo: a shape that is apart from all
// children of a node is forgotten when the node becomes a leaf, although
// relate, which is cautious, does not call it apart from the node.
func (x *Index) remove(at *slot, c *cell, e *entry, o outline) {
	how, o := o.relate(c)
	n, level := at.Load(), c.level
	if how == apart || n == nil {
		return
	}
	if how != within && n.children != nil && e.finest >= level+levels {
		for i := range n.children {
			child := c.child(i, levels)
			x.remove(&n.children[i], &child, e, o)
		}
		if m := x.merge(n, c); m != n {
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
func (x *Index) merge(n *node, c *cell) *node {
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
		how, _ := reach(c, e.outline)
		merged = merged.with(&e, how)
	}
	if merged.empty() {
		return nil
	}
	return merged
}
