package geofilter

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

// Fences keep shapes by ID, and find them by asking each: the truth that
// an Index is held to.
type fences map[uint32]Shape

func (f fences) search(p Point) []uint32 {
	var found []uint32
	for id, s := range f {
		if s.Contains(p) {
			found = append(found, id)
		}
	}
	slices.Sort(found)
	return found
}

func agree(t *testing.T, x *Index, f fences, p Point) {
	t.Helper()
	got := x.Search(nil, p)
	slices.Sort(got)
	if want := f.search(p); !slices.Equal(got, want) {
		for _, id := range append(slices.Clone(got), want...) {
			if slices.Contains(got, id) != slices.Contains(want, id) {
				t.Errorf("%d is %T %+v", id, f[id], f[id])
			}
		}
		t.Fatalf("at %v the index finds %v, want %v", p, got, want)
	}
}

// randomShape returns a shape of about this size at or near a point.
func randomShape(random *rand.Rand, at Point, size float64) Shape {
	r := Meters(size * (0.1 + random.Float64()))
	switch random.IntN(4) {
	case 0:
		return Circle{at, r}
	case 1:
		return Ring{at, r * Meters(random.Float64()), r}
	case 2:
		a, b := near(random, at, size), near(random, at, size)
		b2, err := NewBox(max(a.Lat, b.Lat), a.Lon, min(a.Lat, b.Lat), b.Lon)
		if err != nil {
			return Circle{at, r}
		}
		return b2
	default:
		vertices := make([]Point, 3+random.IntN(8))
		for i := range vertices {
			vertices[i] = near(random, at, size)
		}
		g, err := NewPolygon(vertices)
		if err != nil {
			return Circle{at, r}
		}
		return g
	}
}

// corners are places where geometry goes wrong.
var corners = []Point{
	{90, 0}, {-90, 0}, {90, 123}, {0, 180}, {0, -180}, {67, 180}, {-45, -180}, {0, 0}, {48.137, 11.575},
	{0, 45}, {0, 135}, {35.264389682754654, 45}, {-35.264389682754654, -135}, {35.264389682754654, 135}, {45, 0}, {45, 90}, {20, 45},
}

func TestIndexFindsWhatContainsThePoint(t *testing.T) {
	for _, tt := range []struct {
		name     string
		shapes   int
		min, max float64 // meters
		spread   float64
	}{
		{"shapes of a meter", 150, 1, 10, 100},
		{"fences", 150, 50, 2000, 20_000},
		{"fences in a heap", 150, 50, 2000, 200},
		{"regions", 150, 2000, 200_000, 500_000},
		{"countries and continents", 100, 200_000, 5_000_000, 5_000_000},
		{"up to half the planet and more", 50, 2_000_000, 21_000_000, 15_000_000},
		{"all sizes", 150, 1, 10_000_000, 10_000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for i, corner := range corners {
				if testing.Short() && i%4 != 0 {
					continue
				}
				random := rand.New(rand.NewPCG(uint64(i), 1))
				testIndexAround(t, random, corner, tt.shapes, tt.spread, func() float64 {
					return tt.min * math.Pow(tt.max/tt.min, random.Float64())
				})
			}
		})
	}
}

func testIndexAround(t *testing.T, random *rand.Rand, corner Point, shapes int, spread float64, size func() float64) {
	t.Helper()
	var x Index
	f := fences{}
	points := []Point{corner, {-corner.Lat, corner.Lon + 180}}
	for id := range uint32(shapes) {
		at := near(random, corner, spread)
		if id%8 == 0 {
			at = corner
		}
		s := randomShape(random, at, size())
		f[id] = s
		x.Add(id, s)
		points = append(points, at, onEdge(random, s), near(random, at, spread), randomPoint(random))
	}
	for _, p := range points {
		agree(t, &x, f, p)
	}
	for id := range uint32(shapes) {
		if random.IntN(3) > 0 {
			x.Remove(id)
			delete(f, id)
		}
	}
	if x.Len() != len(f) {
		t.Fatalf("Len is %d, want %d", x.Len(), len(f))
	}
	for _, p := range points {
		agree(t, &x, f, p)
	}
	for id := range uint32(shapes) {
		x.Remove(id)
	}
	for face := range x.faces {
		if x.faces[face].Load() != nil {
			t.Fatalf("face %d is not empty at the end", face)
		}
	}
}

