package geofilter

// A Shape is an area on the Earth: a Box, a Circle, a Ring or a Polygon. The
// set is closed, because an Index has to know how a shape lies to a cell.
type Shape interface {
	// Contains reports whether p is in the shape or on its edge.
	Contains(p Point) bool

	// Meets reports whether the geodesic from a to b, the shortest way, has a
	// point in the shape or on its edge. It is right within a metre for ways up
	// to 1,000 km. Between points that are almost opposite each other there is
	// no such way, so that no shape meets it.
	Meets(a, b Point) bool

	outline() outline
	// meets reports whether a leg has a point in the shape. If the shape holds
	// all of the leg, it may say false.
	meets(l *leg) bool
}

var (
	_ Shape = Box{}
	_ Shape = Circle{}
	_ Shape = Ring{}
	_ Shape = Polygon{}
)
