package geofilter

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/golang/geo/s1"
)

// ahead returns the points at so many equal steps along a geodesic, by its
// differential equation (Runge and Kutta's method), which is of no use near the poles.
func ahead(from Point, azimuth, meters float64, steps int) []Point {
	const e2 = flattening * (2 - flattening)
	type state [3]float64 // latitude, longitude, azimuth
	slope := func(s state) state {
		sin, cos := math.Sincos(s[0])
		root := math.Sqrt(1 - e2*sin*sin)
		n := semiMajorAxis / root
		m := n * (1 - e2) / (root * root)
		return state{math.Cos(s[2]) / m, math.Sin(s[2]) / (n * cos), math.Sin(s[2]) * sin / (n * cos)}
	}
	plus := func(s, d state, h float64) state {
		return state{s[0] + h*d[0], s[1] + h*d[1], s[2] + h*d[2]}
	}
	s := state{radians(from.Lat), radians(from.Lon), azimuth}
	points := []Point{from}
	const fine = 100
	h := meters / float64(steps*fine)
	for i := range steps * fine {
		a := slope(s)
		b := slope(plus(s, a, h/2))
		c := slope(plus(s, b, h/2))
		d := slope(plus(s, c, h))
		s = plus(plus(plus(plus(s, a, h/6), b, h/3), c, h/3), d, h/6)
		if (i+1)%fine == 0 {
			points = append(points, Point{s[0] * 180 / math.Pi, s[1] * 180 / math.Pi})
		}
	}
	return points
}

func TestPathsAreWithin20CentimetersOfTheGeodesic(t *testing.T) {
	random := rand.New(rand.NewPCG(41, 42))
	worst := Meters(0)
	for range 80 {
		from := Point{100*random.Float64() - 50, 360*random.Float64() - 180}
		points := ahead(from, 2*math.Pi*random.Float64(), 3_000_000*random.Float64()*random.Float64(), 20)
		p, ok := pathOf(from, points[20])
		if !ok {
			t.Fatalf("no path from %v to %v", from, points[20])
		}
		for _, q := range points {
			nearest := Meters(math.Inf(1))
			for _, l := range p.legs {
				nearest = min(nearest, awayFrom(&l, q))
			}
			worst = max(worst, nearest)
		}
	}
	if worst > 0.2 {
		t.Errorf("a geodesic goes %v m away from its path", worst)
	}
}

// awayFrom returns the distance of a point from a leg.
func awayFrom(l *leg, p Point) Meters {
	a, b := 0.0, 1.0
	for range 60 {
		c, d := a+(b-a)/3, b-(b-a)/3
		if Distance(p, l.at(c)) < Distance(p, l.at(d)) {
			b = d
		} else {
			a = c
		}
	}
	return Distance(p, l.at(a))
}

// nearly reports whether a point is in a shape, or within some metres of it.
func nearly(s Shape, p Point, meters float64) bool {
	m := Meters(meters)
	switch s := s.(type) {
	case Circle:
		return Distance(s.Center, p) <= s.Radius+m
	case Ring:
		d := Distance(s.Center, p)
		return d >= s.Inner-m && d <= s.Outer+m
	case Box:
		at := placeOf(p)
		return s.Contains(p) || s.room(&at) < meters/minCurvatureRadius
	case Polygon:
		return s.Contains(p) || slices.ContainsFunc(s.parts, func(g *part) bool {
			return g.near(unit(p), s1.Angle(meters/minCurvatureRadius))
		})
	}
	return false
}

// checkMeets compares Meets with what samples of the way say.
func checkMeets(t *testing.T, s Shape, a, b Point) bool {
	t.Helper()
	meets := s.Meets(a, b)
	// A pole has many names, of which a box may contain some.
	if pole := max(math.Abs(a.Lat), math.Abs(b.Lat)) == 90; !pole && meets != s.Meets(b, a) {
		t.Errorf("%T %+v meets %v to %v only in one direction", s, s, a, b)
	}
	p, ok := pathOf(a, b)
	if !ok {
		return meets
	}
	touched, near := s.Contains(a) || s.Contains(b), nearly(s, a, 0.1) || nearly(s, b, 0.1)
	const samples = 64
	for i := range p.legs {
		l := &p.legs[i]
		step := float64(Distance(l.ends[0], l.ends[1])) / samples
		for k := range samples + 1 {
			q := l.at(float64(k) / samples)
			touched = touched || s.Contains(q)
			near = near || nearly(s, q, step+0.1)
		}
	}
	if meets && !near || touched && !meets {
		t.Fatalf("%T %+v meets the way from %v to %v: %v; samples are in it: %v, near it: %v", s, s, a, b, meets, touched, near)
	}
	return meets
}

