package api

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/rooms"
)

// newWorld returns a world on a new store in memory.
func newWorld(t *testing.T, o Options) *world {
	t.Helper()
	return newWorldWith(t, persistence.Options{}, o)
}

// indexed are the search indexes of two collections.
func indexed(fields ...filter.Index) persistence.Options {
	o := persistence.Options{Terms: rooms.Terms}
	for _, name := range []string{"b", "live"} {
		for _, x := range fields {
			o.Indexes = append(o.Indexes, persistence.Index{Collection: persistence.Collection{Index: "a", Name: name}, Name: x.Name()})
		}
	}
	return o
}

// An answer is what of a search is compared.
type foundAnswer struct {
	Error  *Error
	Result struct {
		Hits []struct {
			ID string `json:"_id"`
		}
		Total   int
		Count   int
		Cursor  string
		Scanned int
		Partial bool
		Index   string
	}
}

func (w *world) find(action, collection, rest string) foundAnswer {
	w.t.Helper()
	var a foundAnswer
	r := w.ask(fmt.Sprintf(`{"controller":"document","action":%q,"index":"a","collection":%q,%s}`, action, collection, rest))
	if err := json.Unmarshal(r.Body, &a); err != nil || a.Error != nil {
		w.t.Fatalf("%s: %s", rest, r.Body)
	}
	return a
}

func randomPlace(r *rand.Rand) string {
	return fmt.Sprintf("[%.3f,%.3f]", 48+float64(r.IntN(20))/100, 11+float64(r.IntN(20))/100)
}

