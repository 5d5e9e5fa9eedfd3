package geofilter

import (
	"math"

	"github.com/golang/geo/r3"
	"github.com/golang/geo/s1"
	"github.com/golang/geo/s2"
)

// A round is the outline of a circle on the sphere of normals. It is blurred:
// points up to inner are in the circle for sure, points beyond outer are not.
type round struct {
	inner, outer zone
	center       s2.Point
	radius       float64 // meters, or less than 0 for none
}

func roundOf(center Point, radius Meters) *round {
	o := new(round)
	o.set(center, radius)
	return o
}

func (o *round) set(center Point, radius Meters) {
	*o = round{center: unit(center), radius: -1}
	inner, outer := -1.0, -1.0
	if r := float64(radius); r >= 0 && center.Valid() {
		o.radius = r
		inner = (r-slack(r))/maxCurvatureRadius - rounding
		outer = (r+slack(r))/minCurvatureRadius + rounding
	}
	o.inner, o.outer = zoneOf(inner), zoneOf(outer)
}

func (c Circle) outline() outline { return roundOf(c.Center, c.Radius) }

func (o *round) relate(c cell) (relation, outline) {
	center := onFace(c.face, o.center)
	switch {
	case o.outer.apart(&c, center):
		return apart, o
	case o.inner.holds(&c, center):
		return within, o
	}
	return byDisk, o
}

func (o *round) finest() int {
	angle := min(max(rounding, o.radius/minCurvatureRadius), math.Pi)
	blur := slack(o.radius) / minCurvatureRadius // nothing is to be seen in smaller cells
	return finestFor(2*math.Pi*s1.Angle(max(math.Sin(angle), blur)), pieces)
}

// A double is the outline of a ring.
type double struct{ inner, outer *round }

func (r Ring) outline() outline {
	if math.IsNaN(float64(r.Inner)) {
		return roundOf(r.Center, -1)
	}
	return &double{inner: roundOf(r.Center, r.Inner), outer: roundOf(r.Center, r.Outer)}
}

func (o *double) relate(c cell) (relation, outline) {
	outer, _ := o.outer.relate(c)
	inner, _ := o.inner.relate(c)
	switch {
	case outer == apart || inner == within:
		return apart, o
	case inner == apart:
		return outer, o
	}
	return byHoop, o
}

func (o *double) finest() int { return o.outer.finest() }

// A zone is a disk on the unit sphere around the centre of a circle, or, if that
// were larger than a hemisphere, all but the disk opposite.
type zone struct {
	angle float64 // radians, less than 0 for no point at all
	sine  float64 // the squared sine of angle
	chord float64 // the squared chord of angle
	rest  bool
}

func zoneOf(angle float64) zone {
	z := zone{angle: angle}
	if angle > math.Pi/2 {
		z = zone{angle: math.Pi - angle, rest: true}
	}
	sine, half := math.Sin(z.angle), math.Sin(z.angle/2)
	z.sine, z.chord = sine*sine, 4*half*half
	return z
}

// apart reports whether no point of c is in the zone. It may fail to notice. The
// centre is that of the circle in the axes of the face.
func (z *zone) apart(c *cell, center r3.Vector) bool {
	if z.rest {
		return z.diskHolds(c, center.Mul(-1))
	}
	return z.diskApart(c, center)
}

// holds reports whether all points of c are in the zone. It may fail to notice.
func (z *zone) holds(c *cell, center r3.Vector) bool {
	if z.rest {
		return z.diskApart(c, center.Mul(-1))
	}
	return z.diskHolds(c, center)
}

// diskHolds: the disk is convex, so the vertices decide.
func (z *zone) diskHolds(c *cell, p r3.Vector) bool {
	if z.angle < 0 {
		return false
	}
	return squaredChord(p, c.u0, c.v0) < z.chord && squaredChord(p, c.u1, c.v1) < z.chord &&
		squaredChord(p, c.u0, c.v1) < z.chord && squaredChord(p, c.u1, c.v0) < z.chord
}

// diskApart: c lies on one side of the great circles through its edges. The
// disk is apart if it lies on the other side of one of them, or if its centre
// does for two, is nearest to their vertex, and that is not in the disk.
func (z *zone) diskApart(c *cell, p r3.Vector) bool {
	if z.angle < 0 {
		return true
	}
	u := beyond(p.X, p.Z, c.u0, c.u1)
	v := beyond(p.Y, p.Z, c.v0, c.v1)
	if u.square() > z.sine || v.square() > z.sine {
		return true
	}
	return p.Z > 0 && u.by > 0 && v.by > 0 && u.foot(p.Z, p.Y, v) && v.foot(p.Z, p.X, u) &&
		squaredChord(p, u.edge, v.edge) > z.chord
}

// An overshoot is by how much a point lies beyond one of two opposite edges: by
// nothing, if by is not positive.
type overshoot struct {
	edge, side float64 // the coordinate of the edge, and -1 or 1
	by         float64 // times the root of 1+edge² in excess
}

func beyond(x, z, lo, hi float64) overshoot {
	if by := lo*z - x; by > 0 {
		return overshoot{lo, -1, by}
	}
	return overshoot{hi, 1, x - hi*z}
}

// square returns the square of the sine of the angle between point and edge.
func (o *overshoot) square() float64 {
	if o.by <= 0 {
		return 0
	}
	return o.by * o.by / (1 + o.edge*o.edge)
}

// foot reports whether the foot of the perpendicular from the point to the
// edge, on which y stays the same, lies beyond another edge.
func (o *overshoot) foot(z, y float64, other overshoot) bool {
	z += o.edge * o.side * o.by / (1 + o.edge*o.edge)
	return z > 0 && other.side*(y-other.edge*z) > 0
}