func TestMeetsIsWhatSamplesOfTheWaySay(t *testing.T) {
	met, all := 0, 0
	for i, corner := range corners {
		random := rand.New(rand.NewPCG(uint64(i), 43))
		for range 400 {
			size := math.Pow(10, 1+5.5*random.Float64())
			a, b := near(random, corner, size), near(random, corner, size)
			all++
			if checkMeets(t, randomShape(random, near(random, corner, size), size*random.Float64()), a, b) {
				met++
			}
		}
	}
	if met < all/4 || met > all*3/4 {
		t.Errorf("%d of %d ways meet their shape: not much of a test", met, all)
	}
}

func TestMeetsAtKnownPlaces(t *testing.T) {
	square := multiPolygon(t, [][]Point{square(0, 0, 4), square(0, 0, 2)})
	for _, tt := range []struct {
		name  string
		shape Shape
		a, b  Point
		want  bool
	}{
		{"through a circle", Circle{Point{0, 1}, 1000}, Point{0, 0}, Point{0, 2}, true},
		{"past a circle", Circle{Point{0.01, 1}, 1000}, Point{0, 0}, Point{0, 2}, false},
		{"into a circle", Circle{Point{0, 1}, 1000}, Point{0, 0}, Point{0, 1}, true},
		{"up to a circle", Circle{Point{0, 1}, 1000}, Point{0, 0}, Point{0, 0.99}, false},
		{"nowhere, in a circle", Circle{Point{0, 1}, 1000}, Point{0, 1}, Point{0, 361}, true},
		{"nowhere, beside it", Circle{Point{0, 1}, 1000}, Point{0, 2}, Point{0, 2}, false},
		{"north of the parallel", Circle{Point{50.43, 5}, 3000}, Point{50, 0}, Point{50, 10}, false},
		{"where the geodesic is", Circle{Point{50.11, 5}, 1000}, Point{50, 0}, Point{50, 10}, true},
		{"within the hole of a ring", Ring{Point{0, 0}, 1000, 2000}, Point{0, -0.005}, Point{0, 0.005}, false},
		{"out of the hole of a ring", Ring{Point{0, 0}, 1000, 2000}, Point{0, -0.005}, Point{0, 0.5}, true},
		{"across a ring", Ring{Point{0, 0}, 1000, 2000}, Point{0, -1}, Point{0, 1}, true},
		{"across a box", box(t, 1, 1, -1, 2), Point{0, 0}, Point{0, 3}, true},
		{"over the parallel of a box", box(t, 51, 4, 50.1, 6), Point{50, 0}, Point{50, 10}, true},
		{"below a box", box(t, 51, 4, 50.2, 6), Point{50, 0}, Point{50, 10}, false},
		{"along the left edge of a box", box(t, 48.5, 11, 47.5, 12), Point{47, 11}, Point{49, 11}, true},
		{"along the bottom of a box", box(t, 5, 12, 0, 18), Point{0, 10}, Point{0, 20}, true},
		{"along the meridian opposite a box", box(t, 48.5, -169, 47.5, -168), Point{47, 11}, Point{49, 11}, false},
		{"across the antimeridian", box(t, 1, 179, -1, -179), Point{0, 178}, Point{0, -178}, true},
		{"the other way round", box(t, 1, 10, -1, 20), Point{0, 178}, Point{0, -178}, false},
		{"over the pole", Circle{Point{90, 0}, 1000}, Point{89, 10}, Point{89, -170}, true},
		{"over the cap of a box", box(t, 90, -180, 89.5, 180), Point{89, 10}, Point{89, -170}, true},
		{"within a hole", square, Point{-1, -1}, Point{1, 1}, false},
		{"out of a hole", square, Point{0, 0}, Point{0, 8}, true},
		{"past a polygon", square, Point{5, -8}, Point{5, 8}, false},
		{"through a vertex", square, Point{8, 0}, Point{0, 8}, false},
		{"along an edge", polygon(t, Point{0, 0}, Point{0, 2}, Point{2, 1}), Point{0, -1}, Point{0, 3}, true},
		{"touching a vertex", polygon(t, Point{0, 0}, Point{1, 1}, Point{1, -1}), Point{0, -1}, Point{0, 1}, true},
		{"between opposite points", Circle{Point{0, 0}, 1000}, Point{0, 0}, Point{0, 180}, false},
		{"to what is no point", Circle{Point{0, 0}, 1000}, Point{0, 0}, Point{91, 0}, false},
		{"a circle without a point", Circle{Point{0, 0}, -1}, Point{0, -1}, Point{0, 1}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.shape.Meets(tt.a, tt.b); got != tt.want {
				t.Errorf("there: %v", got)
			}
			if got := tt.shape.Meets(tt.b, tt.a); got != tt.want {
				t.Errorf("back: %v", got)
			}
		})
	}
}
