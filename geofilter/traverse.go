package geofilter

import (
	"math"

	"github.com/golang/geo/s1"
	"github.com/golang/geo/s2"
)

// A traverse is the outline of a polygon: the edges that may be in a cell.
type traverse struct {
	polygon *Polygon
	edges   []int // by the index of the vertex at which they end
}

func (g Polygon) outline() outline {
	o := &traverse{polygon: &g, edges: make([]int, len(g.vertices))}
	for i := range o.edges {
		o.edges[i] = i
	}
	return o
}

func (o *traverse) relate(c *cell) (relation, outline) {
	inner := &traverse{polygon: o.polygon}
	center, radius := c.disk()
	reach := edgeTolerance + 2*s1.Angle(math.Asin(min(1, radius/2)))
	for _, i := range o.edges {
		from, to := o.polygon.edge(i)
		if s2.DistanceFromSegment(center, from, to) <= reach {
			inner.edges = append(inner.edges, i)
		}
	}
	switch {
	case len(inner.edges) > 0:
		return byShape, inner
	case o.polygon.encloses(center):
		return within, inner
	}
	return apart, inner
}

func (o *traverse) finest() int {
	length := s1.Angle(0)
	for _, i := range o.edges {
		from, to := o.polygon.edge(i)
		length += from.Distance(to)
	}
	return finestFor(max(length, s1.Angle(rounding)), max(pieces, len(o.edges)))
}
