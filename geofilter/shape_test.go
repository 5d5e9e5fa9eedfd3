package geofilter

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

// shape is what every shape can do.
type shape interface{ Contains(Point) bool }

var (
	_ shape = Box{}
	_ shape = Circle{}
	_ shape = Ring{}
	_ shape = Polygon{}
)

type membership struct {
	point Point
	want  bool
}

func check(t *testing.T, s shape, tests []membership) {
	t.Helper()
	for _, tt := range tests {
		if got := s.Contains(tt.point); got != tt.want {
			t.Errorf("%+v contains %v: %v, want %v", s, tt.point, got, tt.want)
		}
	}
}

func TestBoxContainsItsEdges(t *testing.T) {
	check(t, box(t, 48.2, 11.4, 48.0, 11.7), []membership{
		{Point{48.1, 11.5}, true},
		{Point{48.2, 11.4}, true}, {Point{48.0, 11.7}, true},
		{Point{math.Nextafter(48.2, 90), 11.5}, false}, {Point{math.Nextafter(48, 0), 11.5}, false},
		{Point{48.1, math.Nextafter(11.4, 0)}, false}, {Point{48.1, math.Nextafter(11.7, 90)}, false},
	})
}

func TestBoxGoesEastwardAcrossTheAntimeridian(t *testing.T) {
	for _, b := range []Box{box(t, 2, 170, 1, -170), box(t, 2, 170, 1, 190), box(t, 2, -190, 1, -170), box(t, 2, 530, 1, 550)} {
		check(t, b, []membership{
			{Point{1.5, 175}, true}, {Point{1.5, -175}, true}, {Point{1.5, 185}, true}, {Point{1.5, 535}, true},
			{Point{1.5, 180}, true}, {Point{1.5, -180}, true},
			{Point{1.5, 170}, true}, {Point{1.5, -170}, true}, {Point{1.5, 190}, true},
			{Point{1.5, -169}, false}, {Point{1.5, 169}, false}, {Point{1.5, 0}, false},
		})
	}
}

func TestBoxEndsAtTheAntimeridian(t *testing.T) {
	check(t, box(t, 2, 170, 1, 180), []membership{
		{Point{1.5, 180}, true}, {Point{1.5, -180}, true}, {Point{1.5, -179.9}, false}, {Point{1.5, 169.9}, false},
	})
	check(t, box(t, 2, -180, 1, -170), []membership{
		{Point{1.5, 180}, true}, {Point{1.5, -180}, true}, {Point{1.5, 179.9}, false},
	})
}

func TestBoxGoesAllTheWayRound(t *testing.T) {
	for _, b := range []Box{box(t, 90, -180, -90, 180), box(t, 90, 0, -90, 360), box(t, 90, -360, -90, 360)} {
		check(t, b, []membership{
			{Point{90, 0}, true}, {Point{-90, 0}, true}, {Point{0, 180}, true}, {Point{0, -180}, true}, {Point{0, 77}, true},
			{Point{91, 0}, false}, {Point{-91, 0}, false},
		})
	}
}

// Counting turns is the simple way to tell whether a meridian is between two
// others; wrapping longitudes is the exact way.
func TestBoxContainsWhatLiesBetweenItsMeridiansInSomeTurn(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	for range 100_000 {
		left, right, lon := 1000*random.Float64()-500, 1000*random.Float64()-500, 1000*random.Float64()-500
		b := box(t, 1, left, -1, right)
		for right < left {
			right += 360
		}
		want := false
		for turn := -5; turn <= 5; turn++ {
			turned := lon + 360*float64(turn)
			want = want || turned >= left && turned <= right
		}
		if got := b.Contains(Point{0, lon}); got != want {
			t.Fatalf("%v to %v contains %v: %v, want %v", left, right, lon, got, want)
		}
	}
}

func TestNewBoxRefusesBoxesWithoutArea(t *testing.T) {
	for _, tt := range []struct {
		name                     string
		top, left, bottom, right float64
		want                     error
	}{
		{"upside down", 1, 0, 2, 1, ErrBoxHeight},
		{"no height", 1, 0, 1, 1, ErrBoxHeight},
		{"above the pole", 91, 0, 1, 1, ErrBoxHeight},
		{"no width", 2, 5, 1, 5, ErrBoxWidth},
		{"no width, a turn later", 2, 5, 1, -355, ErrBoxWidth},
		{"no number", 2, math.NaN(), 1, 5, ErrBoxWidth},
		{"infinite", 2, 0, 1, math.Inf(1), ErrBoxWidth},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := NewBox(tt.top, tt.left, tt.bottom, tt.right); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestCircleContainsItsEdge(t *testing.T) {
	center, edge := Point{48.1, 11.5}, Point{48.1, 11.6}
	radius := Distance(center, edge)
	check(t, Circle{center, radius}, []membership{
		{center, true}, {edge, true}, {Point{48.1, 11.6000001}, false},
	})
	check(t, Circle{center, radius - 0.001}, []membership{{edge, false}})
	check(t, Circle{center, 0}, []membership{{center, true}, {edge, false}})
}

func TestCircleReachesAsFarNorthAsEast(t *testing.T) {
	// Koncorde cuts this circle at 993.3 m to the north.
	check(t, Circle{Point{0, 0}, 1000}, []membership{
		{Point{0, 0.00898}, true}, {Point{0, 0.00899}, false},
		{Point{0.00904, 0}, true}, {Point{0.00905, 0}, false},
	})
}

func TestCircleHoldsAPole(t *testing.T) {
	check(t, Circle{Point{90, 0}, 100_000}, []membership{
		{Point{90, 123}, true}, {Point{89.5, -170}, true}, {Point{88, 0}, false},
	})
}

func TestCircleLiesAcrossTheAntimeridian(t *testing.T) {
	check(t, Circle{Point{0, 179.99}, 5000}, []membership{
		{Point{0, -179.99}, true}, {Point{0, 180}, true}, {Point{0, -179.9}, false},
	})
}

func TestRingContainsBothEdges(t *testing.T) {
	center, inner, outer := Point{0, 0}, Point{0, 0.01}, Point{0, 0.02}
	check(t, Ring{center, Distance(center, inner), Distance(center, outer)}, []membership{
		{inner, true}, {outer, true}, {Point{0, 0.015}, true},
		{center, false}, {Point{0, 0.009999}, false}, {Point{0, 0.020001}, false},
	})
}

func TestNoShapeContainsWhatIsNotAPoint(t *testing.T) {
	world, err := NewPolygon([]Point{{0, 0}, {0, 90}, {90, 0}})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []Point{{90.1, 0}, {-91, 0}, {math.NaN(), 0}, {0, math.NaN()}, {0, math.Inf(1)}, {math.Inf(-1), 0}} {
		for _, s := range []shape{
			Circle{Point{0, 0}, 1e9}, Ring{Point{0, 0}, 0, 1e9}, box(t, 90, -180, -90, 180), world,
		} {
			check(t, s, []membership{{p, false}})
		}
	}
}

func TestNormalWrapsLongitudesExactly(t *testing.T) {
	for _, tt := range []struct{ in, want float64 }{
		{0, 0}, {180, -180}, {-180, -180}, {540, -180}, {190, -170}, {-190, 170}, {361.5, 1.5}, {-0.1, -0.1}, {720, 0},
	} {
		if got := (Point{Lon: tt.in}).Normal().Lon; got != tt.want {
			t.Errorf("%v is %v, want %v", tt.in, got, tt.want)
		}
	}
}

func box(t *testing.T, top, left, bottom, right float64) Box {
	t.Helper()
	b, err := NewBox(top, left, bottom, right)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
