package rooms

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
)

// What a write of a document of 200 bytes costs the store without indexes, with three
// in another collection, and with three of which two change each time: compactions and
// all, in time of the processor. Targets: nothing more; twice as much.
func BenchmarkIndexedWrites(b *testing.B) {
	fields := []filter.Index{{Path: "plate"}, {Path: "speed"}, {Path: "position", Geo: true}}
	for _, bb := range []struct {
		name, collection string
		declared         []filter.Index
	}{{"none", "", nil}, {"elsewhere", "vans", fields}, {"three", "trucks", fields}} {
		b.Run(bb.name, func(b *testing.B) {
			o := persistence.Options{Terms: Terms}
			for _, x := range bb.declared {
				o.Indexes = append(o.Indexes, persistence.Index{Collection: persistence.Collection{Index: "fleet", Name: bb.collection}, Name: x.Name()})
			}
			store, err := persistence.Open(b.TempDir(), o)
			if err != nil {
				b.Fatal(err)
			}
			applied := make(chan struct{})
			go func() {
				defer close(applied)
				for range store.Tail() {
				}
			}()
			b.ReportAllocs()
			b.ResetTimer()
			before := processorTime(b)
			for i := range b.N {
				w := &persistence.Write{
					Key:  persistence.Key{Index: "fleet", Collection: "trucks", ID: fmt.Sprint(i % 10_000)},
					Body: fmt.Appendf(nil, `{"plate":"M-AB %d","speed":%d,"position":[48.1%d,11.5],"status":"moving","note":"%0100d"}`, i%10_000, i%100, i, i), Time: time.Now(),
				}
				if err := store.Append(b.Context(), &persistence.Op{Write: w}); err != nil {
					b.Fatal(err)
				}
			}
			if err := store.Close(); err != nil {
				b.Fatal(err)
			}
			<-applied
			b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

// processorTime is what this process has used.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
