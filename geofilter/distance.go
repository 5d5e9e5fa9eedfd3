package geofilter

import "math"

// Meters is a distance.
type Meters float64

// The WGS 84 ellipsoid.
const (
	semiMajorAxis = 6378137.0
	flattening    = 1 / 298.257223563
)

// farAway is the angle from which the second-order term of Distance would
// diverge: 172 degrees, 19,000 km.
const farAway = 3.0

// Distance returns the length of the geodesic between a and b: within a
// centimetre up to 100 km, and within 5 m up to 15,000 km. Near the antipodes,
// where geodesics are not unique, it may be some 30 km off.
//
// It is the formula of Andoyer, Lambert and Thomas (P. D. Thomas, Spheroidal
// Geodesics, Reference Systems and Local Geometry, 1970), of second order in
// the flattening. Koncorde stops at the first order, which is 1.3 m off at
// 100 km.
func Distance(a, b Point) Meters {
	a, b = a.Normal(), b.Normal()
	// Reduced latitudes: those of the points on a sphere around the ellipsoid.
	lat1, lat2 := reduced(a.Lat), reduced(b.Lat)
	sinMean, cosMean := math.Sincos((lat1 + lat2) / 2)
	sinHalf, cosHalf := math.Sincos((lat2 - lat1) / 2)
	sinHalfLon := math.Sin(radians(b.Lon-a.Lon) / 2)

	// The angle d by its haversine, which keeps its digits for near points.
	haversine := sinHalf*sinHalf + (cosMean*cosMean-sinHalf*sinHalf)*sinHalfLon*sinHalfLon
	haversine = max(0, min(haversine, 1))
	d := 2 * math.Atan2(math.Sqrt(haversine), math.Sqrt(1-haversine))
	if d == 0 {
		return 0
	}
	v := 2 * sinHalf * sinHalf * cosMean * cosMean / haversine
	u := 0.0
	if haversine < 1 {
		u = 2 * sinMean * sinMean * cosHalf * cosHalf / (1 - haversine)
	}
	x, y := u+v, u-v
	sinD, cosD := math.Sincos(d)
	length := d - flattening/4*(d*x-sinD*y)
	if d < farAway {
		length += flattening * flattening / 64 * sinD * secondOrder(x, y, d/sinD, cosD)
	}
	return Meters(semiMajorAxis * length)
}

// secondOrder is the term of Thomas's formula in the square of the flattening.
func secondOrder(x, y, t, cosD float64) float64 {
	d := 4 * t * t
	e := 2 * cosD
	a := d * e
	c := t - (a-e)/2
	return x*(a+c*x) - y*(2*d+e*y) + d*x*y
}

// reduced returns the reduced latitude in radians of a latitude in degrees.
func reduced(lat float64) float64 {
	sin, cos := math.Sincos(radians(lat))
	return math.Atan2((1-flattening)*sin, cos)
}

func radians(degrees float64) float64 { return degrees * (math.Pi / 180) }
