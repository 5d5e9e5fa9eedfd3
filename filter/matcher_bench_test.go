package filter

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A workload makes filters and documents, the same ones for the same seed.
type workload struct {
	name     string
	sizes    []int
	filter   func(random *rand.Rand, i, of int) string
	document func(random *rand.Rand, of int) string
}

func uniform(random *rand.Rand, low, high float64) float64 { return low + (high-low)*random.Float64() }

// town spreads positions over 3,000 towns of 10 km, by a seed of their own.
func town(random *rand.Rand) (lat, lon float64) {
	place := rand.New(rand.NewPCG(uint64(random.IntN(3000)), 1))
	lat, lon = uniform(place, -50, 60), uniform(place, -180, 180)
	return lat + 0.05*random.NormFloat64(), lon + 0.05*random.NormFloat64()
}

var workloads = []workload{{
	// Target: 1.5 µs at a million.
	name: "geo and equals and range", sizes: []int{10_000, 100_000, 1_000_000},
	filter: func(random *rand.Rand, _, _ int) string {
		lat, lon := town(random)
		return fmt.Sprintf(`{"and":[{"geoDistance":{"p":[%.5f,%.5f],"distance":%.0f}},{"equals":{"occupied":%v}},{"range":{"speed":{"gte":%d,"lt":%d}}}]}`,
			lat, lon, uniform(random, 100, 2000), random.IntN(2) == 0, random.IntN(20), 20+random.IntN(60))
	},
	document: func(random *rand.Rand, _ int) string {
		lat, lon := town(random)
		return fmt.Sprintf(`{"plate":"T-%d","speed":%.1f,"occupied":%v,"p":{"lat":%.6f,"lon":%.6f},"heading":%d,"line":"N%d","fuel":0.5}`,
			random.IntN(1000), uniform(random, 0, 80), random.IntN(2) == 0, lat, lon, random.IntN(360), random.IntN(20))
	},
}, {
	// Target: 200 bytes a filter.
	name: "circles", sizes: []int{100_000, 1_000_000},
	filter: func(random *rand.Rand, _, _ int) string {
		lat, lon := town(random)
		return fmt.Sprintf(`{"geoDistance":{"p":[%.5f,%.5f],"distance":%.0f}}`, lat, lon, uniform(random, 100, 2000))
	},
	document: func(random *rand.Rand, _ int) string {
		lat, lon := town(random)
		return fmt.Sprintf(`{"speed":%.1f,"p":[%.6f,%.6f]}`, uniform(random, 0, 80), lat, lon)
	},
}, {
	// Target: 300 ns.
	name: "equals", sizes: []int{10_000, 100_000, 1_000_000},
	filter: func(random *rand.Rand, _, of int) string {
		return fmt.Sprintf(`{"equals":{"field%d":"value %d"}}`, random.IntN(10), random.IntN(of))
	},
	document: func(random *rand.Rand, of int) string {
		body := `{"field0":1`
		for i := 1; i < 8; i++ {
			body += fmt.Sprintf(`,"field%d":"value %d"`, i, random.IntN(2*of))
		}
		return body + "}"
	},
}, {
	name: "narrow ranges", sizes: []int{10_000, 100_000, 1_000_000},
	filter: func(random *rand.Rand, _, of int) string {
		low := uniform(random, 0, 1e6)
		return fmt.Sprintf(`{"range":{"a":{"gte":%v,"lt":%v}}}`, low, low+uniform(random, 0, 2e7/float64(of)))
	},
	document: func(random *rand.Rand, _ int) string { return fmt.Sprintf(`{"a":%v,"b":1}`, uniform(random, 0, 1e6)) },
}, {
	name: "one-sided ranges", sizes: []int{10_000, 100_000},
	filter: func(random *rand.Rand, _, _ int) string {
		return fmt.Sprintf(`{"range":{"a":{"gt":%v}}}`, uniform(random, 0, 1e6))
	},
	document: func(random *rand.Rand, of int) string {
		return fmt.Sprintf(`{"a":%v,"b":1}`, uniform(random, 0, 2e7/float64(of)))
	},
}, {
	// What matches by default is all there is to do: 10,000 keys a document.
	name: "not and missing", sizes: []int{10_000},
	filter: func(random *rand.Rand, i, _ int) string {
		switch i % 10 {
		case 0:
			return fmt.Sprintf(`{"and":[{"missing":"fault%d"},{"equals":{"line":%d}}]}`, random.IntN(1000), i)
		case 1:
			return fmt.Sprintf(`{"and":[{"not":{"equals":{"plate":"P%d"}}},{"exists":"field%d"}]}`, i, i)
		case 2:
			return fmt.Sprintf(`{"not":{"range":{"speed":{"lt":%d}}}}`, 100+i)
		}
		return fmt.Sprintf(`{"not":{"exists":"plate[%d]"}}`, i)
	},
	document: func(random *rand.Rand, _ int) string {
		return fmt.Sprintf(`{"plate":"P%d","line":%d,"speed":10}`, random.IntN(10_000), random.IntN(10_000))
	},
}, {
	name: "regexps", sizes: []int{10_000},
	filter: func(random *rand.Rand, i, _ int) string {
		return fmt.Sprintf(`{"regexp":{"plate":"^[A-Z]+ ?%05d[a-f]*$"}}`, i)
	},
	document: func(random *rand.Rand, _ int) string {
		return fmt.Sprintf(`{"plate":"MUC %05db","speed":1}`, random.IntN(20_000))
	},
}, {
	name: "blocks of addresses", sizes: []int{10_000, 100_000},
	filter: func(random *rand.Rand, _, _ int) string {
		if random.IntN(2) == 0 {
			return fmt.Sprintf(`{"cidr":{"ip":"2001:db8:%x:%x::/64"}}`, random.IntN(1<<16), random.IntN(1<<16))
		}
		return fmt.Sprintf(`{"cidr":{"ip":"10.%d.%d.0/%d"}}`, random.IntN(256), random.IntN(256), 20+random.IntN(9))
	},
	document: func(random *rand.Rand, _ int) string {
		return fmt.Sprintf(`{"ip":"10.%d.%d.%d","port":8883}`, random.IntN(256), random.IntN(256), random.IntN(256))
	},
}, {
	name: "deadlines", sizes: []int{10_000, 100_000},
	filter: func(random *rand.Rand, _, _ int) string {
		at := time.Date(2026, 1, 1, 0, 0, random.IntN(1e8), 0, time.UTC)
		return fmt.Sprintf(`{"before":{"at":"%s"}}`, at.Format(time.RFC3339))
	},
	document: func(random *rand.Rand, of int) string {
		at := time.Date(2026, 1, 1, 0, 0, 1e8-random.IntN(2e9/of), random.IntN(1e9), time.FixedZone("", 3600))
		return fmt.Sprintf(`{"at":"%s","speed":1}`, at.Format(time.RFC3339Nano))
	},
}}

