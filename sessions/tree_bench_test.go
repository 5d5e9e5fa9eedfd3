package sessions

import (
	"fmt"
	"runtime"
	"testing"
)

// BenchmarkTree reports the time of a look-up among a million subscriptions of
// as many sessions, a tenth of them with a wildcard.
func BenchmarkTree(b *testing.B) {
	const total = 1_000_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	t := newTree()
	shared := member{new(session), new(Subscription)}
	for i := range total {
		topicFilter := fmt.Sprintf("fleet/trucks/%d", i)
		if i%10 == 0 {
			topicFilter += "/#"
		}
		t.add(topicFilter, "", shared)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	topics := make([]string, 4096)
	for i := range topics {
		topics[i] = fmt.Sprintf("fleet/trucks/%d", i*total/len(topics))
	}
	var leaves []*leaf
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		leaves = t.match(leaves[:0], topics[i%len(topics)])
	}
	if len(leaves) == 0 {
		b.Fatal("nothing is found")
	}
	b.ReportMetric(float64(after.HeapInuse-before.HeapInuse)/total, "B/subscription")
}
