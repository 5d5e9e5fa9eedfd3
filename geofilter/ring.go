package geofilter

// A Ring holds the points from Inner to Outer away from Center.
type Ring struct {
	Center       Point
	Inner, Outer Meters
}

// Contains reports whether p is in the ring or on one of its two edges.
func (r Ring) Contains(p Point) bool {
	if !p.Valid() {
		return false
	}
	d := Distance(r.Center, p)
	return d >= r.Inner && d <= r.Outer
}

// Meets reports whether the geodesic from a to b has a point in the ring.
func (r Ring) Meets(a, b Point) bool { return meets(r, a, b) }

// meets: what comes as near as Outer, and does not stay nearer than Inner, is
// between the two once.
func (r Ring) meets(l *leg) bool {
	return r.Inner <= r.Outer && Circle{r.Center, r.Outer}.meets(l) &&
		max(Distance(r.Center, l.ends[0]), Distance(r.Center, l.ends[1])) >= r.Inner
}