// onEdge returns a point on the edge of a shape, or next to it.
func onEdge(random *rand.Rand, s Shape) Point {
	switch s := s.(type) {
	case Box:
		return Point{s.Top, s.Left + random.Float64()*(s.Right-s.Left)}
	case Polygon:
		edges := s.parts[0].edges
		v := edges[random.IntN(len(edges))].V0
		return Point{math.Asin(v.Z) * 180 / math.Pi, math.Atan2(v.Y, v.X) * 180 / math.Pi}
	case Circle:
		return atDistance(random, s.Center, s.Radius)
	case Ring:
		return atDistance(random, s.Center, s.Inner)
	}
	panic("unreachable")
}

// atDistance returns a point that is as good as r away from center: rounding
// decides on which side it is.
func atDistance(random *rand.Rand, center Point, r Meters) Point {
	far := randomPoint(random)
	lo, hi := 0.0, 1.0
	at := func(part float64) Point {
		return Point{center.Lat + part*(far.Lat-center.Lat), center.Lon + part*(far.Lon-center.Lon)}
	}
	for range 60 {
		if mid := (lo + hi) / 2; Distance(center, at(mid)) < r {
			lo = mid
		} else {
			hi = mid
		}
	}
	return at(lo)
}

func TestIndexSearchAppends(t *testing.T) {
	var x Index
	x.Add(7, Circle{Point{48, 11}, 100})
	if got := x.Search([]uint32{1, 2}, Point{48, 11}); !slices.Equal(got, []uint32{1, 2, 7}) {
		t.Errorf("got %v", got)
	}
	if got := x.Search(nil, Point{math.NaN(), 11}); got != nil {
		t.Errorf("got %v for what is not a point", got)
	}
}

func TestIndexAddOfAnIDThatIsPresentPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Add did not panic")
		}
	}()
	var x Index
	x.Add(3, Circle{})
	x.Add(3, Circle{})
}

func TestIndexSearchesWhileOthersAddAndRemove(t *testing.T) {
	var x Index
	center := Point{48.137, 11.575}
	const lasting, passing = 200, 300
	f := fences{}
	random := rand.New(rand.NewPCG(1, 2))
	for id := range uint32(lasting) {
		f[id] = randomShape(random, near(random, center, 2000), 1000)
		x.Add(id, f[id])
	}
	var writers, readers sync.WaitGroup
	stop := make(chan struct{})
	for w := range uint32(2) {
		writers.Go(func() {
			random := rand.New(rand.NewPCG(uint64(w), 3))
			for range 1500 {
				id := lasting + w*passing + random.Uint32N(passing)
				x.Remove(id)
				x.Add(id, randomShape(random, near(random, center, 2000), 1000))
				if !slices.Contains(x.Search(nil, center), id) && x.shapes.contains(id, center) {
					t.Errorf("%d is not found after Add", id)
				}
			}
		})
		readers.Go(func() {
			random := rand.New(rand.NewPCG(uint64(w), 4))
			for {
				select {
				case <-stop:
					return
				default:
				}
				checkSearch(t, &x, f, near(random, center, 2000))
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
}

// checkSearch checks that a search that others disturb finds what lasts, and
// nothing twice.
func checkSearch(t *testing.T, x *Index, lasting fences, p Point) {
	t.Helper()
	got := x.Search(nil, p)
	slices.Sort(got)
	if n := len(got); len(slices.Compact(slices.Clone(got))) != n {
		t.Errorf("%v at %v has something twice", got, p)
	}
	for id, s := range lasting {
		if _, found := slices.BinarySearch(got, id); found != s.Contains(p) {
			t.Errorf("%d at %v: found %v", id, p, found)
		}
	}
}
