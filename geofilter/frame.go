package geofilter

import (
	"math"

	"github.com/golang/geo/s1"
	"github.com/golang/geo/s2"
)

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

func (o *frame) relate(c cell) (relation, outline) {
	around := c.rect()
	switch {
	case !around.Intersects(o.rect):
		return apart, o
	case o.rect.Contains(around):
		return within, o
	}
	return byBox, o
}

func (o *frame) finest() int {
	widest := math.Cos(max(0, o.rect.Lat.Lo, -o.rect.Lat.Hi))
	return finestFor(s1.Angle(2*(o.rect.Lat.Length()+widest*o.rect.Lng.Length())), pieces)
}
