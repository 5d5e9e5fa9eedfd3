package geofilter

import (
	"cmp"
	"errors"
	"iter"
	"math"
	"slices"

	"github.com/golang/geo/r3"
	"github.com/golang/geo/s1"
	"github.com/golang/geo/s2"
)

// A part of a polygon is bounded by closed lines. How often these go around a
// point is how often they do around the origin, and what a way from there
// crosses.
type part struct {
	edges  []s2.Edge
	origin s2.Point // a point on no edge
	corner s2.Point // a point 90 degrees from origin
	turns  int      // how often the lines go around origin, to the left
	// clean is whether no lines cross. Their directions mean nothing then: a point
	// is inside if they go around it an odd number of times, and if not, any.
	clean bool
}

// edgeTolerance is the angle within which a point is on an edge: 6 micrometres
// on the ground, some times what rounding can move a point.
const edgeTolerance = s1.Angle(1e-12)

// distinct returns the normals at vertices, without those that repeat the one
// before, around the ring. One is left at least.
func distinct(vertices []Point) []s2.Point {
	var points []s2.Point
	for _, v := range vertices {
		if p := unit(v); len(points) == 0 || points[len(points)-1] != p {
			points = append(points, p)
		}
	}
	for len(points) > 1 && points[0] == points[len(points)-1] {
		points = points[:len(points)-1]
	}
	return points
}

// newPart returns what one line encloses.
func newPart(vertices []s2.Point) (*part, error) {
	g := &part{}
	var center r3.Vector
	from := vertices[len(vertices)-1]
	for _, to := range vertices {
		if from.Add(to.Vector).Norm() < 1e-9 {
			return nil, ErrEdgeTooLong
		}
		g.edges = append(g.edges, s2.Edge{V0: from, V1: to})
		center = center.Add(to.Vector)
		from = to
	}
	center = center.Normalize()
	oneSided := !slices.ContainsFunc(vertices, func(v s2.Point) bool { return v.Dot(center) < 1e-9 })
	if oneSided {
		// A hemisphere holds the line, so that what is opposite is outside.
		g.startAt(center.Mul(-1))
		return g, nil
	}
	return g, g.measure(vertices)
}

func (g *part) startAt(origin r3.Vector) {
	g.origin = s2.Point{Vector: origin}
	g.corner = s2.Point{Vector: origin.Ortho()}
}

// measure finds out which side of a long line is the smaller one.
func (g *part) measure(vertices []s2.Point) error {
	if len(vertices) < 3 {
		return ErrPolygonTooWide
	}
	switch err := checkCrossings(g.edges); {
	case errors.Is(err, ErrTangled):
		return err
	case err != nil:
		return ErrPolygonTooWide
	}
	g.clean = true
	loop := s2.LoopFromPoints(vertices)
	area := loop.Area()
	if math.Abs(area-2*math.Pi) < 1e-6 {
		return ErrPolygonTooWide
	}
	// Any point will do that is not near an edge.
	for _, candidate := range []r3.Vector{{X: 1}, {Y: 1}, {Z: 1}, {X: 1, Y: 1, Z: 1}, {X: -1, Y: 1, Z: 2}, {X: -1, Y: -2, Z: 1}} {
		p := s2.Point{Vector: candidate.Normalize()}
		if g.near(p, 1e-3) {
			continue
		}
		g.startAt(p.Vector)
		if loop.ContainsPoint(p) != (area > 2*math.Pi) {
			g.turns = 1
		}
		return nil
	}
	return ErrPolygonTooWide
}

func (g *part) contains(p s2.Point) bool { return g.onEdge(p) || g.encloses(p) }

func (g *part) onEdge(p s2.Point) bool { return g.near(p, edgeTolerance) }

// near reports whether an edge is within a small angle of p.
func (g *part) near(p s2.Point, angle s1.Angle) bool {
	return slices.ContainsFunc(g.edges, func(e s2.Edge) bool { return nearEdge(p, e, angle) })
}

func nearEdge(p s2.Point, e s2.Edge, angle s1.Angle) bool {
	// Most points are not even near the great circle. Its normal here is not
	// longer than 1, and math.Sin(angle) not than angle.
	if math.Abs(e.V0.Cross(e.V1.Vector).Dot(p.Vector)) > float64(angle)+1e-15 {
		return false
	}
	return s2.DistanceFromSegment(p, e.V0, e.V1) <= angle
}

// encloses reports whether a point that is on no edge is inside.
func (g *part) encloses(p s2.Point) bool {
	return g.holds(g.turnsAround(p))
}

// holds reports whether a point is inside around which the lines go so often.
func (g *part) holds(turns int) bool {
	if g.clean {
		return turns%2 != 0
	}
	return turns != 0
}

// turnsAround returns how often the lines go around a point that is on no edge.
func (g *part) turnsAround(p s2.Point) int {
	// A segment of almost 180 degrees would not be well defined, so a far point
	// is reached around a corner.
	if g.origin.Dot(p.Vector) > -0.5 {
		return g.turns + g.crossings(g.origin, p, g.all)
	}
	return g.turns + g.crossings(g.origin, g.corner, g.all) + g.crossings(g.corner, p, g.all)
}

