package geofilter

import (
	"math"
	"sync/atomic"

	"github.com/golang/geo/s2"
)

// A Trail is what an Index remembers of a point that it was asked about: how far
// the point may move until the answer can change. The zero value remembers
// nothing. It belongs to one Index.
type Trail struct {
	at     Point
	reach  float32   // by what angle the normal may turn, in radians
	cosine float32   // of the latitude, and not 0
	cell   epochCell // that holds what is in reach
	stamp  uint64    // of the cell
}

// Track does what Search does, and notes in t how far p may move until another
// search can find something else.
func (x *Index) Track(dst []uint32, p Point, t *Trail) []uint32 {
	*t = Trail{}
	if !p.Valid() {
		return dst
	}
	at := placeOf(p)
	face, i, j := locate(at.normal)
	t.at, t.cell = at.point, epochCellOf(face, i, j)
	t.cosine = float32(math.Hypot(at.normal.X, at.normal.Y) * (1 + 1e-6))
	// What is added from here on changes the stamp once it can be found.
	t.stamp = x.epochs.stamp(t.cell)
	dst = x.search(dst, &at)
	t.reach = float32(max(0, x.room(&at)-rounding) * (1 - 1e-6))
	return dst
}

// Same reports whether Search would find the same at p as the last Track with t
// did, but for shapes that were removed since. It may say false although that
// is so. It may run concurrently as Search may.
//
// Most points that move little take some 15 ns, wherever they are.
func (x *Index) Same(p Point, t *Trail) bool {
	if t.cosine == 0 || !p.Valid() {
		return false
	}
	p = p.Normal()
	return (p == t.at || t.reaches(p)) && x.epochs.stamp(t.cell) == t.stamp
}

// reaches reports whether the normal turns by less than the reach on the way to
// p, or on a longer one: along a line in a map of parallels and meridians.
func (t *Trail) reaches(p Point) bool {
	lat, lon := math.Abs(p.Lat-t.at.Lat), math.Abs(p.Lon-t.at.Lon)
	lat, lon = radians(lat), radians(min(lon, 360-lon))
	lon *= float64(t.cosine) + lat
	return lat*lat+lon*lon < float64(t.reach)*float64(t.reach)
}

// room returns an angle by which the normal at a point may turn before a shape
// holds the point, or holds it no more, or the point leaves its epochCell.
func (x *Index) room(at *place) float64 {
	face, i, j := locate(at.normal)
	c := cellAt(face, finestEpoch, i, j)
	room := c.depth(at.normal)
	level := 0
	for n := x.faces[face].Load(); n != nil; {
		room = min(room, x.roomIn(n, at))
		if n.children == nil {
			break
		}
		level += levels
		n = n.children[childOf(i, j, level)].Load()
	}
	if level <= finestEpoch {
		return room
	}
	// Other shapes are apart from this cell.
	c = cellAt(face, level, i, j)
	return min(room, c.depth(at.normal))
}

// roomIn is the room among the shapes of a node that do not hold all of its
// cell.
func (x *Index) roomIn(n *node, at *place) float64 {
	room := math.Inf(1) // in steps, which are chords
	chips, r := n.inUse(), n.lists()
	if len(chips) > 0 {
		room = x.roomAmong(chips, &n.grid, at)
	}
	for i := range r.disks {
		room = min(room, r.disks[i].room(&at.position))
	}
	for i := range r.hoops {
		room = min(room, r.hoops[i].room(&at.position))
	}
	room /= steps * maxCurvatureRadius
	for i := range r.crates {
		room = min(room, r.crates[i].box.room(at))
	}
	for i := range r.clips {
		room = min(room, r.clips[i].clip.room(at.normal))
	}
	return room
}

// roomAmong returns the room that the chips of a node leave, in steps. Near its
// edge a chip knows little, so that the shape is asked.
func (x *Index) roomAmong(chips []chip, g *grid, at *place) float64 {
	const near = 4 * sure
	room, spot := math.Inf(1), g.spot(&at.position)
	for i := range chips {
		c := &chips[i]
		chipRoom := float64(c.room(&spot)) * float64(g.unit)
		if chipRoom >= room {
			continue
		}
		if chipRoom < near*float64(g.unit) {
			chipRoom = x.roomAt(atomic.LoadUint32(&c.id), at)
		}
		room = min(room, chipRoom)
	}
	return room
}

// roomAt returns the room that the edge of a circle, or the outer one of a ring,
// leaves, in steps.
func (x *Index) roomAt(id uint32, at *place) float64 {
	var o round
	switch s := x.shapes.get(id).(type) {
	case Circle:
		o.center, o.radius = unit(s.Center), float64(s.Radius)
	case Ring:
		o.center, o.radius = unit(s.Center), float64(s.Outer)
	default:
		return math.Inf(1) // what was in the list is gone
	}
	d := makeDisk(id, &o)
	return d.room(&at.position)
}

// room returns how many steps a point may go before tell says something else. It
// is negative if tell cannot say.
func (d *disk) room(at *position) float64 {
	distance := math.Sqrt(d.square(at))
	return max(distance-math.Sqrt(float64(d.out)), math.Sqrt(max(0, float64(d.in)))-distance)
}

func (h *hoop) room(at *position) float64 {
	inner, outer := h.inner.room(at), h.outer.room(at)
	switch {
	case h.outer.tell(at) == apart:
		return outer
	case h.inner.tell(at) == within:
		return inner
	}
	return min(inner, outer)
}

// room returns the angle from a point to the edge of the box.
func (b Box) room(at *place) float64 {
	bottom, top := radians(at.point.Lat-b.Bottom), radians(b.Top-at.point.Lat)
	side := math.Inf(1)
	if b.Left != westmost || b.Right != eastmost {
		side = min(toMeridian(at, b.Left), toMeridian(at, b.Right))
	}
	if b.Contains(at.point) {
		return min(bottom, top, side)
	}
	if b.Contains(Point{Lat: b.Top, Lon: at.point.Lon}) {
		return max(-bottom, -top)
	}
	return max(-bottom, -top, side)
}

// toMeridian returns the angle from a point to a half circle between the poles,
// or less.
func toMeridian(at *place, lon float64) float64 {
	away := math.Abs(at.point.Lon - lon)
	away = min(away, 360-away, 90) // further away a pole is nearest
	return math.Hypot(at.normal.X, at.normal.Y) * math.Sin(radians(away))
}

// room returns the angle from a point of the cell to the next edge, or less.
func (o *clip) room(p s2.Point) float64 {
	room := math.Inf(1)
	for _, q := range o.pieces {
		for _, i := range q.edges {
			e := q.part.edges[i]
			middle, half := middleOf(e)
			away := p.Sub(middle).Norm() - half
			// The distance from the great circle. This way of taking the cross
			// product is exact for short edges, too.
			if normal := e.V1.Sub(e.V0.Vector).Cross(middle); normal.Norm2() > 0 {
				away = max(away, math.Abs(normal.Dot(p.Vector))/normal.Norm())
			}
			room = min(room, away)
		}
	}
	return room - float64(edgeTolerance)
}
