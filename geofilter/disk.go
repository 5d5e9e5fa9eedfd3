package geofilter

import "math"

// gone is the ID of a disk that is removed. No shape has it.
const gone = math.MaxUint32

// A disk is what a list holds of a circle: 24 bytes that decide for almost all
// points, in a ball around the centre. Within 50 km the chord is so good a
// measure of the geodesic that one point in thousands needs Contains.
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
