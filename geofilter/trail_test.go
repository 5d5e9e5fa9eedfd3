package geofilter

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// A mover is a point under way, and what was in it at the last Track.
type mover struct {
	at    Point
	trail Trail
	found []uint32
}

// follow moves m to p, and holds the index to what the shapes say. It reports
// whether the answer was known to be the same.
func (m *mover) follow(t *testing.T, x *Index, f fences, p Point) bool {
	t.Helper()
	m.at = p
	want := f.search(p)
	if !x.Same(p, &m.trail) {
		m.found = x.Track(m.found[:0], p, &m.trail)
		slices.Sort(m.found)
		if !slices.Equal(m.found, want) {
			t.Fatalf("at %v Track finds %v, want %v", p, m.found, want)
		}
		return false
	}
	m.found = slices.DeleteFunc(m.found, func(id uint32) bool { return f[id] == nil })
	if !slices.Equal(m.found, want) {
		t.Fatalf("at %v there is the same as at %v, which is %v; want %v", p, m.trail.at, m.found, want)
	}
	return true
}

// testTrails moves points by small and large steps, while shapes come and go.
func testTrails(t *testing.T, random *rand.Rand, at Point, size, spread float64) (same, asked int) {
	t.Helper()
	var x Index
	f := fences{}
	var ids []uint32
	movers := make([]mover, 10)
	for step := range 400 {
		if len(ids) > 0 && random.IntN(8) == 0 {
			i := random.IntN(len(ids))
			x.Remove(ids[i])
			delete(f, ids[i])
			ids = slices.Delete(ids, i, i+1)
		} else if random.IntN(4) == 0 {
			id := uint32(step)
			f[id] = randomShape(random, near(random, at, spread), size*math.Pow(10, -2*random.Float64()))
			x.Add(id, f[id])
			ids = append(ids, id)
		}
		for i := range movers {
			m := &movers[i]
			p := near(random, m.at, spread*math.Pow(10, -8*random.Float64()))
			if step == 0 || random.IntN(20) == 0 {
				p = near(random, at, spread)
			} else if len(ids) > 0 && random.IntN(10) == 0 {
				p = onEdge(random, f[ids[random.IntN(len(ids))]])
			}
			asked++
			if m.follow(t, &x, f, p) {
				same++
			}
		}
	}
	return same, asked
}

func TestTrailsNeverMissAChange(t *testing.T) {
	same, asked := 0, 0
	for i, corner := range corners {
		for _, size := range []float64{10, 1000, 100_000, 8_000_000} {
			random := rand.New(rand.NewPCG(uint64(i), 31))
			s, a := testTrails(t, random, corner, size, size)
			same, asked = same+s, asked+a
		}
	}
	if same < asked/4 {
		t.Errorf("only %d of %d moves were known to change nothing", same, asked)
	}
}

// FuzzTrail holds Same to what shapes contain, while points move and shapes come
// and go.
func FuzzTrail(f *testing.F) {
	for i, corner := range corners {
		f.Add(uint64(i), corner.Lat, corner.Lon, float64(i%8), float64(i%7))
	}
	f.Fuzz(func(t *testing.T, seed uint64, lat, lon, size, spread float64) {
		at := Point{lat, lon}
		if !at.Valid() || !(size >= -1 && size <= 7.5) || !(spread >= -1 && spread <= 7.5) {
			t.Skip()
		}
		testTrails(t, rand.New(rand.NewPCG(seed, 32)), at, math.Pow(10, size), math.Pow(10, spread))
	})
}

func TestParkedPointsAmongManyCirclesStayTheSame(t *testing.T) {
	const circles, points, fixes, noise = 100_000, 5000, 10, 3 // meters
	w := newWorld(300)
	var x Index
	for id, c := range w.circles(circles) {
		x.Add(uint32(id), c)
	}
	same := 0
	for _, parked := range w.points(points) {
		var trail Trail
		x.Track(nil, parked, &trail)
		for range fixes {
			p := near(w.random, parked, noise)
			if x.Same(p, &trail) {
				same++
			} else {
				x.Track(nil, p, &trail)
			}
		}
	}
	if share := float64(same) / (points * fixes); share < 0.95 {
		t.Errorf("%.1f %% of fixes were known to change nothing, want 95 %%", 100*share)
	} else {
		t.Logf("%.1f %%", 100*share)
	}
}

func TestPointsInCountriesStayTheSame(t *testing.T) {
	var x Index
	country := polygon(t, Point{47, 6}, Point{55, 7}, Point{54, 14}, Point{48, 13})
	for id, s := range []Shape{
		country, box(t, 60, -10, 40, 20), Circle{Point{48, 11}, 800_000}, Ring{Point{48, 11}, 300_000, 900_000},
	} {
		x.Add(uint32(id), s)
	}
	var trail Trail
	x.Track(nil, Point{50, 10}, &trail)
	for _, p := range []Point{{50, 10}, {50.0001, 10.0001}, {49.9999, 370}, {50, 9.9999}} {
		if !x.Same(p, &trail) {
			t.Errorf("%v is not known to be the same as %v", p, trail.at)
		}
	}
}

func TestOnlyShapesNearbyEndATrail(t *testing.T) {
	munich, augsburg, berlin := Point{48.137, 11.575}, Point{48.37, 10.9}, Point{52.52, 13.4}
	var x Index
	var trail Trail
	x.Track(nil, munich, &trail)
	x.Add(0, Circle{berlin, 1000})
	if x.Same(munich, &trail) {
		t.Error("the first shape of an index ends all trails")
	}
	x.Track(nil, munich, &trail)
	x.Add(1, Circle{berlin, 1000})
	x.Add(2, Circle{augsburg, 5000})
	x.Add(3, Box{Top: 53, Left: 13, Bottom: 52, Right: 14})
	if !x.Same(munich, &trail) {
		t.Error("shapes far away end a trail")
	}
	x.Add(4, Circle{munich, 1000})
	if x.Same(munich, &trail) {
		t.Error("a shape around a point does not end its trail")
	}
	x.Track(nil, munich, &trail)
	x.Remove(4)
	if !x.Same(munich, &trail) {
		t.Error("a removal ends a trail")
	}
	x.Add(5, Box{Top: 60, Left: -10, Bottom: 40, Right: 20})
	if x.Same(munich, &trail) {
		t.Error("a large shape around a point does not end its trail")
	}
}

func TestNothingIsTheSameAsNothing(t *testing.T) {
	var x Index
	var trail Trail
	if x.Same(Point{}, &trail) {
		t.Error("a trail that was never tracked is the same")
	}
	x.Add(1, Circle{Radius: 1000})
	x.Track(nil, Point{}, &trail)
	for _, p := range []Point{{math.NaN(), 0}, {0, math.Inf(1)}, {91, 0}} {
		if x.Same(p, &trail) {
			t.Errorf("%v, which is no point, is the same", p)
		}
	}
	if got := x.Track(nil, Point{91, 0}, &trail); got != nil || x.Same(Point{}, &trail) {
		t.Errorf("got %v for what is not a point", got)
	}
}
