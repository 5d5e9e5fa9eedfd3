package geofilter

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
)

// A world has towns, with the shapes and the points of a benchmark in and
// around them: large towns have many.
type world struct {
	random *rand.Rand
	towns  []town
	total  float64
}

type town struct {
	center     Point
	size       float64 // meters
	population float64
	sum        float64 // of the populations up to this one
}

func newWorld(towns int) *world {
	w := &world{random: rand.New(rand.NewPCG(1, 2))}
	for i := range towns {
		population := 1 / float64(i+3) // Zipf's law
		w.total += population
		w.towns = append(w.towns, town{
			center: Point{Lat: 120*w.random.Float64() - 55, Lon: 360*w.random.Float64() - 180},
			size:   100_000 * math.Sqrt(population*3), population: population, sum: w.total,
		})
	}
	return w
}

// point returns a point in a town, normally distributed around its centre.
func (w *world) point() Point {
	target := w.random.Float64() * w.total
	i := 0
	for w.towns[i].sum < target {
		i++
	}
	c, degrees := w.towns[i].center, w.towns[i].size/111_000
	return Point{
		Lat: c.Lat + degrees*w.random.NormFloat64(),
		Lon: c.Lon + degrees*w.random.NormFloat64()/math.Cos(c.Lat*math.Pi/180),
	}
}

func (w *world) circle() Circle {
	return Circle{w.point(), Meters(100 + 1900*w.random.Float64())}
}

func (w *world) points(n int) []Point {
	points := make([]Point, n)
	for i := range points {
		points[i] = w.point()
	}
	return points
}

func heap() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

func BenchmarkIndexSearch(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprintf("circles=%d", n), func(b *testing.B) {
			w := newWorld(300)
			circles := make([]Shape, n)
			for i := range circles {
				circles[i] = w.circle()
			}
			points := w.points(1 << 16)
			before := heap()
			var x Index
			for i, c := range circles {
				x.Add(uint32(i), c)
			}
			bytes := (heap() - before) / float64(n)
			var found []uint32
			hits, i := 0, 0
			for b.Loop() {
				found = x.Search(found[:0], points[i%len(points)])
				hits += len(found)
				i++
			}
			b.ReportMetric(float64(hits)/float64(i), "hits/point")
			b.ReportMetric(bytes, "B/shape")
			runtime.KeepAlive(circles)
		})
	}
}