// BenchmarkMatcher matches against the filters of each workload. It counts CPU
// time besides, as machines are shared, and the memory of a filter while the
// parsed filters are not kept. The matches are compared with the truth before.
func BenchmarkMatcher(b *testing.B) {
	for _, w := range workloads {
		for _, n := range w.sizes {
			b.Run(fmt.Sprintf("%s/%d", w.name, n), func(b *testing.B) {
				if testing.Short() && n > 100_000 {
					b.Skip("takes a minute")
				}
				benchmarkWorkload(b, w, n)
			})
		}
	}
}

func benchmarkWorkload(b *testing.B, w workload, n int) {
	b.Helper()
	before := heapBytes()
	m := new(Matcher[int])
	spent := cpuTime()
	w.each(b, n, func(i int, f *Filter) { m.Add(i, f) })
	building := cpuTime() - spent
	bytes := float64(heapBytes()-before) / float64(n)
	w.check(b, m, n, w.documents(b, 3, n, max(5, 100_000/n)))

	// Documents come fresh from the parser, a few at a time, as in a broker;
	// only matching is counted.
	const few = 64
	var found []int
	matches, cpu, took := 0, 0.0, time.Duration(0)
	random := rand.New(rand.NewPCG(5, 6))
	for b.Loop() {
		documents := w.some(b, random, n, few)
		cpu -= cpuTime()
		start := time.Now()
		for _, d := range documents {
			found = m.Match(found[:0], d)
			matches += len(found)
		}
		took += time.Since(start)
		cpu += cpuTime()
	}
	count := float64(few * b.N)
	b.ReportMetric(0, "ns/op") // of a few documents and their making
	b.ReportMetric(float64(took)/count, "match-ns")
	b.ReportMetric(cpu/count, "cpu-ns")
	b.ReportMetric(float64(matches)/count, "matches")
	b.ReportMetric(bytes, "B/filter")
	b.ReportMetric(building/float64(n), "add-ns")
	runtime.KeepAlive(m)
}

