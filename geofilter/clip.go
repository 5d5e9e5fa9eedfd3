package geofilter

import (
	"math"
	"slices"

	"github.com/golang/geo/s1"
	"github.com/golang/geo/s2"
)

// A clip is what matters of a polygon in a cell: the edges that may be in it,
// and how often they go around the cell's centre. A point of the cell is then a few
// edges away from the centre, however many the polygon has.
//
// It is also the outline of the polygon for the cells in the cell.
type clip struct {
	center s2.Point
	whole  bool // this is not in a cell yet, but all of the polygon
	pieces []piece
	level  int // the finest
}

// A piece is what matters of a part of a polygon that has edges in the cell. If
// the cell lies in another part, there is no clip.
type piece struct {
	part  *part
	edges []int32
	turns int // around the centre
}

func (g Polygon) outline() outline {
	o := &clip{whole: true}
	length, n := s1.Angle(rounding), 0
	for _, p := range g.parts {
		o.pieces = append(o.pieces, piece{part: p, edges: slices.Collect(p.all)})
		for _, e := range p.edges {
			length += e.V0.Distance(e.V1)
			n++
		}
	}
	// Many edges are worth many cells: a cell should have few of them.
	o.level = finestFor(length, max(pieces, n/2))
	return o
}

func (o *clip) finest() int { return o.level }

func (o *clip) relate(c cell) (relation, outline) {
	center, radius := c.disk()
	inner := &clip{center: center, level: o.level}
	for i := range o.pieces {
		p := &o.pieces[i]
		q := piece{part: p.part, edges: p.near(center, radius)}
		if o.whole {
			q.turns = p.part.turnsAround(center)
		} else {
			q.turns = p.turns + p.part.crossings(o.center, center, slices.Values(p.edges))
		}
		switch {
		case len(q.edges) > 0:
			inner.pieces = append(inner.pieces, q)
		case q.part.holds(q.turns):
			return within, inner
		}
	}
	if len(inner.pieces) == 0 {
		return apart, inner
	}
	return byClip, inner
}

// near returns the edges that may pass a disk.
func (q *piece) near(center s2.Point, radius float64) []int32 {
	var near []int32
	angle := edgeTolerance + 2*s1.Angle(math.Asin(min(1, radius/2)))
	for _, i := range q.edges {
		e := q.part.edges[i]
		middle, half := middleOf(e)
		if middle.Sub(center.Vector).Norm() > half+radius+rounding+float64(edgeTolerance) {
			continue
		}
		// Where cells are large, an end tells it at once.
		if e.V0.Sub(center.Vector).Norm() <= radius || s2.DistanceFromSegment(center, e.V0, e.V1) <= angle {
			near = append(near, i)
		}
	}
	return slices.Clone(near)
}

// contains reports whether the polygon contains a point of the cell.
func (o *clip) contains(p s2.Point) bool {
	for i := range o.pieces {
		q := &o.pieces[i]
		for _, i := range q.edges {
			if nearEdge(p, q.part.edges[i], edgeTolerance) {
				return true
			}
		}
		if q.part.holds(q.turns + q.part.crossings(o.center, p, slices.Values(q.edges))) {
			return true
		}
	}
	return false
}

// meets reports whether a leg meets the polygon's edges in the cell.
func (o *clip) meets(l *leg) bool {
	for i := range o.pieces {
		if q := &o.pieces[i]; q.part.meets(l, slices.Values(q.edges)) {
			return true
		}
	}
	return false
}

// weight returns how much work the clip is, where a disk is 1.
func (o *clip) weight() int {
	n := 0
	for i := range o.pieces {
		n += len(o.pieces[i].edges)
	}
	return 1 + n/2
}
