package filter

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// Target: 4 µs a change where filters are found by what changed, by the way of
// the vehicle, or by the distance from one document, however many there are. Of
// as many documents, 50 ns for each that is far away.
func BenchmarkMoments(b *testing.B) {
	for _, bb := range []struct {
		name   string
		sizes  []int
		filter func(random *rand.Rand, i int) string
	}{
		{"changed", []int{1000, 100_000}, func(_ *rand.Rand, i int) string {
			return fmt.Sprintf(`{"and":[{"changed":"field%d"},{"equals":{"field%d":%d}}]}`, i%10, i%10, i)
		}},
		{"changed, of as many fields", []int{1000, 100_000}, func(_ *rand.Rand, i int) string {
			return fmt.Sprintf(`{"changed":"field%d"}`, i)
		}},
		{"crossed", []int{1000, 100_000}, func(random *rand.Rand, _ int) string {
			lat, lon := town(random)
			return fmt.Sprintf(`{"crossed":{"geoDistance":{"p":[%.5f,%.5f],"distance":%.0f}}}`, lat, lon, uniform(random, 50, 200))
		}},
		{"near one document", []int{1000, 100_000}, func(_ *rand.Rand, i int) string {
			return fmt.Sprintf(`{"near":{"p":{"id":"depot","distance":%d}}}`, i)
		}},
		{"near as many documents", []int{100, 1000}, func(_ *rand.Rand, i int) string {
			return fmt.Sprintf(`{"near":{"p":{"id":"depot %d","distance":100}}}`, i)
		}},
	} {
		for _, size := range bb.sizes {
			b.Run(fmt.Sprintf("%s/%d", bb.name, size), func(b *testing.B) { benchmarkMoments(b, size, bb.filter) })
		}
	}
}

// benchmarkMoments has vehicles drive some 500 m between two reports.
func benchmarkMoments(b *testing.B, size int, filter func(random *rand.Rand, i int) string) {
	b.Helper()
	random := rand.New(rand.NewPCG(9, 9))
	var m Matcher[int]
	for i := range size {
		f, err := Parse([]byte(filter(random, i)))
		if err != nil {
			b.Fatal(err)
		}
		m.Add(i, f)
	}
	changes := make([]*Document, 4096)
	for i := range changes {
		lat, lon := town(random)
		report := func(speed int) *Document {
			lat, lon = lat+0.003*random.NormFloat64(), lon+0.003*random.NormFloat64()
			d, err := ParseDocument(fmt.Appendf(nil, `{"_id":"truck-%d","p":[%.6f,%.6f],"field1":"moving","field2":%d,"field3":true}`, i, lat, lon, speed), DocumentLimits{})
			if err != nil {
				b.Fatal(err)
			}
			return d
		}
		previous := report(50)
		changes[i] = report(51)
		changes[i].Follow(previous)
		depot := changes[0].Position("p")
		changes[i].Among(func(Neighbour) Position { return depot })
	}
	matches, i, found := 0, 0, []int(nil)
	spent := cpuTime()
	for b.Loop() {
		found = m.Match(found[:0], changes[i%len(changes)])
		matches, i = matches+len(found), i+1
	}
	b.ReportMetric((cpuTime()-spent)/float64(b.N), "cpu-ns")
	b.ReportMetric(float64(matches)/float64(b.N), "matches")
}