// keeps reports whether a line that does not cross g's is inside, or outside,
// or touches it, given the vertices that lines share.
func (g *part) keeps(inside bool, line *part, shared map[s2.Point]bool) bool {
	sure := false // that the vertex before is on the right side, and not on an edge
	for _, e := range line.edges {
		if sure && !shared[e.V0] {
			continue // a line changes sides at a vertex that both have, if at all
		}
		onEdge := g.onEdge(e.V0)
		if !onEdge && g.encloses(e.V0) != inside {
			return false
		}
		sure = !onEdge
	}
	return true
}

// sharedVertices returns the vertices that occur twice.
func sharedVertices(edges []s2.Edge) map[s2.Point]bool {
	shared := make(map[s2.Point]bool, len(edges))
	for _, e := range edges {
		_, shared[e.V0] = shared[e.V0]
	}
	return shared
}

// crossings returns how many more of some edges the segment from a to b crosses to
// their left than to their right. A segment through a vertex is counted consistently.
func (g *part) crossings(a, b s2.Point, edges iter.Seq[int32]) int {
	n := 0
	crosser := s2.NewEdgeCrosser(a, b)
	for i := range edges {
		e := &g.edges[i]
		switch crosser.CrossingSign(e.V0, e.V1) {
		case s2.DoNotCross:
		case s2.Cross:
			if s2.RobustSign(e.V0, e.V1, b) == s2.CounterClockwise {
				n++
			} else {
				n--
			}
		case s2.MaybeCross:
			switch {
			case !s2.VertexCrossing(a, b, e.V0, e.V1):
			case a == e.V0 || b == e.V1:
				n++
			default:
				n--
			}
		}
	}
	return n
}

// meets reports whether a leg meets some of the edges.
func (g *part) meets(l *leg, edges iter.Seq[int32]) bool {
	crosser := s2.NewEdgeCrosser(l.edge.V0, l.edge.V1)
	for i := range edges {
		e := g.edges[i]
		if crosser.CrossingSign(e.V0, e.V1) != s2.DoNotCross || nearEdge(e.V0, l.edge, edgeTolerance) {
			return true
		}
	}
	return false
}

// all are the indexes of all edges.
func (g *part) all(yield func(int32) bool) {
	for i := range int32(len(g.edges)) {
		if !yield(i) {
			return
		}
	}
}

// middleOf returns the middle of the chord of an edge, and half its length. All
// of the edge is in the ball that this is.
func middleOf(e s2.Edge) (middle r3.Vector, half float64) {
	middle = e.V0.Add(e.V1.Vector).Mul(0.5)
	return middle, e.V0.Sub(middle).Norm()
}

// maxNearPairs is how many pairs of edges may be near each other. A thousand
// edges of a coast have a few thousand; that all of them pass one another takes
// design.
const maxNearPairs = 10_000

// checkCrossings returns ErrRingsCross if two edges cross, not counting common
// ends, and ErrTangled if there are too many to see.
func checkCrossings(edges []s2.Edge) error {
	type ball struct {
		s2.Edge
		middle   r3.Vector
		from, to float64
		half     float64
	}
	along := widest(edges)
	balls := make([]ball, len(edges))
	for i, e := range edges {
		middle, half := middleOf(e)
		balls[i] = ball{e, middle, along(middle) - half, along(middle) + half, half}
	}
	slices.SortFunc(balls, func(a, b ball) int { return cmp.Compare(a.from, b.from) })
	pairs := 0
	for i, a := range balls {
		crosser := s2.NewEdgeCrosser(a.V0, a.V1)
		for j := i + 1; j < len(balls) && balls[j].from <= a.to; j++ {
			b := &balls[j]
			if a.middle.Sub(b.middle).Norm2() > (a.half+b.half)*(a.half+b.half) {
				continue
			}
			if pairs++; pairs > maxNearPairs {
				return ErrTangled
			}
			if crosser.CrossingSign(b.V0, b.V1) == s2.Cross {
				return ErrRingsCross
			}
		}
	}
	return nil
}

// widest returns the coordinate in which edges lie the farthest apart.
func widest(edges []s2.Edge) func(r3.Vector) float64 {
	low, high := edges[0].V0.Vector, edges[0].V0.Vector
	for _, e := range edges {
		v := e.V0.Vector
		low = r3.Vector{X: min(low.X, v.X), Y: min(low.Y, v.Y), Z: min(low.Z, v.Z)}
		high = r3.Vector{X: max(high.X, v.X), Y: max(high.Y, v.Y), Z: max(high.Z, v.Z)}
	}
	switch high.Sub(low).LargestComponent() {
	case r3.XAxis:
		return func(v r3.Vector) float64 { return v.X }
	case r3.YAxis:
		return func(v r3.Vector) float64 { return v.Y }
	default:
		return func(v r3.Vector) float64 { return v.Z }
	}
}
