package geofilter

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/golang/geo/s2"
)

// An Index finds which of many shapes contain a point. Search may run
// concurrently with itself and with Add and Remove; it takes no lock, and it
// sees a shape from the moment Add returns until the moment Remove is called,
// at the latest until it returns. The zero value is ready to use, and is not to
// be copied.
//
// It is a quadtree of S2 cells. A shape is noted at the cells that it holds,
// where no geometry is needed any more, and at those that its edge passes. A
// cell is divided when many edges pass it, but not into cells that are small
// against the shapes: else a shape would be noted at too many.
type Index struct {
	mu     sync.Mutex // serialises Add and Remove
	shapes table
	faces  [6]slot
	len    atomic.Int64
	epochs epochs
	circle round // the writer's, the outline of what comes or goes

	// adds counts the calls of Add. If it stands still during a Search, the
	// search cannot have met an ID twice: once for a shape that was removed
	// meanwhile, and once for another that was then added under the same ID.
	adds atomic.Uint64
}

// Add adds a shape under an ID that the caller chooses. IDs should be small
// numbers, in few groups: memory grows by 8 bytes for each in a group, and a
// little with the largest. To add one that is present, or the largest uint32, is
// a bug.
func (x *Index) Add(id uint32, s Shape) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if id == gone || x.shapes.get(id) != nil {
		panic(fmt.Sprintf("geofilter: ID %d is taken", id))
	}
	x.adds.Add(1)
	x.shapes.set(id, s)
	x.epochs.reserve(int(x.len.Add(1)))
	e := x.entry(id, s)
	e.isNew = true
	for face := range x.faces {
		x.add(&x.faces[face], makeCell(face, 0, 0, 0), &e, e.outline)
	}
}

// Remove removes the shape of an ID, if there is one.
func (x *Index) Remove(id uint32) {
	x.mu.Lock()
	defer x.mu.Unlock()
	s := x.shapes.get(id)
	if s == nil {
		return
	}
	e := x.entry(id, s)
	for face := range x.faces {
		x.remove(&x.faces[face], makeCell(face, 0, 0, 0), &e, e.outline)
	}
	x.shapes.set(id, nil)
	x.len.Add(-1)
}

// entry returns the entry of a shape that comes or goes, without garbage for a
// circle.
func (x *Index) entry(id uint32, s Shape) entry {
	if c, ok := s.(Circle); ok {
		x.circle.set(c.Center, c.Radius)
		return entryOf(id, &x.circle)
	}
	return makeEntry(id, s)
}

// Len returns the number of shapes.
func (x *Index) Len() int { return int(x.len.Load()) }

// Search appends to dst the IDs of the shapes that contain p, each once and in
// no particular order, and returns it. No shape contains a point that is not
// valid.
func (x *Index) Search(dst []uint32, p Point) []uint32 {
	if !p.Valid() {
		return dst
	}
	at := placeOf(p)
	return x.search(dst, &at)
}

func (x *Index) search(dst []uint32, at *place) []uint32 {
	adds, found := x.adds.Load(), len(dst)
	face, i, j := locate(at.normal)
	n := x.faces[face].Load()
	for level := levels; n != nil; level += levels {
		dst = x.ask(dst, n, at)
		if n.children == nil {
			break
		}
		n = n.children[childOf(i, j, level)].Load()
	}
	if x.adds.Load() != adds {
		slices.Sort(dst[found:])
		dst = dst[:found+len(slices.Compact(dst[found:]))]
	}
	return dst
}

// A place is a point in all the ways that shapes ask for it.
type place struct {
	point    Point
	normal   s2.Point
	position position
}

func placeOf(p Point) place {
	p = p.Normal()
	normal := unit(p)
	return place{p, normal, positionOf(normal)}
}

// ask appends the shapes of a node that contain a place.
func (x *Index) ask(dst []uint32, n *node, at *place) []uint32 {
	chips, spot := n.inUse(), n.grid.spot(&at.position)
	for i := range chips {
		c := &chips[i]
		how := c.tell(&spot)
		if how == apart {
			continue
		}
		if id := atomic.LoadUint32(&c.id); id != gone && (how == within || x.shapes.contains(id, at.point)) {
			dst = append(dst, id)
		}
	}
	if r := n.rest.Load(); r != nil {
		return x.askRest(dst, r, at)
	}
	return dst
}

func (x *Index) askRest(dst []uint32, r *rest, at *place) []uint32 {
	found := func(id *uint32) {
		if id := atomic.LoadUint32(id); id != gone {
			dst = append(dst, id)
		}
	}
	// decide is for what is within, apart, or to be asked itself.
	decide := func(id *uint32, how relation) {
		if how == within || how != apart && x.shapes.contains(atomic.LoadUint32(id), at.point) {
			found(id)
		}
	}
	for i := range r.within {
		found(&r.within[i])
	}
	for i := range r.disks {
		decide(&r.disks[i].id, r.disks[i].tell(&at.position))
	}
	for i := range r.hoops {
		decide(&r.hoops[i].outer.id, r.hoops[i].tell(&at.position))
	}
	for i := range r.crates {
		if r.crates[i].box.Contains(at.point) {
			found(&r.crates[i].id)
		}
	}
	for i := range r.clips {
		if r.clips[i].clip.contains(at.normal) {
			found(&r.clips[i].id)
		}
	}
	return dst
}
