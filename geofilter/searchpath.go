package geofilter

import (
	"slices"
	"sync/atomic"
)

// SearchPath appends to dst the IDs of the shapes that meet the geodesic from a to
// b, each once and in no particular order, and returns it.
func (x *Index) SearchPath(dst []uint32, a, b Point) []uint32 {
	p, ok := pathOf(a, b)
	if !ok {
		return dst
	}
	found := len(dst)
	// A shape that holds neither end has an edge on the way.
	from, to := placeOf(p.from), placeOf(p.to)
	dst = x.search(dst, &from)
	dst = x.search(dst, &to)
	for face := range x.faces {
		dst = x.follow(dst, x.faces[face].Load(), makeCell(face, 0, 0, 0), p.legs)
	}
	slices.Sort(dst[found:])
	return dst[:found+len(slices.Compact(dst[found:]))]
}

// follow appends the shapes whose edges some legs meet in a cell.
func (x *Index) follow(dst []uint32, n *node, c cell, legs []leg) []uint32 {
	if legs = in(&c, legs); n == nil || len(legs) == 0 {
		return dst
	}
	for i := range legs {
		dst = x.askAlong(dst, n, &legs[i])
	}
	if n.children == nil {
		return dst
	}
	for i := range 4 {
		quarter := c.child(i)
		near := in(&quarter, legs)
		if len(near) == 0 {
			continue
		}
		for j := range 4 {
			child := quarter.child(j)
			dst = x.follow(dst, n.children[child.index()].Load(), child, near)
		}
	}
	return dst
}

// askAlong appends the shapes of a node whose edges a leg meets.
func (x *Index) askAlong(dst []uint32, n *node, l *leg) []uint32 {
	found := func(id *uint32) {
		if id := atomic.LoadUint32(id); id != gone {
			dst = append(dst, id)
		}
	}
	decide := func(id *uint32, how relation) {
		if how == within || how != apart && x.shapes.meets(atomic.LoadUint32(id), l) {
			found(id)
		}
	}
	chips, r := n.inUse(), n.lists()
	for i := range chips {
		d := n.grid.disk(&chips[i])
		decide(&chips[i].id, d.along(l))
	}
	for i := range r.disks {
		decide(&r.disks[i].id, r.disks[i].along(l))
	}
	for i := range r.hoops {
		if r.hoops[i].outer.along(l) != apart {
			decide(&r.hoops[i].outer.id, byHoop)
		}
	}
	for i := range r.crates {
		if r.crates[i].box.meets(l) {
			found(&r.crates[i].id)
		}
	}
	for i := range r.clips {
		if r.clips[i].clip.meets(l) {
			found(&r.clips[i].id)
		}
	}
	return dst
}
