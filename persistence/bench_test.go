package persistence_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ambitmq/ambit/persistence"
)

// BenchmarkAppend is durable writes per second of 256-byte documents, each
// appender with 32 in flight, over 10,000 documents. The target is ten times
// what one sync per write would allow, which BenchmarkFdatasync tells. On two
// cores with an fdatasync of 0.14 ms (7,000 a second): 110,000 writes a second
// with 1 appender, 170,000 with 16 and with 256.
func BenchmarkAppend(b *testing.B) {
	for _, appenders := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("appenders=%d", appenders), func(b *testing.B) {
			s, err := persistence.Open(b.TempDir(), persistence.Options{})
			if err != nil {
				b.Fatal(err)
			}
			groups := make(chan int)
			go func() {
				n := 0
				for range s.Tail() {
					n++
				}
				groups <- n
			}()
			b.ResetTimer()
			appendAll(b, s, appenders)
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
			b.ReportMetric(float64(b.N)/float64(<-groups), "appends/sync")
		})
	}
}

// appendAll appends b.N writes from several appenders, each of which waits
// when 32 of its own are not committed.
func appendAll(b *testing.B, s *persistence.Store, appenders int) {
	b.Helper()
	const inFlight, documents = 32, 10_000
	body := slices.Repeat([]byte("x"), 256)
	var wait sync.WaitGroup
	for a := range appenders {
		wait.Go(func() {
			window := make(chan struct{}, inFlight)
			committed := func(*persistence.Result) { <-window }
			for i := a; i < b.N; i += appenders {
				window <- struct{}{}
				k := persistence.Key{Index: "fleet", Collection: "trucks", ID: fmt.Sprint(i % documents)}
				w := &persistence.Write{Key: k, Body: body, Time: time.Unix(int64(i), 0)}
				if err := s.Append(context.Background(), &persistence.Op{Write: w, Committed: committed}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wait.Wait()
}

// BenchmarkFdatasync is what the disk can do: append 256 bytes, then fdatasync.
func BenchmarkFdatasync(b *testing.B) {
	f, err := vfs.Default.Create(filepath.Join(b.TempDir(), "log"), vfs.WriteCategoryUnspecified)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 256)
	took := make([]time.Duration, 0, b.N)
	for b.Loop() {
		start := time.Now()
		if _, err := f.Write(block); err != nil {
			b.Fatal(err)
		}
		if err := f.SyncData(); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}
