package geofilter

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

// square returns a ring around a place, closed as in GeoJSON.
func square(lat, lon, half float64) []Point {
	return []Point{
		{lat - half, lon - half}, {lat - half, lon + half}, {lat + half, lon + half}, {lat + half, lon - half},
		{lat - half, lon - half},
	}
}

func multiPolygon(t *testing.T, polygons ...[][]Point) Polygon {
	t.Helper()
	g, err := NewMultiPolygon(polygons)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestMultiPolygonHasHolesAndIslandsInThem(t *testing.T) {
	g := multiPolygon(t,
		[][]Point{square(0, 0, 4), square(0, -2, 1), square(0, 2, 1)},
		[][]Point{square(0, 2, 0.5)},
		[][]Point{square(20, 178, 5)},
	)
	check(t, g, []membership{
		{Point{0, 0}, true}, {Point{3.5, 3.5}, true}, {Point{0, 5}, false},
		{Point{0, -2}, false}, {Point{0.7, 2.7}, false}, {Point{0, 2}, true},
		{Point{0, -1}, true}, {Point{0, 1}, true}, {Point{0.5, 2}, true},
		{Point{20, -178}, true}, {Point{20, 174}, true}, {Point{20, -176}, false},
	})
}

func TestMultiPolygonIsTheUnionOfPolygonsThatOverlap(t *testing.T) {
	g := multiPolygon(t, [][]Point{square(0, 0, 2)}, [][]Point{square(0, 1, 2)}, [][]Point{square(0, 0, 1)})
	check(t, g, []membership{
		{Point{0, -1.5}, true}, {Point{0, 0}, true}, {Point{0, 1.5}, true}, {Point{0, 2.5}, true}, {Point{0, 3.5}, false},
	})
}

func TestMultiPolygonDoesNotCareForDirectionsAndRepeatedPoints(t *testing.T) {
	outer := []Point{{-4, -4}, {-4, -4}, {4, -4}, {4, 4}, {4, 4}, {-4, 364}, {-4, -4}, {-4, -4}}
	g := multiPolygon(t, [][]Point{outer, square(0, 0, 1)})
	check(t, g, []membership{{Point{0, 0}, false}, {Point{2, 2}, true}, {Point{5, 5}, false}})
}

func TestNewMultiPolygonRefusesWhatIsNotClean(t *testing.T) {
	for _, tt := range []struct {
		name  string
		rings [][]Point
		want  error
	}{
		{"no ring", nil, ErrRingTooShort},
		{"two points", [][]Point{{{0, 0}, {1, 1}, {0, 0}}}, ErrRingTooShort},
		{"the same point again", [][]Point{{{0, 0}, {0, 360}, {1, 1}, {1, 1}}}, ErrRingTooShort},
		{"a bow tie", [][]Point{{{0, 0}, {10, 10}, {0, 10}, {10, 0}}}, ErrRingsCross},
		{"a hole across the ring", [][]Point{square(0, 0, 2), square(0, 2, 1)}, ErrRingsCross},
		{"a hole outside", [][]Point{square(0, 0, 2), square(0, 8, 1)}, ErrHole},
		{"a hole around", [][]Point{square(0, 0, 2), square(0, 0, 3)}, ErrHole},
		{"a hole in a hole", [][]Point{square(0, 0, 4), square(0, 0, 2), square(0, 0, 1)}, ErrHole},
		{"a hole around a hole", [][]Point{square(0, 0, 4), square(0, 0, 1), square(0, 0, 2)}, ErrHole},
		{"opposite points", [][]Point{{{0, 0}, {0, 180}, {45, 90}}}, ErrEdgeTooLong},
		{"the equator", [][]Point{{{0, 0}, {0, 90}, {0, 180}, {0, -90}}}, ErrPolygonTooWide},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := NewMultiPolygon([][][]Point{tt.rings}); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// A line in zigzag around the planet is in no hemisphere, and yet has a smaller
// side.
func TestPolygonOfUpToHalfThePlanetIsTheSmallerSide(t *testing.T) {
	for _, tilt := range []float64{-30, -5, -0.1, 0.1, 5, 30} {
		var line []Point
		for lon := -180.0; lon < 180; lon += 10 {
			line = append(line, Point{tilt + 20*math.Cos(lon*math.Pi/30), lon})
		}
		pole := math.Copysign(90, tilt)
		check(t, polygon(t, line...), []membership{
			{Point{pole, 0}, true}, {Point{-pole, 0}, false},
			{Point{tilt + math.Copysign(25, tilt), 33}, true}, {Point{tilt - math.Copysign(25, tilt), 33}, false},
		})
	}
}

// A comb has most of its points at one end: what is opposite to their mean
// says nothing about the inside.
func TestPolygonThatNoHemisphereHoldsIsNotInverted(t *testing.T) {
	line := []Point{{-10, 0}, {-10, 60}, {-10, 120}, {-10, 170}, {10, 170}, {10, 120}, {10, 60}}
	for lat := 10.0; lat > -10; lat -= 0.5 {
		line = append(line, Point{lat, 0})
	}
	check(t, polygon(t, line...), []membership{
		{Point{0, 90}, true}, {Point{0, 169}, true}, {Point{0, 1}, true}, {Point{0, -90}, false}, {Point{0, 179}, false},
		{Point{90, 0}, false}, {Point{-90, 0}, false},
	})
}

func TestIndexFindsMultiPolygons(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 9))
	var x Index
	f := fences{}
	points := []Point{}
	for id := range uint32(100) {
		lat, lon, half := 100*random.Float64()-50, 360*random.Float64(), 0.1+10*random.Float64()
		f[id] = multiPolygon(t,
			[][]Point{square(lat, lon, half), square(lat, lon-half/2, half/4), square(lat, lon+half/2, half/3)},
			[][]Point{star(random, Point{lat, lon + half/2}, half/3, 300)},
		)
		x.Add(id, f[id])
		for range 3 {
			points = append(points, near(random, Point{lat, lon}, half*130_000))
		}
	}
	for _, p := range points {
		agree(t, &x, f, p)
	}
	for id := range uint32(50) {
		x.Remove(2 * id)
		delete(f, 2*id)
	}
	for _, p := range points {
		agree(t, &x, f, p)
	}
}

// star returns a ring of n points that are up to some degrees away from a centre.
func star(random *rand.Rand, center Point, degrees float64, n int) []Point {
	ring := make([]Point, n)
	for i := range ring {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		r := degrees * (0.7 + 0.3*random.Float64())
		ring[i] = Point{center.Lat + r*sin, center.Lon + r*cos/math.Cos(center.Lat*math.Pi/180)}
	}
	return ring
}
