package geofilter

import "errors"

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
