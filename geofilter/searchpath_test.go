package geofilter

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// agreeAlong holds SearchPath to what each shape says.
func agreeAlong(t *testing.T, x *Index, f fences, a, b Point) {
	t.Helper()
	got := x.SearchPath(nil, a, b)
	slices.Sort(got)
	var want []uint32
	for id, s := range f {
		if s.Meets(a, b) {
			want = append(want, id)
		}
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		for _, id := range append(slices.Clone(got), want...) {
			if slices.Contains(got, id) != slices.Contains(want, id) {
				t.Errorf("%d is %T %+v", id, f[id], f[id])
			}
		}
		t.Fatalf("from %v to %v the index finds %v, want %v", a, b, got, want)
	}
}

func testPaths(t *testing.T, random *rand.Rand, at Point, size, spread float64) {
	t.Helper()
	var x Index
	f := fences{}
	for id := range uint32(150) {
		f[id] = randomShape(random, near(random, at, spread), size*math.Pow(10, -2*random.Float64()))
		x.Add(id, f[id])
	}
	for id := range uint32(50) {
		x.Remove(id)
		delete(f, id)
	}
	for range 25 {
		a := near(random, at, spread)
		b := near(random, a, spread*math.Pow(10, -3*random.Float64()))
		if random.IntN(4) == 0 {
			a = onEdge(random, f[50+random.Uint32N(100)])
		}
		agreeAlong(t, &x, f, a, b)
	}
}

func TestSearchPathFindsWhatMeetsTheWay(t *testing.T) {
	for i, corner := range corners {
		if testing.Short() && i%4 != 0 {
			continue
		}
		for _, size := range []float64{10, 1000, 100_000, 3_000_000} {
			random := rand.New(rand.NewPCG(uint64(i), 51))
			testPaths(t, random, corner, size, 3*size)
		}
	}
}

func TestSearchPathAppendsEachOnce(t *testing.T) {
	var x Index
	for id := range uint32(200) { // so many that cells are divided
		x.Add(id, Circle{Point{48, 11 + float64(id)/1000}, 500})
	}
	got := x.SearchPath([]uint32{1000}, Point{48, 10.5}, Point{48, 11.5})
	slices.Sort(got[1:])
	if len(got) != 201 || got[0] != 1000 || got[1] != 0 || got[200] != 199 {
		t.Errorf("got %v", got)
	}
	if got := x.SearchPath(nil, Point{48, 11}, Point{91, 0}); got != nil {
		t.Errorf("got %v for what is not a point", got)
	}
}

// FuzzSearchPath asks the index and each shape for the same ways.
func FuzzSearchPath(f *testing.F) {
	for i, corner := range corners {
		f.Add(uint64(i), corner.Lat, corner.Lon, float64(i%8), float64(i%7))
	}
	f.Fuzz(func(t *testing.T, seed uint64, lat, lon, size, spread float64) {
		at := Point{lat, lon}
		if !at.Valid() || !(size >= -1 && size <= 7.3) || !(spread >= -1 && spread <= 6.5) {
			t.Skip()
		}
		testPaths(t, rand.New(rand.NewPCG(seed, 52)), at, math.Pow(10, size), math.Pow(10, spread))
	})
}
