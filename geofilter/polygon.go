package geofilter

import (
	"errors"
	"fmt"
	"slices"

	"github.com/golang/geo/s2"
)

var (
	// ErrPolygonTooWide says that a line goes around the whole Earth, so that
	// nobody can tell its inside from its outside.
	ErrPolygonTooWide = errors.New("the points of a polygon must leave one side of the Earth free")
	// ErrEdgeTooLong says that two points are opposite each other on the Earth,
	// so that nobody can tell the way from one to the other.
	ErrEdgeTooLong = errors.New("an edge of a polygon must be shorter than half the way around the Earth")
	// ErrRingTooShort says that a line has less than three different points.
	ErrRingTooShort = errors.New("a ring needs three different points")
	// ErrRingsCross says that a ring crosses itself or another of its polygon.
	ErrRingsCross = errors.New("the rings of a polygon must not cross")
	// ErrTangled says that so many edges lie close to each other that it would
	// take long to see whether any cross.
	ErrTangled = fmt.Errorf("the limit of %d pairs of edges that are near each other is exceeded", maxNearPairs)
	// ErrHole says that a hole lies outside its polygon or in another hole.
	ErrHole = errors.New("a hole must lie in its polygon and in no other hole")
)

// A Polygon is what some closed lines of geodesics enclose. NewPolygon and
// NewMultiPolygon make one.
//
// Of the two sides of a line, the inside is the smaller one, whatever its
// direction. An edge lies in the plane through its ends and the centre of the
// Earth. That is within 0.7 m of the geodesic where the ends are 100 km apart,
// and within 70 m where they are 1,000 km apart.
type Polygon struct {
	parts []*part // a point in any of them is in the polygon
}

// NewPolygon returns the polygon of these vertices. The last is joined to the
// first. Where the line crosses itself, a point is inside if it goes around it, be
// it several times; once in each direction is not around it. A line that encloses nothing is a polygon, too: it
// contains its edge.
//
// The errors are ErrRingTooShort for less than three vertices, ErrEdgeTooLong
// and ErrPolygonTooWide.
func NewPolygon(vertices []Point) (Polygon, error) {
	if len(vertices) < 3 {
		return Polygon{}, ErrRingTooShort
	}
	line, err := newPart(distinct(vertices))
	if err != nil {
		return Polygon{}, err
	}
	return Polygon{parts: []*part{line}}, nil
}

// NewMultiPolygon returns the union of some polygons, each of which is a ring
// and then its holes. The last vertex of a ring is joined to the first, or is the
// same, as in GeoJSON; points that repeat the one before are dropped.
//
// A ring that is not clean has no inside that everybody would agree on. So it is
// refused: the error wraps one of this file and says where.
func NewMultiPolygon(polygons [][][]Point) (Polygon, error) {
	var g Polygon
	for i, rings := range polygons {
		p, err := newPartWithHoles(rings)
		if err != nil {
			return Polygon{}, fmt.Errorf("polygon %d: %w", i, err)
		}
		g.parts = append(g.parts, p)
	}
	return g, nil
}

func newPartWithHoles(rings [][]Point) (*part, error) {
	if len(rings) == 0 {
		return nil, ErrRingTooShort
	}
	var parts []*part
	for i, ring := range rings {
		vertices := distinct(ring)
		if len(vertices) < 3 {
			return nil, fmt.Errorf("ring %d: %w", i, ErrRingTooShort)
		}
		p, err := newPart(vertices)
		if err != nil {
			return nil, fmt.Errorf("ring %d: %w", i, err)
		}
		parts = append(parts, p)
	}
	whole := *parts[0]
	whole.clean = true
	for _, hole := range parts[1:] {
		whole.edges = append(whole.edges, hole.edges...)
	}
	if err := checkCrossings(whole.edges); err != nil {
		return nil, err
	}
	shared := sharedVertices(whole.edges)
	for i, hole := range parts[1:] {
		if !fits(hole, parts[0], parts[1:1+i], shared) {
			return nil, fmt.Errorf("ring %d: %w", 1+i, ErrHole)
		}
		if hole.encloses(whole.origin) {
			whole.turns++
		}
	}
	return &whole, nil
}

// fits reports whether a hole is in its ring, and apart from other holes. Their
// edges do not cross.
func fits(hole, ring *part, others []*part, shared map[s2.Point]bool) bool {
	return ring.keeps(true, hole, shared) && !slices.ContainsFunc(others, func(other *part) bool {
		return !other.keeps(false, hole, shared) || !hole.keeps(false, other, shared)
	})
}

// Contains reports whether p is in the polygon or on its edge.
func (g Polygon) Contains(p Point) bool {
	if !p.Valid() {
		return false
	}
	target := unit(p)
	for _, part := range g.parts {
		if part.contains(target) {
			return true
		}
	}
	return false
}

// Meets reports whether the geodesic from a to b has a point in the polygon.
func (g Polygon) Meets(a, b Point) bool { return meets(g, a, b) }

func (g Polygon) meets(l *leg) bool {
	for _, p := range g.parts {
		if p.meets(l, p.all) {
			return true
		}
	}
	return false
}
