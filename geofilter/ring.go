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
