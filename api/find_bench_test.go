package api

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/rooms"
)

// A search of 100,000 documents of 120 bytes on disk that asks for the first ten of
// those that match: one by a value, a hundred by another, those in a circle, and a
// tenth of all. Targets: what an index finds costs 0.1 ms, and 10 µs for each.
func BenchmarkSearch(b *testing.B) {
	const documents = 100_000
	fields := []filter.Index{{Path: "plate"}, {Path: "depot"}, {Path: "line"}, {Path: "position", Geo: true}}
	for _, declared := range []bool{false, true} {
		o := persistence.Options{Terms: rooms.Terms}
		if declared {
			o = indexed(fields...)
		}
		store := filled(b, o, documents)
		router := New(store, rooms.New("node-1", nil, rooms.Options{}), nil, Options{})
		for _, bb := range []struct{ name, query string }{
			{"one", `{"equals":{"plate":"M-AB 77777"}}`},
			{"100", `{"equals":{"depot":77}}`},
			{"100-sorted", `{"equals":{"depot":77}},"sort":[{"plate":"desc"}]`},
			{"circle", `{"geoDistance":{"position":[48.1,11.5],"distance":"1km"}}`},
			{"both", `{"and":[{"equals":{"depot":77}},{"range":{"line":{"lt":5}}}]}`},
			{"10000", `{"equals":{"line":3}}`},
		} {
			b.Run(fmt.Sprintf("index=%v/%s", declared, bb.name), func(b *testing.B) {
				text := `{"controller":"document","action":"search","index":"a","collection":"b","body":{"query":` + bb.query + `}}`
				var r Response
				for b.Loop() {
					r = router.Serve(b.Context(), Caller{Name: "b", Operator: true}, "", "", []byte(text))
				}
				if r.Status != 200 || strings.Contains(string(r.Body), `"partial":false,"index"`) != declared {
					b.Errorf("%d %.300s", r.Status, r.Body)
				}
			})
		}
	}
}

// filled returns a store with so many documents.
func filled(b *testing.B, o persistence.Options, documents int) *persistence.Store {
	b.Helper()
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
	b.Cleanup(func() {
		if err := store.Close(); err != nil {
			b.Error(err)
		}
		<-applied
	})
	for i := range documents {
		w := &persistence.Write{
			Key: persistence.Key{Index: "a", Collection: "b", ID: fmt.Sprintf("truck-%06d", i*7919%documents)}, Time: time.Now(),
			Body: fmt.Appendf(nil, `{"plate":"M-AB %d","depot":%d,"line":%d,"position":[%.4f,%.4f],"status":"moving"}`,
				i, i%1000, i%10, 48+float64(i%317)/317, 11+float64(i%331)/331),
		}
		if err := store.Append(b.Context(), &persistence.Op{Write: w}); err != nil {
			b.Fatal(err)
		}
	}
	return store
}
