package geofilter

import "math"

// Meters is a distance.
type Meters float64

// The WGS 84 ellipsoid.
const (
	semiMajorAxis = 6378137.0
	flattening    = 1 / 298.257223563
)

// Distance returns the length of the geodesic between a and b by Andoyer's
// formula, which is of first order in the flattening: within 1 m of the true
// length up to 100 km, and within 15 ppm up to half way round the Earth. Near
// the antipodes, where geodesics are not unique, it may be some 30 km off.
func Distance(a, b Point) Meters {
	a, b = a.Normal(), b.Normal()
	lat1, lat2 := radians(a.Lat), radians(b.Lat)
	sinHalfLat, cosHalfLat := math.Sincos((lat2 - lat1) / 2)
	sinMeanLat, cosMeanLat := math.Sincos((lat1 + lat2) / 2)
	sinHalfLon := math.Sin(radians(b.Lon-a.Lon) / 2)

	// The spherical distance d by the haversine h, which keeps its digits for
	// near points where the arc cosine of Andoyer's paper loses them.
	h := sinHalfLat*sinHalfLat + math.Cos(lat1)*math.Cos(lat2)*sinHalfLon*sinHalfLon
	h = min(h, 1)
	d := 2 * math.Atan2(math.Sqrt(h), math.Sqrt(1-h))
	if d == 0 {
		return 0
	}

	// With K = (sin lat1 - sin lat2)^2 and L = (sin lat1 + sin lat2)^2:
	// a * (d - f/4 * (K*(d+3 sin d)/(1-cos d) + L*(d-3 sin d)/(1+cos d))).
	k := 2 * cosMeanLat * sinHalfLat
	l := 2 * sinMeanLat * cosHalfLat
	correction := k * k * (d + 3*math.Sin(d)) / (2 * h)
	if h < 1 {
		correction += l * l * (d - 3*math.Sin(d)) / (2 * (1 - h))
	}
	return Meters(semiMajorAxis * (d - flattening/4*correction))
}

func radians(degrees float64) float64 { return degrees * (math.Pi / 180) }
