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

// Meets reports whether the geodesic from a to b has a point in the circle.
func (c Circle) Meets(a, b Point) bool { return meets(c, a, b) }

func (c Circle) meets(l *leg) bool {
	d := makeDisk(0, roundOf(c.Center, c.Radius))
	switch d.along(l) {
	case apart:
		return false
	case within:
		return true
	default:
		return c.reaches(l)
	}
}

// reaches looks for the point of a leg that is nearest to the centre.
func (c Circle) reaches(l *leg) bool {
	const precision = 0.01 // metres
	first, last := 0.0, 1.0
	for length := Distance(l.ends[0], l.ends[1]); Meters(last-first)*length > precision; {
		a, b := first+(last-first)/3, last-(last-first)/3
		from, to := Distance(c.Center, l.at(a)), Distance(c.Center, l.at(b))
		if min(from, to) <= c.Radius {
			return true
		}
		if from < to {
			last = b
		} else {
			first = a
		}
	}
	return c.Contains(l.ends[0]) || c.Contains(l.ends[1])
}
