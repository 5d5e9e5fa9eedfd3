package geofilter

// A Circle holds the points up to Radius from Center. It may lie across the
// antimeridian or hold a pole.
type Circle struct {
	Center Point
	Radius Meters
}

// Contains reports whether p is in the circle or on its edge.
func (c Circle) Contains(p Point) bool {
	return p.Valid() && Distance(c.Center, p) <= c.Radius
}
