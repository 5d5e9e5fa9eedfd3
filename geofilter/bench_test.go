package geofilter

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
)

// A world has towns, with the shapes and the points of a benchmark in and
// around them: large towns have many. With a million circles a point is in 2.4.
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

func (w *world) circles(n int) []Shape {
	circles := make([]Shape, n)
	for i := range circles {
		circles[i] = w.circle()
	}
	return circles
}

// newWorldIndex returns an index with circles, and how many bytes it takes.
func newWorldIndex(circles []Shape) (x *Index, bytes float64) {
	before := heapBytes()
	x = new(Index)
	for id, c := range circles {
		x.Add(uint32(id), c)
	}
	return x, heapBytes() - before
}

func heapBytes() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// A search in a million circles shall take 700 ns, and a circle 200 bytes.
func BenchmarkIndexSearch(b *testing.B) {
	for _, n := range []int{1000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("circles=%d", n), func(b *testing.B) {
			w := newWorld(300)
			circles := w.circles(n)
			x, bytes := newWorldIndex(circles)
			points := w.points(1 << 17)
			var found []uint32
			hits, i := 0, 0
			for b.Loop() {
				found = x.Search(found[:0], points[i%len(points)])
				hits += len(found)
				i++
			}
			b.ReportMetric(float64(hits)/float64(i), "hits/point")
			b.ReportMetric(bytes/float64(n), "B/shape")
			runtime.KeepAlive(circles)
		})
	}
}

// A linear scan is what there would be without an index.
func BenchmarkLinearScan(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprintf("circles=%d", n), func(b *testing.B) {
			w := newWorld(300)
			circles, points := w.circles(n), w.points(1<<10)
			i := 0
			for b.Loop() {
				for _, c := range circles {
					c.Contains(points[i%len(points)])
				}
				i++
			}
		})
	}
}

// Adding and removing together shall go 100,000 times a second, whoever
// searches meanwhile.
func BenchmarkIndexRemoveAndAdd(b *testing.B) {
	for _, searching := range []bool{false, true} {
		b.Run(fmt.Sprintf("circles=1000000/searching=%v", searching), func(b *testing.B) {
			w := newWorld(300)
			circles, points := w.circles(1_000_000), w.points(1<<12)
			x, _ := newWorldIndex(circles)
			var searches atomic.Int64
			stop, done := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(done)
				var found []uint32
				for i := 0; searching; i++ {
					select {
					case <-stop:
						return
					default:
						found = x.Search(found[:0], points[i%len(points)])
						searches.Add(1)
					}
				}
			}()
			i := 0
			for b.Loop() {
				id := i * 7919 % len(circles)
				x.Remove(uint32(id))
				x.Add(uint32(id), circles[id])
				i++
			}
			close(stop)
			<-done
			b.ReportMetric(float64(searches.Load())/float64(i), "searches/op")
		})
	}
}

func BenchmarkIndexSearchPolygons(b *testing.B) {
	w := newWorld(1)
	shapes := make([]Shape, 240)
	place := func() Point { return Point{120*w.random.Float64() - 60, 360 * w.random.Float64()} }
	for i := range shapes {
		g, err := NewPolygon(star(w.random, place(), 1+8*w.random.Float64(), 400))
		if err != nil {
			b.Fatal(err)
		}
		shapes[i] = g
	}
	x, bytes := newWorldIndex(shapes)
	points := make([]Point, 1<<15)
	for i := range points {
		points[i] = place()
	}
	var found []uint32
	i := 0
	for b.Loop() {
		found = x.Search(found[:0], points[i%len(points)])
		i++
	}
	b.ReportMetric(bytes/float64(len(shapes)), "B/shape")
	runtime.KeepAlive(shapes)
}

// A moving point goes 20 m at a time, a parked one is up to 3 m off.
func BenchmarkIndexTrack(b *testing.B) {
	for _, steps := range []float64{3, 20} {
		b.Run(fmt.Sprintf("circles=1000000/meters=%v", steps), func(b *testing.B) {
			w := newWorld(300)
			circles := w.circles(1_000_000)
			x, _ := newWorldIndex(circles)
			points := w.points(1 << 16)
			trails := make([]Trail, len(points))
			var found []uint32
			same, i := 0, 0
			for b.Loop() {
				n := i % len(points)
				turn := float64(i/len(points)+n) * 0.7
				p := points[n]
				p.Lat += steps / 111_000 * math.Sin(turn)
				p.Lon += steps / 111_000 * math.Cos(turn)
				if x.Same(p, &trails[n]) {
					same++
				} else {
					found = x.Track(found[:0], p, &trails[n])
				}
				i++
			}
			b.ReportMetric(float64(same)/float64(i), "same/op")
		})
	}
}

// A path costs little more than a point, while it is short.
func BenchmarkIndexSearchPath(b *testing.B) {
	w := newWorld(300)
	x, _ := newWorldIndex(w.circles(1_000_000))
	points := w.points(1 << 16)
	for _, meters := range []float64{20, 1000, 100_000} {
		b.Run(fmt.Sprintf("circles=1000000/meters=%v", meters), func(b *testing.B) {
			var found []uint32
			hits, i := 0, 0
			for b.Loop() {
				p := points[i%len(points)]
				found = x.SearchPath(found[:0], p, Point{p.Lat + meters/111_000, p.Lon})
				hits += len(found)
				i++
			}
			b.ReportMetric(float64(hits)/float64(i), "hits/path")
		})
	}
}
