package rooms

import (
	"fmt"
	"testing"
	"time"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// A change of the log that a replay reads, of which a quarter is told. Target:
// 5 µs, so that a client that was away for an hour of 1,000 changes a second is
// live within 20 s.
func BenchmarkReplay(b *testing.B) {
	store, err := persistence.Open(b.TempDir(), persistence.Options{})
	if err != nil {
		b.Fatal(err)
	}
	go func() {
		for i := range b.N {
			w := &persistence.Write{
				Key:  persistence.Key{Index: "fleet", Collection: "trucks", ID: fmt.Sprint(i % 1000)},
				Body: fmt.Appendf(nil, `{"speed":%d,"position":[48.1,11.5],"status":"moving"}`, i/1000%4*20), Time: time.Now(),
			}
			if err := store.Append(b.Context(), &persistence.Op{Write: w}); err != nil {
				b.Error(err)
			}
		}
	}()
	for written := 0; written < b.N; {
		for _, r := range <-store.Tail() {
			if r.Change != nil {
				written++
			}
		}
	}
	to, err := topics.ParseFilter(`fleet/trucks/?{"range":{"speed":{"gte":60}}}`, topics.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	f, err := filter.Parse([]byte(to.Room.Filter))
	if err != nil {
		b.Fatal(err)
	}
	replay := New("node", nil, Options{}).Replay(to, View{Filter: f})
	b.ReportAllocs()
	b.ResetTimer()
	for _, err := range replay.Messages(store, 0, uint64(b.N)) {
		if err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	closed := make(chan error)
	go func() { closed <- store.Close() }()
	for range store.Tail() {
	}
	if err := <-closed; err != nil {
		b.Error(err)
	}
}
