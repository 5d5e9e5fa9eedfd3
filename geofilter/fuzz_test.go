package geofilter

import (
	"math"
	"math/rand/v2"
	"testing"
)

// FuzzIndex adds and removes random shapes around a random place, and asks the
// index and each shape for the same points.
func FuzzIndex(f *testing.F) {
	for i, corner := range corners {
		for _, size := range []float64{0, 2, 5, 6.5} {
			f.Add(uint64(i), corner.Lat, corner.Lon, size, size+1)
		}
	}
	f.Fuzz(func(t *testing.T, seed uint64, lat, lon, size, spread float64) {
		at := Point{lat, lon}
		if !at.Valid() || !(size >= -1 && size <= 7.5) || !(spread >= -1 && spread <= 7.5) {
			t.Skip()
		}
		random := rand.New(rand.NewPCG(seed, 5))
		var x Index
		shapes := fences{}
		points := []Point{at, {-at.Lat, at.Lon + 180}}
		for range 200 {
			id := random.Uint32N(100)
			if _, ok := shapes[id]; ok {
				x.Remove(id)
				delete(shapes, id)
			} else {
				s := randomShape(random, near(random, at, math.Pow(10, spread)), math.Pow(10, size*random.Float64()))
				x.Add(id, s)
				shapes[id] = s
				points = append(points, onEdge(random, s))
			}
			points = append(points, near(random, at, math.Pow(10, spread)), randomPoint(random))
			agree(t, &x, shapes, points[random.IntN(len(points))])
		}
		for _, p := range points {
			agree(t, &x, shapes, p)
		}
	})
}
