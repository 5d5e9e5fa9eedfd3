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
	disks := n.inUse()
	for i := range disks {
		d := &disks[i]
		how := d.along(l)
		if how == apart {
			continue
		}
		if id := atomic.LoadUint32(&d.id); id != gone && (how == within || x.shapes.meets(id, l)) {
			dst = append(dst, id)
		}
	}
	r := n.lists()
	for i := range r.crates {
		if r.crates[i].box.meets(l) {
			dst = append(dst, r.crates[i].id)
		}
	}
	for i := range r.clips {
		if r.clips[i].clip.meets(l) {
			dst = append(dst, r.clips[i].id)
		}
	}
	for i := range r.hoops {
		if id := r.hoops[i].outer.id; r.hoops[i].outer.along(l) != apart && x.shapes.meets(id, l) {
			dst = append(dst, id)
		}
	}
	return dst
}
