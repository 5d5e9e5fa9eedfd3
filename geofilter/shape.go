package geofilter

// A Shape is an area on the Earth: a Box, a Circle, a Ring or a Polygon. The
// set is closed, because an Index has to know how a shape lies to a cell.
type Shape interface {
	// Contains reports whether p is in the shape or on its edge.
	Contains(p Point) bool

	outline() outline
}

var (
	_ Shape = Box{}
	_ Shape = Circle{}
	_ Shape = Ring{}
	_ Shape = Polygon{}
)
