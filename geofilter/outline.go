package geofilter

import (
	"math"

	"github.com/golang/geo/s1"
	"github.com/golang/geo/s2"
)

// maxLevel is the level of the smallest cells: 0.6 m.
const maxLevel = 24

// pieces is into about how many cells the edge of a shape may be cut. More make
// Search ask fewer shapes and the Index larger.
const pieces = 24

// finestFor returns the level of the cells of which an edge of this length
// needs about n.
func finestFor(length s1.Angle, n int) int {
	return min(s2.AvgEdgeMetric.ClosestLevel(float64(length)/float64(n)), maxLevel)
}

// A round is the outline of a circle: where points are in it or not for sure,
// as lengths of chords on the unit sphere of normals.
type round struct {
	center  s2.Point
	in, out float64
	radius  Meters
}

func roundOf(center Point, r Meters) round {
	meters := float64(r)
	o := round{center: unit(center), radius: r, in: -1, out: -1}
	if meters >= 0 && center.Valid() {
		o.out = chordOf((meters+slack(meters))/minCurvatureRadius) + rounding
		o.in = chordOf((meters-slack(meters))/maxCurvatureRadius) - rounding
	}
	return o
}

// chordOf returns the length of the chord of an angle. An angle of more than
// half a turn has one that is longer than any.
func chordOf(radians float64) float64 {
	if radians > math.Pi {
		return 3
	}
	return 2 * math.Sin(radians/2)
}

func chord(c s1.ChordAngle) float64 { return math.Sqrt(max(0, float64(c))) }

// side returns apart or within, or byDisk where the edge may be in c.
func (o *round) side(c *cell) relation {
	d := c.center.Sub(o.center.Vector).Norm()
	switch {
	case d-c.radius > o.out:
		return apart
	case d+c.radius < o.in:
		return within
	case c.nearest(o.center) > o.out:
		return apart
	case c.farthest(o.center) < o.in:
		return within
	}
	return byDisk
}

func (o *round) relate(c *cell) (relation, outline) { return o.side(c), o }

func (o *round) angle() s1.Angle {
	return s1.Angle(min(max(0, (float64(o.radius)+slack(float64(o.radius)))/minCurvatureRadius), math.Pi))
}

func (o *round) bound() bound { return boundOf(o.center, o.angle()) }

func (o *round) finest() int {
	return finestFor(2*math.Pi*s1.Angle(math.Sin(float64(o.angle()))), pieces)
}

// A double is the outline of a ring.
type double struct{ inner, outer round }

func (o *double) relate(c *cell) (relation, outline) {
	outer := o.outer.side(c)
	if outer == apart {
		return apart, o
	}
	switch o.inner.side(c) {
	case apart:
		return outer, o
	case within:
		return apart, o
	}
	return byShape, o
}

func (o *double) bound() bound { return o.outer.bound() }
func (o *double) finest() int  { return o.outer.finest() }

func (c Circle) outline() outline {
	o := roundOf(c.Center, c.Radius)
	return &o
}

func (r Ring) outline() outline {
	return &double{inner: roundOf(r.Center, r.Inner), outer: roundOf(r.Center, r.Outer)}
}

// A frame is the outline of a box.
type frame struct {
	box  Box
	rect s2.Rect
}

func (b Box) outline() outline {
	lo, hi := s2.LatLngFromDegrees(b.Bottom, b.Left), s2.LatLngFromDegrees(b.Top, b.Right)
	rect := s2.RectFromLatLng(lo)
	rect.Lat.Hi = hi.Lat.Radians()
	rect.Lng = s1.IntervalFromEndpoints(lo.Lng.Radians(), hi.Lng.Radians())
	if b.Left == westmost && b.Right == eastmost {
		rect.Lng = s1.FullInterval()
	}
	return &frame{b, rect}
}

func (o *frame) relate(c *cell) (relation, outline) {
	around := margin(c.RectBound())
	switch {
	case !around.Intersects(o.rect):
		return apart, o
	case o.rect.Contains(around):
		return within, o
	}
	return byBox, o
}

// margin widens a rectangle by what rounding can move a point: near the poles a
// tiny way is many degrees of longitude.
func margin(r s2.Rect) s2.Rect {
	lat := min(max(math.Abs(r.Lat.Lo), math.Abs(r.Lat.Hi))+rounding, math.Pi/2)
	r.Lat.Lo = max(r.Lat.Lo-rounding, -math.Pi/2)
	r.Lat.Hi = min(r.Lat.Hi+rounding, math.Pi/2)
	r.Lng = r.Lng.Expanded(rounding / max(math.Cos(lat), rounding))
	return r
}

func (o *frame) bound() bound {
	disk := o.rect.CapBound()
	return boundOf(disk.Center(), disk.Radius())
}

func (o *frame) finest() int {
	widest := math.Cos(max(0, o.rect.Lat.Lo, -o.rect.Lat.Hi))
	return finestFor(s1.Angle(2*(o.rect.Lat.Length()+widest*o.rect.Lng.Length())), pieces)
}