// BenchmarkLinear walks the filters of the same workloads, as many as it can.
func BenchmarkLinear(b *testing.B) {
	for _, w := range workloads {
		const n = 10_000
		b.Run(fmt.Sprintf("%s/%d", w.name, n), func(b *testing.B) {
			var m linear[int]
			w.each(b, n, func(i int, f *Filter) { m.Add(i, f) })
			documents := w.documents(b, 3, n, 64)
			var found []int
			i, spent := 0, cpuTime()
			for b.Loop() {
				found = m.Match(found[:0], documents[i%len(documents)])
				i++
			}
			b.ReportMetric((cpuTime()-spent)/float64(b.N), "cpu-ns")
		})
	}
}

func (w workload) each(b *testing.B, n int, do func(i int, f *Filter)) {
	b.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		f, err := Parse([]byte(w.filter(random, i, n)))
		if err != nil {
			b.Fatal(err)
		}
		do(i, f)
	}
}

func (w workload) documents(b *testing.B, seed uint64, n, count int) []*Document {
	b.Helper()
	return w.some(b, rand.New(rand.NewPCG(seed, 4)), n, count)
}

func (w workload) some(b *testing.B, random *rand.Rand, n, count int) []*Document {
	b.Helper()
	documents := make([]*Document, count)
	for i := range documents {
		var err error
		if documents[i], err = ParseDocument([]byte(w.document(random, n)), DocumentLimits{}); err != nil {
			b.Fatal(err)
		}
	}
	return documents
}

func (w workload) check(b *testing.B, m *Matcher[int], n int, documents []*Document) {
	b.Helper()
	want := make([][]int, len(documents))
	w.each(b, n, func(i int, f *Filter) {
		for j, d := range documents {
			if f.Match(d) {
				want[j] = append(want[j], i)
			}
		}
	})
	for j, d := range documents {
		got := m.Match(nil, d)
		if slices.Sort(got); !slices.Equal(got, want[j]) {
			b.Fatalf("document %d: got %v, want %v", j, got, want[j])
		}
	}
}

func heapBytes() int64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// cpuTime returns the nanoseconds that the process has run so far.
func cpuTime() float64 {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return float64(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkMatcherChanges removes a filter and adds another, of which each
// workload has 100,000 at a time, while nothing else runs. Target: 10 µs.
func BenchmarkMatcherChanges(b *testing.B) {
	for _, w := range workloads {
		b.Run(w.name, func(b *testing.B) {
			const n, spare = 100_000, 20_000
			var m Matcher[int]
			var filters []*Filter
			w.each(b, n+spare, func(i int, f *Filter) {
				if i < n {
					m.Add(i, f)
				}
				filters = append(filters, f)
			})
			i, spent := 0, cpuTime()
			for b.Loop() {
				m.Remove(i % len(filters))
				m.Add((i+n)%len(filters), filters[(i+n)%len(filters)])
				i++
			}
			b.ReportMetric((cpuTime()-spent)/float64(b.N), "cpu-ns")
		})
	}
}

// BenchmarkMatcherUnderChange matches the first workload while a writer makes
// 50,000 changes a second, or none, and says how long the slowest of a hundred
// matches takes.
func BenchmarkMatcherUnderChange(b *testing.B) {
	w := workloads[0]
	for _, perSecond := range []int{0, 50_000} {
		b.Run(fmt.Sprint(perSecond), func(b *testing.B) {
			const n = 100_000
			var m Matcher[int]
			var filters []*Filter
			w.each(b, n, func(i int, f *Filter) { m.Add(i, f); filters = append(filters, f) })
			stop := make(chan struct{})
			var writer sync.WaitGroup
			if perSecond > 0 {
				writer.Go(func() { change(&m, filters, perSecond, stop) })
			}
			documents := w.documents(b, 3, n, 1024)
			var found []int
			var times []time.Duration
			for b.Loop() {
				start := time.Now()
				found = m.Match(found[:0], documents[len(times)%len(documents)])
				times = append(times, time.Since(start))
			}
			close(stop)
			writer.Wait()
			slices.Sort(times)
			b.ReportMetric(float64(times[len(times)/2]), "p50-ns")
			b.ReportMetric(float64(times[len(times)*99/100]), "p99-ns")
		})
	}
}

// change removes filters and adds them again, so many a second.
func change(m *Matcher[int], filters []*Filter, perSecond int, stop chan struct{}) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for i := 0; ; {
		select {
		case <-stop:
			return
		case <-tick.C:
			for range perSecond / 2000 {
				m.Remove(i % len(filters))
				m.Add(i%len(filters), filters[i%len(filters)])
				i++
			}
		}
	}
}
