package geofilter

import (
	"errors"

	"github.com/golang/geo/s1"
	"github.com/golang/geo/s2"
)

// ErrPolygonTooWide says that a polygon goes around the whole Earth, so that
// nobody can tell its inside from its outside.
var ErrPolygonTooWide = errors.New("the points of a polygon must leave one side of the Earth free")

// A Polygon is a closed line of geodesics, with what it encloses. Where it
// crosses itself, a point is inside if it is enclosed an odd number of times.
// Of the two sides of the line, the inside is the one away from the antipode
// of the vertices' centre. NewPolygon makes a polygon.
//
// An edge lies in the plane through its ends and the centre of the Earth. That
// is within 0.7 m of the geodesic where the ends are 100 km apart, and within
// 70 m where they are 1,000 km apart.
type Polygon struct {
	vertices []s2.Point
	outside  s2.Point // a point that is outside, opposite the centre
	corner   s2.Point // a point 90 degrees from outside
}

// edgeTolerance is the angle within which a point is on an edge: 6 micrometres
// on the ground, some times what rounding can move a point.
const edgeTolerance = s1.Angle(1e-12)

// NewPolygon returns the polygon of these vertices, of which there are at
// least three. The last is joined to the first.
func NewPolygon(vertices []Point) (Polygon, error) {
	var polygon Polygon
	var center s2.Point
	for _, v := range vertices {
		p := unit(v)
		polygon.vertices = append(polygon.vertices, p)
		center.Vector = center.Add(p.Vector)
	}
	if center.Norm() < 1e-9*float64(len(vertices)) {
		return Polygon{}, ErrPolygonTooWide
	}
	polygon.outside = s2.Point{Vector: center.Normalize().Mul(-1)}
	polygon.corner = s2.Point{Vector: polygon.outside.Ortho()}
	return polygon, nil
}

// Contains reports whether p is in the polygon or on its edge.
func (g Polygon) Contains(p Point) bool {
	if !p.Valid() {
		return false
	}
	target := unit(p)
	return g.onEdge(target) || g.encloses(target)
}

// edge returns the edge that ends at a vertex.
func (g Polygon) edge(i int) (from, to s2.Point) {
	if i == 0 {
		return g.vertices[len(g.vertices)-1], g.vertices[0]
	}
	return g.vertices[i-1], g.vertices[i]
}

// encloses reports whether a point that is on no edge is inside.
func (g Polygon) encloses(target s2.Point) bool {
	// Walk from outside to p and count the edges on the way. A segment of
	// almost 180 degrees would not be well defined, so a far point is reached
	// around a corner.
	if g.outside.Dot(target.Vector) > -0.5 {
		return g.crossings(g.outside, target)%2 == 1
	}
	return (g.crossings(g.outside, g.corner)+g.crossings(g.corner, target))%2 == 1
}

func (g Polygon) onEdge(p s2.Point) bool {
	from := g.vertices[len(g.vertices)-1]
	for _, to := range g.vertices {
		if s2.DistanceFromSegment(p, from, to) <= edgeTolerance {
			return true
		}
		from = to
	}
	return false
}

// crossings counts the edges that cross the segment from a to b. A segment
// through a vertex is counted consistently, once or not at all.
func (g Polygon) crossings(a, b s2.Point) int {
	count := 0
	crosser := s2.NewChainEdgeCrosser(a, b, g.vertices[len(g.vertices)-1])
	for _, v := range g.vertices {
		if crosser.EdgeOrVertexChainCrossing(v) {
			count++
		}
	}
	return count
}
