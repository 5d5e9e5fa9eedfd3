package geofilter

import "math"

// A geodesic is the shortest line between two points. Its latitudes and its
// directions are those of a great circle on a sphere whose latitudes are the
// reduced ones of the ellipsoid; only its longitudes differ.
//
// The formulas are Vincenty's (Survey Review XXIII, 1975).
type geodesic struct {
	from         Point
	sin1, cos1   float64 // of the reduced latitude at its beginning
	sin2, cos2   float64 // and at its end
	turn         float64 // the longitude between them on the sphere
	angle        float64 // the length of the great circle
	sinAz, cosAz float64 // of where it crosses the equator: its azimuth; the cosine is squared
}

// geodesicOf returns the geodesic between two points, or false for points that
// are the same or almost opposite each other.
func geodesicOf(from, to Point) (geodesic, bool) {
	g := geodesic{from: from}
	g.sin1, g.cos1 = math.Sincos(reduced(from.Lat))
	g.sin2, g.cos2 = math.Sincos(reduced(to.Lat))
	turn := radians(wrap(to.Lon - from.Lon))
	g.turn = turn
	for range 100 {
		sin, cos := math.Sincos(g.turn)
		sinAngle := math.Hypot(g.cos2*sin, g.cos1*g.sin2-g.sin1*g.cos2*cos)
		if sinAngle == 0 {
			return geodesic{}, false
		}
		g.angle = math.Atan2(sinAngle, g.sin1*g.sin2+g.cos1*g.cos2*cos)
		g.sinAz = g.cos1 * g.cos2 * sin / sinAngle
		g.cosAz = 1 - g.sinAz*g.sinAz
		next := turn + g.excess(g.sin2, g.angle)
		if math.Abs(next) > math.Pi {
			return geodesic{}, false
		}
		if math.Abs(next-g.turn) < 1e-13 {
			return g, true
		}
		g.turn = next
	}
	return geodesic{}, false
}

// excess returns by how much the longitude on the sphere, from the beginning to a
// point on the way, is larger than that on the ellipsoid. It takes the sine of the point's
// reduced latitude, and the angle to it.
func (g *geodesic) excess(sinLat, angle float64) float64 {
	middle := 0.0 // the cosine of twice the angle from the equator to halfway
	if g.cosAz > 0 {
		middle = math.Cos(angle) - 2*g.sin1*sinLat/g.cosAz
	}
	c := flattening / 16 * g.cosAz * (4 + flattening*(4-3*g.cosAz))
	sin, cos := math.Sincos(angle)
	return (1 - c) * flattening * g.sinAz * (angle + c*sin*(middle+c*cos*(2*middle*middle-1)))
}

// at returns the point after a part of the geodesic.
func (g *geodesic) at(part float64) Point {
	sin, cos := math.Sincos(g.turn)
	after := part * g.angle
	a, b := math.Sin(g.angle-after)/math.Sin(g.angle), math.Sin(after)/math.Sin(g.angle)
	x, y, z := a*g.cos1+b*g.cos2*cos, b*g.cos2*sin, a*g.sin1+b*g.sin2
	lon := math.Atan2(y, x) - g.excess(z, after)
	return Point{
		Lat: math.Atan2(z, (1-flattening)*math.Hypot(x, y)) * (180 / math.Pi),
		Lon: g.from.Lon + lon*(180/math.Pi),
	}.Normal()
}
