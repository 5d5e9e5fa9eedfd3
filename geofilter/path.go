package geofilter

import (
	"math"

	"github.com/golang/geo/s2"
)

// A path is the geodesic between two points, in legs that are so short that a
// plane through the centre of the Earth holds each, within 20 cm.
type path struct {
	from, to Point
	legs     []leg // none if nothing is between from and to
}

// longest is how long a leg may be, in metres.
const longest = 50e3

// A leg is a part of a path.
type leg struct {
	edge     s2.Edge
	ends     [2]Point
	from, to position
	bulge    float64 // by how many steps it leaves the straight line at most
}

// pathOf returns the path between two points. There is none if one of them is
// not valid, or if they are so nearly opposite each other that the geodesic is
// not to be found.
func pathOf(from, to Point) (path, bool) {
	if !from.Valid() || !to.Valid() {
		return path{}, false
	}
	p := path{from: from.Normal(), to: to.Normal()}
	stops := []Point{p.from}
	if n := int(math.Ceil(float64(Distance(from, to)) / longest)); n > 1 {
		g, ok := geodesicOf(p.from, p.to)
		if !ok {
			return path{}, false
		}
		for i := 1; i < n; i++ {
			stops = append(stops, g.at(float64(i)/float64(n)))
		}
	}
	stops = append(stops, p.to)
	for i, stop := range stops[1:] {
		if l := legOf(stops[i], stop); l.edge.V0 != l.edge.V1 {
			p.legs = append(p.legs, l)
		}
	}
	return p, true
}

func legOf(a, b Point) leg {
	l := leg{edge: s2.Edge{V0: unit(a), V1: unit(b)}, ends: [2]Point{a, b}}
	l.from, l.to = positionOf(l.edge.V0), positionOf(l.edge.V1)
	x, y, z := l.to.x-l.from.x, l.to.y-l.from.y, l.to.z-l.from.z
	l.bulge = 1.01 * (x*x + y*y + z*z) / (8 * steps * minCurvatureRadius)
	return l
}

// at returns the point after a part of the leg.
func (l *leg) at(part float64) Point {
	ll := s2.LatLngFromPoint(s2.Point{Vector: l.edge.V0.Mul(1 - part).Add(l.edge.V1.Mul(part))})
	return Point{Lat: ll.Lat.Degrees(), Lon: ll.Lng.Degrees()}
}

// passes reports whether the leg has a point in c, or about as near as computed
// points are to where they should be.
func (l *leg) passes(c *cell) bool {
	const margin = 1e-11
	a, b := onFace(c.face, l.edge.V0), onFace(c.face, l.edge.V1)
	// From the centre of the Earth the leg looks like its chord, of which four
	// planes cut off what is not in c.
	first, last := 0.0, 1.0
	for _, side := range [...][2]float64{
		{a.X - c.u0*a.Z, b.X - c.u0*b.Z}, {c.u1*a.Z - a.X, c.u1*b.Z - b.X},
		{a.Y - c.v0*a.Z, b.Y - c.v0*b.Z}, {c.v1*a.Z - a.Y, c.v1*b.Z - b.Y},
	} {
		from, to := side[0]+margin, side[1]+margin
		switch {
		case from < 0 && to < 0:
			return false
		case from < 0:
			first = max(first, from/(from-to))
		case to < 0:
			last = min(last, from/(from-to))
		}
	}
	return first <= last
}

// in returns the legs from the first to the last one that passes c.
func in(c *cell, legs []leg) []leg {
	for len(legs) > 0 && !legs[0].passes(c) {
		legs = legs[1:]
	}
	for len(legs) > 0 && !legs[len(legs)-1].passes(c) {
		legs = legs[:len(legs)-1]
	}
	return legs
}

// meets reports whether the geodesic from a to b has a point in s.
func meets(s Shape, a, b Point) bool {
	p, ok := pathOf(a, b)
	if !ok {
		return false
	}
	if s.Contains(p.from) || s.Contains(p.to) {
		return true
	}
	for i := range p.legs {
		if s.meets(&p.legs[i]) {
			return true
		}
	}
	return false
}
