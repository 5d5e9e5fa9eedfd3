package geofilter

import "math"

// gone is the ID of a disk that is removed. No shape has it.
const gone = math.MaxUint32

// A disk is what can be said of a circle without its geodesics: 24 bytes that
// decide for almost all points, in a ball around the centre. Within 50 km the
// chord is so good a measure of the geodesic that one point in thousands needs
// Contains. Most are kept as chips.
type disk struct {
	x, y, z int32 // the centre, a position
	in, out float32
	id      uint32 // or gone: to be read atomically
}

func makeDisk(id uint32, o *round) disk {
	center := positionOf(o.center)
	in, out := squares(o.radius)
	return disk{
		x: int32(math.Round(center.x)), y: int32(math.Round(center.y)), z: int32(math.Round(center.z)),
		in: in, out: out, id: id,
	}
}

// squares returns the squares of two lengths, in steps: that of a chord with
// which a geodesic from the centre to a point is surely not longer than r
// metres, and that of a chord with which it surely is not shorter.
func squares(r float64) (in, out float32) {
	const (
		half = math.Pi / 2
		near = 0.01 // metres: positions are rounded
		wide = 1 + 1e-6
	)
	out = math.MaxFloat32
	if angle := (r + slack(r)) / (2 * maxCurvatureRadius); angle < half {
		longest := 2*maxCurvatureRadius*math.Sin(angle) + near
		out = float32(steps * steps * longest * longest * wide)
	}
	in = -1
	if angle := (r - slack(r)) / (2 * minCurvatureRadius); angle < half {
		shortest := 2*minCurvatureRadius*math.Sin(angle) - near
		if shortest > 0 {
			in = float32(steps * steps * shortest * shortest / wide)
		}
	}
	return in, out
}

// tell returns within or apart, or byDisk if the point is too near to the edge to
// tell.
func (d *disk) tell(at *position) relation {
	switch square := float32(d.square(at)); {
	case square > d.out:
		return apart
	case square < d.in:
		return within
	}
	return byDisk
}

// along says of a leg what tell says of a point: within if the leg has a point
// in the disk, apart if it has none.
func (d *disk) along(l *leg) relation {
	// From the centre to the leg's beginning, and from there to its end.
	x, y, z := l.from.x-float64(d.x), l.from.y-float64(d.y), l.from.z-float64(d.z)
	u, v, w := l.to.x-l.from.x, l.to.y-l.from.y, l.to.z-l.from.z
	part := max(0, min(1, -(x*u+y*v+z*w)/(u*u+v*v+w*w)))
	x, y, z = x+part*u, y+part*v, z+part*w
	switch distance := math.Sqrt(x*x + y*y + z*z); {
	case distance-l.bulge > math.Sqrt(float64(d.out)):
		return apart
	case distance+l.bulge < math.Sqrt(max(0, float64(d.in))):
		return within
	}
	return byDisk
}

// square returns the square of the chord from the centre to a point.
func (d *disk) square(at *position) float64 {
	x, y, z := at.x-float64(d.x), at.y-float64(d.y), at.z-float64(d.z)
	return x*x + y*y + z*z
}

// A hoop is what a list holds of a ring with both edges in the cell.
type hoop struct{ inner, outer disk }

func (h *hoop) tell(at *position) relation {
	inner, outer := h.inner.tell(at), h.outer.tell(at)
	switch {
	case inner == within || outer == apart:
		return apart
	case inner == apart && outer == within:
		return within
	}
	return byHoop
}

// A crate is what a list holds of a box.
type crate struct {
	box Box
	id  uint32
}