func randomFleet(r *rand.Rand) string {
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	value := func() string {
		return pick("1", "2", "-0.5", `"x"`, `"xy"`, `"1"`, "true", "false", "null", `[1,"x",1]`, `["xy",null]`, `{"k":1}`)
	}
	var members []string
	for _, m := range []string{`"plate":` + value(), `"owner":{"id":` + value() + `}`, `"free":` + value(), `"at":` + pick(randomPlace(r), randomPlace(r), `"nowhere"`)} {
		if r.IntN(5) > 0 {
			members = append(members, m)
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}

func randomQuery(r *rand.Rand, depth int) string {
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	if depth > 1 && r.IntN(2) > 0 {
		list := randomQuery(r, depth-1) + "," + randomQuery(r, depth-1)
		return pick(`{"and":[`+list+`]}`, `{"or":[`+list+`]}`, `{"bool":{"must":[`+list+`],"must_not":[`+randomQuery(r, 1)+`]}}`)
	}
	field, scalar := pick("plate", "owner.id", "plate", "free"), pick("1", "2", `"x"`, `"xy"`, "true", "null")
	return pick(
		`{"equals":{"`+field+`":`+scalar+`}}`, `{"equals":{"`+field+`":`+scalar+`}}`, `{"in":{"`+field+`":[2,"x",false]}}`,
		`{"exists":"`+field+`"}`, `{"missing":"`+field+`"}`, `{"exists":"`+field+`[\"x\"]"}`, `{"anyOf":{"`+field+`":[1,null]}}`,
		`{"range":{"`+field+`":{"gt":-0.5,"lte":1}}}`, `{"prefix":{"`+field+`":"x"}}`, fmt.Sprintf(`{"ids":{"values":["s%02d","s%02d"]}}`, r.IntN(60), r.IntN(60)),
		`{"geoDistance":{"at":`+randomPlace(r)+`,"distance":"`+pick("1m", "2km", "5km")+`"}}`,
		`{"geoBoundingBox":{"at":{"top":48.13,"left":11.03,"bottom":48.04,"right":11.12}}}`, `{"not":{"geoDistance":{"at":[48,11],"distance":"9km"}}}`,
	)
}

// meant returns the ids of the documents that match, by looking at all.
func (w *world) meant(collection, query string) []string {
	w.t.Helper()
	f, err := filter.Parse([]byte(query))
	if err != nil {
		w.t.Fatal(err)
	}
	snap := w.store.Snapshot()
	defer snap.Close()
	ids := []string{}
	for doc, err := range snap.Documents("a", collection, "") {
		if err != nil {
			w.t.Fatal(err)
		}
		d, err := rooms.Prepare(doc)
		if err != nil {
			w.t.Fatal(err)
		}
		if f.Match(d) {
			ids = append(ids, doc.Key.ID)
		}
	}
	return ids
}

// write makes a random change: a new document, a patch, a deletion, or an expiry.
func (w *world) change(r *rand.Rand, collection string) {
	w.t.Helper()
	head := fmt.Sprintf(`{"controller":"document","index":"a","collection":%q,"_id":"s%02d",`, collection, r.IntN(60))
	switch r.IntN(6) {
	case 0:
		w.ask(head + `"action":"delete"}`)
	case 1, 2:
		w.ask(head + `"action":"upsert","body":{"changes":` + randomFleet(r) + `}}`)
	case 3:
		w.ask(head[:len(head)-1] + `,"action":"updateByQuery","body":{"query":` + randomQuery(r, 1) + `,"changes":` + randomFleet(r) + `}}`)
	default:
		w.ask(head + `"action":"createOrReplace","body":` + randomFleet(r) + `}`)
	}
}

// What a search finds by indexes is what it would find by looking at all documents.
func TestIndexesChangeNoAnswer(t *testing.T) {
	w := newWorldWith(t, indexed(filter.Index{Path: "plate"}, filter.Index{Path: "owner.id"}, filter.Index{Path: "at", Geo: true}),
		Options{AutoCreate: true, Collections: map[string]Collection{"a/live": {Ephemeral: true}}})
	r := rand.New(rand.NewPCG(7, 8))
	by, looked, there := map[string]int{}, 0, 0
	steps := 6000
	if testing.Short() {
		steps = 1000
	}
	for step := range steps {
		collection := []string{"b", "live"}[r.IntN(2)]
		if step < 200 || r.IntN(2) == 0 {
			w.change(r, collection)
			continue
		}
		query := randomQuery(r, 3)
		want := w.meant(collection, query)
		a := w.find("search", collection, `"size":100,"body":{"query":`+query+`}`)
		got := []string{}
		for _, h := range a.Result.Hits {
			got = append(got, h.ID)
		}
		if !slices.Equal(got, want) || a.Result.Total != len(want) || a.Result.Partial {
			t.Fatalf("by %q: %s finds %q, want %q", a.Result.Index, query, got, want)
		}
		if n := w.find("count", collection, `"body":{"query":`+query+`}`).Result.Count; n != len(want) {
			t.Fatalf("by %q: %s counts %d, want %d", a.Result.Index, query, n, len(want))
		}
		by[a.Result.Index]++
		if a.Result.Index != "" {
			looked, there = looked+a.Result.Scanned, there+len(w.meant(collection, "{}"))
		}
	}
	t.Logf("searches by %v, which looked at %d of %d documents", by, looked, there)
	for _, name := range []string{"", "plate", "owner.id", "at", "_id", "plate,owner.id"} {
		if by[name] == 0 {
			t.Errorf("no search was by %q", name)
		}
	}
	if looked*2 > there {
		t.Errorf("the indexes saved little")
	}
	w.sound()
}

func (w *world) sound() {
	w.t.Helper()
	if r, err := w.store.Check(w.t.Context()); err != nil || len(r.Faults) > 0 {
		w.t.Errorf("the check finds %+v, %v", r, err)
	}
}

// A document that expires is found no more.
func TestAnIndexForgetsWhatExpires(t *testing.T) {
	w := newWorldWith(t, indexed(filter.Index{Path: "plate"}), Options{AutoCreate: true})
	gone := make(chan struct{}, 2)
	for _, collection := range []string{"b", "live"} {
		write := &persistence.Write{
			Key: persistence.Key{Index: "a", Collection: collection, ID: "1"}, Body: []byte(`{"plate":1}`), Time: time.Now(),
			Expires: w.store.Now(), Ephemeral: collection == "live",
		}
		if err := w.store.Append(t.Context(), &persistence.Op{Write: write, Applied: func(*persistence.Result) { gone <- struct{}{} }}); err != nil {
			t.Fatal(err)
		}
	}
	<-gone
	<-gone
	for _, collection := range []string{"b", "live"} {
		for deadline := time.Now().Add(20 * time.Second); ; {
			if _, err := w.store.Get(persistence.Key{Index: "a", Collection: collection, ID: "1"}); err != nil {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("the document is still there")
			}
		}
		a := w.find("search", collection, `"body":{"query":{"equals":{"plate":1}}}`)
		if a.Result.Total != 0 || a.Result.Scanned != 0 || a.Result.Index != "plate" {
			t.Errorf("%+v", a.Result)
		}
	}
	w.sound()
}

// Pages by an index have each document that stays once, whatever is written meanwhile.
func TestACursorByAnIndexStaysRight(t *testing.T) {
	for _, most := range []int{20, 10_000} {
		w := newWorldWith(t, indexed(filter.Index{Path: "a"}, filter.Index{Path: "b.c"}), Options{AutoCreate: true, ScanDocuments: most})
		r := rand.New(rand.NewPCG(9, 10))
		var still []row
		n := 600
		for i := range n {
			still = append(still, row{fmt.Sprintf("s%04d", i), []any{1.0, 2.0}[i%2], nil})
			w.put(still[i])
		}
		still = slices.DeleteFunc(still, func(w row) bool { return w.a != 1.0 })
		write := func() {
			for range 5 {
				w.put(row{fmt.Sprintf("%c%03d", "amz"[r.IntN(3)], r.IntN(100)), 1.0, nil})
			}
		}
		checkPages(t, still, w.pages(`"body":{"query":{"equals":{"a":1}}}`, 70, write))
		checkPages(t, still, w.pages(`"body":{"query":{"and":[{"equals":{"a":1}},{"range":{"a":{"gt":0}}}]}}`, 70, write))
		if most == 20 {
			continue // a search with sort that looks at 20 documents does not go on
		}
		checkPages(t, still, w.pages(`"sort":[{"b.c":"desc"}],"body":{"query":{"range":{"a":{"lte":1}}}}`, 70, write))
	}
}

// A search by an index is bound by what it finds there, not by what the collection has.
func TestASearchByAnIndexLooksAtItsCandidates(t *testing.T) {
	w := newWorldWith(t, indexed(filter.Index{Path: "a"}), Options{AutoCreate: true, ScanDocuments: 50})
	for i := range 1200 {
		w.put(row{fmt.Sprintf("s%04d", i), []any{1.0, "x"}[min(i%100, 1)], nil})
	}
	for _, tt := range []struct {
		query          string
		total, scanned int
		partial        bool
		by             string
	}{
		{`{"equals":{"a":1}}`, 12, 12, false, "a"},
		{`{"equals":{"a":"x"}}`, 50, 50, true, "a"},
		{`{"exists":"a"}`, 50, 50, true, ""}, // all of them
		{`{"and":[{"equals":{"a":"x"}},{"ids":{"values":["s0001","s0100","none"]}}]}`, 1, 2, false, "_id"},
		{`{"nothing":true}`, 0, 0, false, ""},
	} {
		got := w.find("search", "b", `"body":{"query":`+tt.query+`}`).Result
		if got.Total != tt.total || got.Scanned != tt.scanned || got.Partial != tt.partial || got.Index != tt.by {
			t.Errorf("%s: %+v", tt.query, got)
		}
	}
	if got := w.find("deleteByQuery", "b", `"body":{"query":{"equals":{"a":1}}}`).Result; got.Scanned != 12 || got.Index != "a" {
		t.Errorf("%+v", got)
	}
	if got := w.meant("b", `{"equals":{"a":1}}`); len(got) > 0 {
		t.Errorf("%q are left", got)
	}
}
