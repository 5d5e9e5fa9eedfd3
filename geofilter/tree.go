package geofilter

const (
	// crowd is how many edges may pass a leaf before it is divided.
	crowd = 36
	// quiet is how few shapes may be left under a node for it to become a leaf
	// again. It is well below crowd, lest a node goes to and fro.
	quiet = 12
)

// add notes an entry at a cell or under it.
func (x *Index) add(at *slot, c *cell, e *entry, o outline) {
	how, o := o.relate(c)
	if how == apart {
		return
	}
	n := at.Load()
	if n == nil {
		n = new(node)
	}
	if how == within || e.finest < c.level+levels {
		at.Store(n.with(e, how))
		return
	}
	if n.children == nil && n.full() && n.edges() >= crowd {
		n = x.divide(n, c)
		at.Store(n)
	}
	if n.children == nil {
		at.Store(n.with(e, how))
		return
	}
	for i := range n.children {
		child := c.child(i, levels)
		x.add(&n.children[i], &child, e, o)
	}
}

// reach returns what add comes to when it comes to a cell.
func reach(c *cell, o outline) (how relation, last outline) {
	for level := 0; level <= c.level; level += levels {
		above := c.parent(level)
		how, o = o.relate(&above)
	}
	return how, o
}

// divide returns a node with children in place of n, if there are so many shapes
// with edges that are not too small for the cells of the children. They go there.
func (x *Index) divide(n *node, c *cell) *node {
	movers := 0
	n.each(func(id uint32) {
		if x.shapes.get(id).outline().finest() >= c.level+levels {
			movers++
		}
	})
	if movers < crowd/2 {
		return n
	}
	m := newParent()
	if list := n.lists().within; len(list) > 0 {
		m.rest.Store(&rest{within: list})
	}
	n.each(func(id uint32) {
		e := makeEntry(id, x.shapes.get(id))
		how, o := reach(c, e.outline)
		if e.finest < c.level+levels {
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
	n := at.Load()
	if how == apart || n == nil {
		return
	}
	if how == within || e.finest < c.level+levels || n.children == nil {
		n = n.without(e, how)
	} else {
		for i := range n.children {
			child := c.child(i, levels)
			x.remove(&n.children[i], &child, e, o)
		}
		n = x.merge(n, c)
	}
	if n.empty() {
		n = nil
	}
	at.Store(n)
}

// merge returns a leaf in place of n if there are only few shapes under it, and n
// itself otherwise.
func (x *Index) merge(n *node, c *cell) *node {
	shapes := map[uint32]bool{}
	for i := range n.children {
		child := n.children[i].Load()
		if child == nil {
			continue
		}
		if child.children != nil || len(child.lists().within)+child.edges() > quiet {
			return n
		}
		for _, id := range child.lists().within {
			shapes[id] = true
		}
		child.each(func(id uint32) { shapes[id] = true })
		if len(shapes) > quiet {
			return n
		}
	}
	m := n.resized(len(n.inUse()) - n.gone)
	m.children = nil
	for id := range shapes {
		e := makeEntry(id, x.shapes.get(id))
		how, _ := reach(c, e.outline)
		m = m.with(&e, how)
	}
	return m
}
