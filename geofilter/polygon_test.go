package geofilter

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func polygon(t *testing.T, vertices ...Point) Polygon {
	t.Helper()
	g, err := NewPolygon(vertices)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestPolygonEdgesAreGeodesics(t *testing.T) {
	check(t, polygon(t, Point{0, 0}, Point{0, 10}, Point{10, 10}, Point{10, 0}), []membership{
		{Point{5, 5}, true}, {Point{10.03, 5}, true}, {Point{10.05, 5}, false}, {Point{-0.0001, 5}, false},
	})
	check(t, polygon(t, Point{50, 0}, Point{50, 40}, Point{60, 40}, Point{60, 0}), []membership{
		{Point{51, 20}, false}, {Point{61, 20}, true}, {Point{55, 20}, true},
	})
}

func TestPolygonContainsItsEdgeAndVertices(t *testing.T) {
	check(t, polygon(t, Point{0, 0}, Point{0, 10}, Point{10, 0}), []membership{
		{Point{0, 0}, true}, {Point{0, 5}, true}, {Point{5, 0}, true}, {Point{10, 0}, true},
		{Point{0, 360}, true}, {Point{-1e-9, 5}, false},
	})
}

func TestPolygonIsTheSameInBothDirections(t *testing.T) {
	vertices := []Point{{1, 1}, {1, 4}, {3, 2}, {4, 5}, {5, 1}}
	reversed := []Point{{5, 1}, {4, 5}, {3, 2}, {1, 4}, {1, 1}}
	a, b := polygon(t, vertices...), polygon(t, reversed...)
	random := rand.New(rand.NewPCG(7, 8))
	for range 10_000 {
		p := Point{6 * random.Float64(), 6 * random.Float64()}
		if a.Contains(p) != b.Contains(p) {
			t.Fatalf("%v is in one direction alone", p)
		}
	}
}

func TestPolygonThatCrossesItselfHoldsWhatItGoesAround(t *testing.T) {
	check(t, polygon(t, Point{0, 0}, Point{10, 10}, Point{0, 10}, Point{10, 0}), []membership{
		{Point{2, 5}, false}, {Point{8, 5}, false}, {Point{5, 2}, true}, {Point{5, 8}, true},
	})
	pentagram := []Point{{10, 0}, {-8, 6}, {3, -9.5}, {3, 9.5}, {-8, -6}}
	square := []Point{{0, 0}, {0, 10}, {10, 10}, {10, 0}}
	along := []Point{{0, 0}, {2, 5}, {5, 5}, {5, 2}} // in the direction of the square
	against := []Point{{0, 0}, {5, 2}, {5, 5}, {2, 5}}
	for range 2 {
		check(t, polygon(t, pentagram...), []membership{{Point{0, 0}, true}, {Point{8, 0}, true}, {Point{-6, 0}, false}})
		check(t, polygon(t, slices.Concat(square, square)...), []membership{{Point{5, 5}, true}, {Point{-5, 5}, false}})
		check(t, polygon(t, slices.Concat(square, along)...), []membership{{Point{4, 4}, true}, {Point{9, 9}, true}})
		check(t, polygon(t, slices.Concat(square, against)...), []membership{{Point{4, 4}, false}, {Point{9, 9}, true}})
		for _, line := range [][]Point{pentagram, square, along, against} {
			slices.Reverse(line)
		}
	}
}

func TestPolygonWithoutAreaHoldsItsLine(t *testing.T) {
	check(t, polygon(t, Point{0, 0}, Point{0, 0}, Point{0, 0}), []membership{{Point{0, 0}, true}, {Point{1, 1}, false}})
	check(t, polygon(t, Point{0, 0}, Point{0, 1}, Point{0, 2}), []membership{{Point{0, 1.5}, true}, {Point{0, 3}, false}})
}

func TestPolygonHoldsAPole(t *testing.T) {
	check(t, polygon(t, Point{80, 0}, Point{80, 90}, Point{80, 180}, Point{80, -90}), []membership{
		{Point{90, 0}, true}, {Point{89, 0}, true}, {Point{85, 45}, true}, {Point{75, 0}, false}, {Point{-90, 0}, false},
	})
}

func TestPolygonLiesAcrossTheAntimeridian(t *testing.T) {
	check(t, polygon(t, Point{0, 170}, Point{0, 190}, Point{10, -170}, Point{10, 170}), []membership{
		{Point{5, 175}, true}, {Point{5, -175}, true}, {Point{5, 180}, true}, {Point{5, 0}, false},
	})
}

func TestPolygonOfSmallAndLargeTrianglesAgreesWithTheirEdges(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 10))
	for range 2000 {
		a := randomPoint(random)
		size := math.Pow(10, 2+4*random.Float64()) // 100 m to 1,000 km
		g := polygon(t, a, near(random, a, size), near(random, a, size))
		for range 20 {
			p := near(random, a, 2*size)
			if got, want := g.Contains(p), leftOfAllEdges(g, p); got != want {
				t.Fatalf("%v contains %v: %v, want %v", g.parts[0].edges, p, got, want)
			}
		}
	}
}

// leftOfAllEdges reports whether p is on one side of the three great circles.
func leftOfAllEdges(g Polygon, p Point) bool {
	edges, target := g.parts[0].edges, unit(p)
	side := func(i int) bool { return edges[i].V0.Cross(edges[i].V1.Vector).Dot(target.Vector) > 0 }
	return side(0) == side(1) && side(1) == side(2) && target.Dot(g.parts[0].origin.Vector) < 0
}

func TestNewPolygonRefusesToSurroundTheEarth(t *testing.T) {
	if _, err := NewPolygon([]Point{{0, 0}, {0, 90}, {0, 180}, {0, -90}}); !errors.Is(err, ErrPolygonTooWide) {
		t.Errorf("got %v, want %v", err, ErrPolygonTooWide)
	}
}
