package geofilter

import (
	"iter"
	"slices"
)

const (
	// crowd is how many edges may pass a leaf before it is divided.
	crowd = 36
	// quiet is how few shapes may be left under a node for it to become a leaf
	// again. It is well below crowd, lest a node goes to and fro.
	quiet = 12
)

// add notes an entry at a cell or under it.
func (x *Index) add(at *slot, c cell, e *entry, o outline) {
	how, o := o.relate(c)
	if how == apart {
		return
	}
	n := at.Load()
	if n == nil {
		n = newLeaf(gridOf(&c), 0)
	}
	small := e.finest < c.level+levels
	if n.children != nil && how != within && !small {
		for i, child := range children(c, o) {
			x.add(&n.children[i], child.cell, e, child.outline)
		}
		return
	}
	// Only now and then is it worth asking whether to divide: in the long run
	// that makes it cost nothing.
	ask := how != within && !small && n.children == nil && (how == byClip || n.full())
	n = n.with(e, how, o)
	if ask && n.load() > crowd {
		n = x.divide(n, c)
	}
	at.Store(n)
	if !e.isNew {
		return
	}
	if how == within {
		o = nil
	}
	x.epochs.count(c, o, epochLevel(e.finest))
}

// A clipping is a cell, and what to ask about a shape in it.
type clipping struct {
	cell    cell
	outline outline
}

// children returns the children of c in which a shape may be, and their
// indexes. The level between rules out most of them at once.
func children(c cell, o outline) iter.Seq2[int, clipping] {
	return func(yield func(int, clipping) bool) {
		for i := range 4 {
			quarter := c.child(i)
			how, inner := o.relate(quarter)
			switch how {
			case apart:
				continue
			case byClip:
			default:
				inner = o
			}
			for j := range 4 {
				child := quarter.child(j)
				if !yield(child.index(), clipping{child, inner}) {
					return
				}
			}
		}
	}
}

// divide returns a node with children in place of n, into which go the edges of
// shapes that are not too small for them; or n, if there are few such shapes.
func (x *Index) divide(n *node, c cell) *node {
	m, r := newParent(n.grid), n.lists()
	if len(r.within) > 0 {
		m.rest.Store(&rest{within: r.within})
	}
	moved := 0
	move := func(e entry) {
		how, o := e.outline.relate(c)
		if e.finest < c.level+levels {
			m = m.with(&e, how, o)
			return
		}
		moved++
		for i, child := range children(c, o) {
			x.add(&m.children[i], child.cell, &e, child.outline)
		}
	}
	n.each(func(id uint32) { move(makeEntry(id, x.shapes.get(id))) })
	for _, t := range r.clips {
		if t.id != gone {
			moved += t.clip.weight() - 1
			move(entry{id: t.id, outline: t.clip, finest: t.clip.level})
		}
	}
	if moved < crowd/2 {
		return n
	}
	return m
}

// remove undoes add. It may find nothing to undo: a shape that is apart from all
// children of a node is forgotten when the node becomes a leaf, although
// relate, which is cautious, does not call it apart from the node.
func (x *Index) remove(at *slot, c cell, e *entry, o outline) {
	how, o := o.relate(c)
	n := at.Load()
	if how == apart || n == nil {
		return
	}
	if how == within || e.finest < c.level+levels || n.children == nil {
		n = n.without(e, how)
	} else {
		for i, child := range children(c, o) {
			x.remove(&n.children[i], child.cell, e, child.outline)
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
func (x *Index) merge(n *node, c cell) *node {
	shapes := make([]uint32, 0, quiet+1)
	see := func(id uint32) {
		if len(shapes) <= quiet && !slices.Contains(shapes, id) {
			shapes = append(shapes, id)
		}
	}
	for i := range n.children {
		child := n.children[i].Load()
		if child == nil {
			continue
		}
		r := child.lists()
		if child.children != nil || len(r.within)+child.load() > quiet {
			return n
		}
		child.each(see)
		each(r.within, idOfWithin, see)
		each(r.clips, idOfClip, see)
		if len(shapes) > quiet {
			return n
		}
	}
	m := n.resized(len(n.inUse()) - int(n.gone))
	m.children = nil
	for _, id := range shapes {
		e := makeEntry(id, x.shapes.get(id))
		how, o := e.outline.relate(c)
		if _, polygon := o.(*clip); polygon {
			// Its clip at this cell would not be quite the same as one that
			// came about from cell to cell, so that remove would miss it.
			return n
		}
		m = m.with(&e, how, o)
	}
	return m
}
