package sessions_test

import (
	"fmt"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ambitmq/ambit/hooks"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/sessions"
)

// A change while 10,000 clients are away, each of which will be told of it.
// Target: they hold less than 100 MB after 1,000,000 changes (-benchtime
// 1000000x), which is less than 100 bytes a change.
func BenchmarkAbsentSessions(b *testing.B) {
	const absent = 10_000
	store, err := persistence.Open(b.TempDir(), persistence.Options{FS: vfs.Default, LogBytes: 64 << 20})
	if err != nil {
		b.Fatal(err)
	}
	hook, engine := hooks.New(store, hooks.Options{AutoCreate: true, Log: slog.New(slog.DiscardHandler)}, sessions.Options{
		QueueBytes: 1 << 20, SessionExpiry: time.Hour, Log: slog.New(slog.DiscardHandler),
	})
	applied := make(chan struct{})
	go func() {
		defer close(applied)
		for batch := range store.Tail() {
			hook.Apply(batch)
		}
	}()
	op := &persistence.Op{}
	for i := range absent {
		id := fmt.Sprint("dash-", i)
		op.Records = append(op.Records,
			persistence.PutSession(persistence.Session{ClientID: id, ProtocolVersion: 4, ExpirySeconds: 3600, DisconnectedAt: time.Now()}),
			persistence.PutSubscription(persistence.Subscription{ClientID: id, TopicFilter: everything, QoS: 1, HasSeen: true}))
	}
	await(b, store, op)
	if err := engine.Restore(); err != nil {
		b.Fatal(err)
	}
	before := heap()
	b.ResetTimer()
	for i := range b.N {
		op := &persistence.Op{Write: &persistence.Write{
			Key:  persistence.Key{Index: "fleet", Collection: "trucks", ID: fmt.Sprint(i % 1000)},
			Body: []byte(`{"speed":60}`), Time: time.Now(),
		}}
		if err := store.Append(b.Context(), op); err != nil {
			b.Fatal(err)
		}
	}
	await(b, store, &persistence.Op{})
	b.StopTimer()
	b.ReportMetric(float64(heap()-before)/(1<<20), "MB-held")
	engine.Close()
	if err := store.Close(); err != nil {
		b.Error(err)
	}
	<-applied
}

// await puts an op into the store and waits until it is applied.
func await(b *testing.B, store *persistence.Store, op *persistence.Op) {
	b.Helper()
	done := make(chan struct{})
	op.Applied = func(*persistence.Result) { close(done) }
	if err := store.Append(b.Context(), op); err != nil {
		b.Fatal(err)
	}
	<-done
}

// heap is what is in use of the heap.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
