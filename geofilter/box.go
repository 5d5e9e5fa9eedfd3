package geofilter

import (
	"errors"
	"math"
)

var (
	// ErrBoxHeight says that the bottom of a box is not below its top, or that
	// one of them is not a latitude.
	ErrBoxHeight = errors.New("the bottom of a box must be below its top")
	// ErrBoxWidth says that the left and right edges of a box are the same
	// meridian, or that one of them is not a longitude.
	ErrBoxWidth = errors.New("the left and right edges of a box must differ")
)

// A Box lies between two parallels and two meridians. NewBox makes one.
//
// A pole is the meridian that names it: a box from 10 to 20 degrees east that
// reaches up to 90 degrees contains the pole at longitude 15, not at 100.
type Box struct {
	Top, Left, Bottom, Right float64 // degrees, longitudes in [-180, 180)
}

// The whole width of the Earth, as edges that wrap would make equal.
const (
	westmost = -180
	eastmost = 180
)

// NewBox returns the box that goes from left eastward to right. So 170 to -170
// and 170 to 190 are the same 20 degrees across the antimeridian, and a box of
// 360 degrees or more goes all the way round.
func NewBox(top, left, bottom, right float64) (Box, error) {
	if !(Point{Lat: top}).Valid() || !(Point{Lat: bottom}).Valid() || bottom >= top {
		return Box{}, ErrBoxHeight
	}
	if !(Point{Lon: left}).Valid() || !(Point{Lon: right}).Valid() {
		return Box{}, ErrBoxWidth
	}
	box := Box{Top: top, Left: westmost, Bottom: bottom, Right: eastmost}
	if right-left >= 360 {
		return box, nil
	}
	box.Left, box.Right = wrap(left), wrap(right)
	if box.Left == box.Right {
		return Box{}, ErrBoxWidth
	}
	return box, nil
}

// Contains reports whether p is in the box or on its edge.
func (b Box) Contains(p Point) bool {
	if !p.Valid() || p.Lat < b.Bottom || p.Lat > b.Top {
		return false
	}
	lon := wrap(p.Lon)
	if b.Left < b.Right {
		return lon >= b.Left && lon <= b.Right
	}
	return lon >= b.Left || lon <= b.Right
}

// Meets reports whether the geodesic from a to b has a point in the box.
func (b Box) Meets(from, to Point) bool { return meets(b, from, to) }

// meets looks for the points at which the leg crosses an edge.
func (b Box) meets(l *leg) bool {
	full := b.Left == westmost && b.Right == eastmost
	if !full && (b.meetsMeridian(l, b.Left) || b.meetsMeridian(l, b.Right)) {
		return true
	}
	return b.meetsParallel(l, b.Bottom) || b.meetsParallel(l, b.Top)
}

// meetsMeridian reports whether a leg meets the edge that is on a meridian.
func (b Box) meetsMeridian(l *leg, lon float64) bool {
	sin, cos := math.Sincos(radians(lon))
	from := cos*l.edge.V0.Y - sin*l.edge.V0.X
	to := cos*l.edge.V1.Y - sin*l.edge.V1.X
	if math.Abs(from) < rounding && math.Abs(to) < rounding {
		// The leg is on the meridian, or on that opposite.
		return cos*l.edge.V0.X+sin*l.edge.V0.Y >= 0 &&
			min(l.ends[0].Lat, l.ends[1].Lat) <= b.Top && max(l.ends[0].Lat, l.ends[1].Lat) >= b.Bottom
	}
	if from*to > 0 {
		return false
	}
	p := l.edge.V0.Mul(math.Abs(to)).Add(l.edge.V1.Mul(math.Abs(from)))
	lat := math.Atan2(p.Z, math.Hypot(p.X, p.Y))
	return cos*p.X+sin*p.Y >= 0 && lat >= radians(b.Bottom)-rounding && lat <= radians(b.Top)+rounding
}

// meetsParallel reports whether a leg meets the edge that is on a parallel.
func (b Box) meetsParallel(l *leg, lat float64) bool {
	u := l.edge.V0.Vector
	v := l.edge.V1.Sub(u)
	v = v.Sub(u.Mul(v.Dot(u))).Normalize()
	// The leg is u·cos t + v·sin t, so that its height over the equator is a
	// cosine of t.
	away := math.Acos(math.Sin(radians(lat)) / math.Hypot(u.Z, v.Z))
	if math.IsNaN(away) {
		return false
	}
	highest := math.Atan2(v.Z, u.Z)
	length := 2 * math.Asin(min(1, l.edge.V1.Sub(u).Norm()/2))
	for _, t := range [...]float64{highest - away, highest + away} {
		t = math.Remainder(t, 2*math.Pi)
		if t < -rounding || t > length+rounding {
			continue
		}
		p := u.Mul(math.Cos(t)).Add(v.Mul(math.Sin(t)))
		lon := math.Atan2(p.Y, p.X) * (180 / math.Pi)
		if b.Contains(Point{Lat: b.Top, Lon: lon}) {
			return true
		}
	}
	return false
}
