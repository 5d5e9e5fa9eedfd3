package geofilter

import (
	"math"
	"math/rand/v2"
	"testing"
)

// noted returns a cell at a point that is as small as a circle may be noted at,
// or larger.
func noted(random *rand.Rand, o outline, p Point) cell {
	face, i, j := locate(unit(p))
	level := random.IntN(o.finest() + 1)
	return cellAt(face, level, i, j)
}

func TestChipsNeverContradictContains(t *testing.T) {
	random := rand.New(rand.NewPCG(27, 28))
	const tests = 50_000
	fit := 0
	for range tests {
		circle := Circle{randomPoint(random), Meters(math.Pow(10, 7.3*random.Float64()))}
		r := circle.Radius*Meters(1+1e-4*random.NormFloat64()) + Meters(0.2*random.NormFloat64())
		p := atDistance(random, circle.Center, max(0, r))
		o := roundOf(circle.Center, circle.Radius)
		d := makeDisk(1, o)
		cell := noted(random, o, p)
		g := gridOf(&cell)
		c, fits := g.chip(&d)
		if !fits {
			continue
		}
		fit++
		at := placeOf(p)
		spot, back := g.spot(&at.position), g.disk(&c)
		for _, how := range []relation{c.tell(&spot), back.tell(&at.position)} {
			if how != byDisk && (how == within) != circle.Contains(p) {
				t.Fatalf("%+v: the chip %+v in %+v says %v of %v, %v m from the center", circle, c, g, how, p, Distance(circle.Center, p))
			}
		}
	}
	if fit < tests/2 {
		t.Errorf("only %d of %d circles fit a chip", fit, tests)
	}
}

func TestChipsOfFencesFitAndDecideAlmostAlways(t *testing.T) {
	random := rand.New(rand.NewPCG(29, 30))
	unsure := 0
	const tests = 100_000
	for range tests {
		circle := Circle{randomPoint(random), Meters(100 + 1900*random.Float64())}
		o := roundOf(circle.Center, circle.Radius)
		d := makeDisk(1, o)
		p := near(random, circle.Center, float64(circle.Radius))
		face, i, j := locate(unit(p))
		cell := cellAt(face, o.finest(), i, j)
		g := gridOf(&cell)
		c, fits := g.chip(&d)
		if !fits {
			t.Fatalf("%+v does not fit a chip of %+v", circle, cell)
		}
		at := placeOf(p)
		if spot := g.spot(&at.position); c.tell(&spot) == byDisk {
			unsure++
		}
	}
	if unsure > tests/500 {
		t.Errorf("%d of %d points need Contains", unsure, tests)
	}
}
