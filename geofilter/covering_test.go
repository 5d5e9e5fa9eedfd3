package geofilter

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func covers(spans []Span, p Point) bool {
	leaf := Leaf(p)
	return slices.ContainsFunc(spans, func(s Span) bool { return s.First <= leaf && leaf <= s.Last })
}

// A covering holds what the shape contains, whatever the shape, its size and place.
func TestACoveringHoldsItsShape(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	inside := 0
	for range 3000 {
		at := corners[random.IntN(len(corners))]
		if random.IntN(2) == 0 {
			at = randomPoint(random)
		}
		size := math.Pow(10, 7.3*random.Float64()-0.3)
		s := randomShape(random, at, size)
		most := 1 << random.IntN(8)
		spans := Covering(s, most)
		if len(spans) > max(6, most) {
			t.Fatalf("%d spans of %d cells", len(spans), most)
		}
		for i := 1; i < len(spans); i++ {
			if spans[i-1].Last+1 >= spans[i].First || spans[i].First > spans[i].Last {
				t.Fatalf("the spans are not in order: %v", spans)
			}
		}
		for i := range 20 {
			p := near(random, at, size)
			if i%4 == 0 {
				p = onEdge(random, s)
			}
			if !s.Contains(p) {
				continue
			}
			inside++
			if !covers(spans, p) {
				t.Fatalf("%v is in %T %+v, and not in its covering by %d cells", p, s, s, most)
			}
		}
	}
	if inside < 10_000 {
		t.Errorf("only %d points were in a shape", inside)
	}
}

// A covering that held the whole Earth would pass the test above.
func TestACoveringIsNotMuchLargerThanItsShape(t *testing.T) {
	random := rand.New(rand.NewPCG(13, 14))
	for _, radius := range []float64{1, 100, 10_000, 1_000_000} {
		held, contained := 0, 0
		for range 200 {
			at := randomPoint(random)
			c := Circle{at, Meters(radius)}
			spans := Covering(c, 32)
			for range 50 {
				p := near(random, at, 3*radius)
				if covers(spans, p) {
					held++
				}
				if c.Contains(p) {
					contained++
				}
			}
		}
		t.Logf("of %v m: %d of points are held, %d contained", radius, held, contained)
		if held > 2*contained {
			t.Errorf("of %v m: %d points are held, and %d contained", radius, held, contained)
		}
	}
}

// The numbers are on disks.
func TestLeavesAreWhatTheyWere(t *testing.T) {
	for _, tt := range []struct {
		p    Point
		want uint64
	}{
		{Point{48.137, 11.575}, 2398747642202837578}, {Point{-33.87, 151.21}, 4237138367568648350}, {Point{90, 0}, 3170534137668829184},
	} {
		if got := Leaf(tt.p); got != tt.want {
			t.Errorf("%v: %d, want %d", tt.p, got, tt.want)
		}
		if a, b := Leaf(tt.p), Leaf(Point{tt.p.Lat, tt.p.Lon + 360}); a != b {
			t.Errorf("%v: %d, and once around %d", tt.p, a, b)
		}
	}
}
