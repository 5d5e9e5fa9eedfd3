package geofilter

import (
	"math"

	"github.com/golang/geo/s2"
)

// The least and the greatest radius of curvature of the ellipsoid, in metres. A
// line of length s on it turns its normal by s/maxCurvatureRadius to
// s/minCurvatureRadius radians: this is what ties distances to the unit
// sphere of normals, on which S2's cells are.
const (
	semiMinorAxis      = semiMajorAxis * (1 - flattening)
	minCurvatureRadius = semiMinorAxis * semiMinorAxis / semiMajorAxis
	maxCurvatureRadius = semiMajorAxis * semiMajorAxis / semiMinorAxis
)

// slack returns by how much Distance may differ from the length of a geodesic
// of about r metres, with a margin.
func slack(r float64) float64 {
	switch {
	case r < 90e3:
		return 0.02
	case r < 14_800e3:
		return 10
	default:
		return 100e3
	}
}

// unit returns the normal of the ellipsoid at p. A linear map takes normals to
// directions from the centre of the Earth, and so planes to planes: great
// circles between normals are the edges that Polygon promises.
func unit(p Point) s2.Point {
	p = p.Normal() // places have one normal each, not several that rounding makes
	return s2.PointFromLatLng(s2.LatLngFromDegrees(p.Lat, p.Lon))
}

// steps are the units of a position: in a metre there are so many.
const steps = 256

// A position is a place on the ellipsoid in steps from the centre of the
// Earth. Whole numbers of them fit an int32 and are good to 2 mm.
type position struct{ x, y, z float64 }

// positionOf returns where the ellipsoid has a normal.
func positionOf(normal s2.Point) position {
	const a2, b2 = semiMajorAxis * semiMajorAxis, semiMinorAxis * semiMinorAxis
	x, y, z := normal.X, normal.Y, normal.Z
	scale := steps / math.Sqrt(a2*(x*x+y*y)+b2*z*z)
	return position{a2 * scale * x, a2 * scale * y, b2 * scale * z}
}
