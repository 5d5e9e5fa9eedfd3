package filter

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// A fleet is documents that change, and filters on them.
type fleet struct {
	name    string
	filters int
	filter  func(random *rand.Rand, i, of int) string
	size    int
	// version returns the next version of a document; turn counts its versions.
	version func(random *rand.Rand, id, turn int) string
}

// A walker is at a place of a town, and goes 20 m a turn along a spiral; of ten
// three are parked, whose receiver is off by up to 3 m.
func walker(random *rand.Rand, id, turn int) (lat, lon float64) {
	const degree = 111_000
	lat, lon = town(rand.New(rand.NewPCG(uint64(id), 7)))
	off, angle := 3*random.Float64(), 2*math.Pi*random.Float64()
	if id%10 >= 3 {
		angle = 2 * math.Sqrt(float64(turn))
		off = 20 * angle / 2
	}
	return lat + off/degree*math.Cos(angle), lon + off/degree*math.Sin(angle)/math.Cos(lat*math.Pi/180)
}

func circles(random *rand.Rand, i, of int) string { return workloads[1].filter(random, i, of) }

func walk(random *rand.Rand, id, turn int) string {
	lat, lon := walker(random, id, turn)
	return fmt.Sprintf(`{"speed":%.1f,"p":[%.7f,%.7f]}`, uniform(random, 0, 80), lat, lon)
}

var fleets = []fleet{{
	// Target: 100 ns.
	name: "parked among circles", filters: 1_000_000, filter: circles, size: 1,
	version: func(random *rand.Rand, _, turn int) string { return walk(random, 0, turn) },
}, {
	// Target: 400 ns.
	name: "walkers among circles", filters: 1_000_000, filter: circles, size: 100_000, version: walk,
}, {
	name: "walkers among circles", filters: 100_000, filter: circles, size: 100_000, version: walk,
}, {
	name: "position only", filters: 50_000,
	filter: func(random *rand.Rand, _, _ int) string {
		return fmt.Sprintf(`{"and":[{"equals":{"status":"available"}},{"range":{"battery":{"gt":%.4f}}}]}`, uniform(random, 20, 100))
	},
	size: 1000,
	version: func(random *rand.Rand, id, turn int) string {
		lat, lon := walker(random, id, turn)
		return fmt.Sprintf(`{"status":"available","battery":%.4f,"p":[%.7f,%.7f]}`, 20+0.001*float64(id%10), lat, lon)
	},
}, {
	name: "speed only, among geo and equals and range", filters: 100_000, filter: workloads[0].filter, size: 10_000,
	version: func(random *rand.Rand, id, _ int) string {
		lat, lon := walker(random, 10*id, 0)
		return fmt.Sprintf(`{"speed":%.1f,"occupied":%v,"p":[%.7f,%.7f]}`, uniform(random, 0, 80), id%2 == 0, lat, lon)
	},
}, {
	name: "everything changes", filters: 100_000, filter: workloads[0].filter, size: 10_000,
	version: func(random *rand.Rand, _, _ int) string { return workloads[0].document(random, 0) },
}}

// BenchmarkUpdate compares Update with two matches and a merge of their keys.
// Parsing is counted for neither; only the latter needs the version before. Both
// answers are compared before.
func BenchmarkUpdate(b *testing.B) {
	for _, f := range fleets {
		b.Run(fmt.Sprintf("%s/%d", f.name, f.filters), func(b *testing.B) {
			if testing.Short() && f.filters > 100_000 {
				b.Skip("takes a minute")
			}
			var m Matcher[int]
			workload{filter: f.filter}.each(b, f.filters, func(i int, f *Filter) { m.Add(i, f) })
			for _, how := range []string{"update", "match twice"} {
				b.Run(how, func(b *testing.B) { benchmarkUpdate(b, f, &m, how == "update") })
			}
		})
	}
}

func benchmarkUpdate(b *testing.B, f fleet, m *Matcher[int], update bool) {
	b.Helper()
	random := rand.New(rand.NewPCG(5, 6))
	standings, last := make([]Standing, f.size), make([]*Document, f.size)
	var c, want Changes[int]
	var before, after []int
	one := func(id int, d *Document, c *Changes[int], update bool) {
		if !update {
			before, after = m.Match(before[:0], last[id]), m.Match(after[:0], d)
			mergeKeys(c, before, after)
		} else if err := m.Update(c, &standings[id], func() (*Document, error) { return last[id], nil }, d); err != nil {
			b.Fatal(err)
		}
	}
	turn := 0
	next := func(id int) *Document {
		d, err := ParseDocument([]byte(f.version(random, id, turn)), DocumentLimits{})
		if err != nil {
			b.Fatal(err)
		}
		return d
	}
	for id := range f.size {
		last[id] = next(id)
		m.Update(&c, &standings[id], func() (*Document, error) { return nil, nil }, last[id]) //nolint:errcheck // there is none
	}
	for id := range min(f.size, 1000) {
		d := next(id)
		one(id, d, &c, true)
		one(id, d, &want, false)
		if last[id] = d; !sameChanges(c, want) {
			b.Fatalf("got %v, want %v", c, want)
		}
	}

	const few = 256
	stays, id, cpu, took := 0, 0, 0.0, time.Duration(0)
	documents := make([]*Document, few)
	for b.Loop() {
		first := id
		for i := range documents {
			if documents[i] = next(id); id == f.size-1 {
				turn, id = turn+1, -1
			}
			id++
		}
		cpu -= cpuTime()
		start := time.Now()
		for i, d := range documents {
			one((first+i)%f.size, d, &c, update)
			last[(first+i)%f.size] = d
			stays += len(c.Stayed)
		}
		took += time.Since(start)
		cpu += cpuTime()
	}
	count := float64(few * b.N)
	b.ReportMetric(0, "ns/op") // of a few documents and their making
	b.ReportMetric(float64(took)/count, "update-ns")
	b.ReportMetric(cpu/count, "cpu-ns")
	b.ReportMetric(float64(stays)/count, "stays")
	size := 0
	for i := range standings {
		size += standings[i].SizeBytes()
	}
	b.ReportMetric(float64(size)/float64(f.size), "B/standing")
}

// mergeKeys sets c to what two lists of keys, which it sorts, mean.
func mergeKeys(c *Changes[int], before, after []int) {
	c.Entered, c.Stayed, c.Exited = c.Entered[:0], c.Stayed[:0], c.Exited[:0]
	slices.Sort(before)
	slices.Sort(after)
	for len(before) > 0 || len(after) > 0 {
		switch {
		case len(after) == 0 || len(before) > 0 && before[0] < after[0]:
			c.Exited, before = append(c.Exited, before[0]), before[1:]
		case len(before) == 0 || after[0] < before[0]:
			c.Entered, after = append(c.Entered, after[0]), after[1:]
		default:
			c.Stayed, before, after = append(c.Stayed, after[0]), before[1:], after[1:]
		}
	}
}

func sameChanges(a, b Changes[int]) bool {
	for _, keys := range [][]int{a.Entered, a.Stayed, a.Exited, b.Entered, b.Stayed, b.Exited} {
		slices.Sort(keys)
	}
	return slices.Equal(a.Entered, b.Entered) && slices.Equal(a.Stayed, b.Stayed) && slices.Equal(a.Exited, b.Exited)
}
