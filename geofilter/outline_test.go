package geofilter

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/golang/geo/r3"
	"github.com/golang/geo/s2"
)

// in returns a point of a cell, often on its edge or a corner.
func (c *cell) in(random *rand.Rand) Point {
	part := func() float64 { return max(0, min(1, 2*random.Float64()-0.5)) }
	p := offFace(c.face, r3.Vector{X: c.u0 + part()*(c.u1-c.u0), Y: c.v0 + part()*(c.v1-c.v0), Z: 1})
	ll := s2.LatLngFromPoint(p)
	return Point{Lat: ll.Lat.Degrees(), Lon: ll.Lng.Degrees()}
}

// around returns a cell of a random level at p.
func around(random *rand.Rand, p Point) cell {
	face, i, j := locate(unit(p))
	level := random.IntN(smallest + 1)
	return makeCell(face, level, i>>(deepest-level), j>>(deepest-level))
}

func TestOutlinesNeverContradictContains(t *testing.T) {
	random := rand.New(rand.NewPCG(21, 22))
	sure := 0
	for i := range 50_000 {
		at := corners[i%len(corners)]
		if i%2 == 0 {
			at = randomPoint(random)
		}
		size := math.Pow(10, 7.3*random.Float64())
		s := randomShape(random, at, size)
		c := around(random, near(random, onEdge(random, s), size*random.Float64()))
		how, _ := s.outline().relate(c)
		if how != apart && how != within {
			continue
		}
		sure++
		for range 20 {
			if p := c.in(random); s.Contains(p) != (how == within) {
				t.Fatalf("%T %+v contains %v: %v, but its relation to %+v is %v", s, s, p, s.Contains(p), c, how)
			}
		}
	}
	if sure < 10_000 {
		t.Errorf("only %d relations were sure", sure)
	}
}

func TestDisksNeverContradictContains(t *testing.T) {
	random := rand.New(rand.NewPCG(23, 24))
	unsure := 0
	const tests = 50_000
	for range tests {
		c := Circle{randomPoint(random), Meters(math.Pow(10, 7.3*random.Float64()))}
		d := makeDisk(1, roundOf(c.Center, c.Radius))
		// Mostly near the edge: within a ten thousandth, or a few centimetres.
		r := c.Radius*Meters(1+1e-4*random.NormFloat64()) + Meters(0.05*random.NormFloat64())
		p := atDistance(random, c.Center, max(0, r))
		at := placeOf(p)
		switch how := d.tell(&at.position); {
		case how == byDisk:
			unsure++
		case (how == within) != c.Contains(p):
			t.Fatalf("%+v: the disk says %v of %v, %v m from the center", c, how, p, Distance(c.Center, p))
		}
	}
	t.Logf("%.1f %% of points next to the edge are unsure", 100*float64(unsure)/tests)
}

func TestDisksDecideAlmostAlways(t *testing.T) {
	random := rand.New(rand.NewPCG(25, 26))
	unsure := 0
	const tests = 100_000
	for range tests {
		c := Circle{randomPoint(random), Meters(100 + 1900*random.Float64())}
		d := makeDisk(1, roundOf(c.Center, c.Radius))
		at := placeOf(near(random, c.Center, 1.5*float64(c.Radius)))
		if d.tell(&at.position) == byDisk {
			unsure++
		}
	}
	if unsure > tests/1000 {
		t.Errorf("%d of %d points need Contains", unsure, tests)
	}
}
