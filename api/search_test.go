package api

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A row is a document of a random test, with the values that it is sorted by.
type row struct {
	id   string
	a, b any // nil for none
}

// randomRow has few values, so that many are equal.
func randomRow(r *rand.Rand, id string) row {
	values := []any{nil, 1.0, 2.0, -3.5, "x", "y", true, false}
	return row{id, values[r.IntN(len(values))], values[r.IntN(len(values))]}
}

func (w row) body() string {
	members := map[string]any{}
	if w.a != nil {
		members["a"] = w.a
	}
	if w.b != nil {
		members["b"] = map[string]any{"c": w.b}
	}
	text, _ := json.Marshal(members) // of scalars alone
	return string(text)
}

// before is the order that is meant, said in another way than by the search: by
// a ascending, then by b.c descending, then by id.
func before(x, y row) int {
	if c := compareMeant(x.a, y.a, 1); c != 0 {
		return c
	}
	if c := compareMeant(x.b, y.b, -1); c != 0 {
		return c
	}
	return strings.Compare(x.id, y.id)
}

// ascending are all values in their order.
var ascending = []any{-3.5, 1.0, 2.0, "x", "y", false, true}

func compareMeant(x, y any, direction int) int {
	i, j := slices.Index(ascending, x), slices.Index(ascending, y)
	switch {
	case i == j:
		return 0
	case i < 0:
		return 1
	case j < 0:
		return -1
	}
	return (i - j) * direction
}

// pages asks for all pages of a search, one after the other, and calls between
// between them.
func (w *world) pages(search string, size int, between func()) (ids []string) {
	w.t.Helper()
	cursor := ""
	for {
		var answer struct {
			Error  *Error
			Result struct {
				Hits []struct {
					ID string `json:"_id"`
				}
				Cursor string
			}
		}
		text := fmt.Sprintf(`{"controller":"document","action":"search","index":"a","collection":"b","size":%d,"cursor":%q,%s}`, size, cursor, search)
		if r := w.ask(text); json.Unmarshal(r.Body, &answer) != nil || answer.Error != nil {
			w.t.Fatalf("%s", r.Body)
		}
		for _, h := range answer.Result.Hits {
			ids = append(ids, h.ID)
		}
		if cursor = answer.Result.Cursor; cursor == "" {
			return ids
		}
		between()
	}
}

func (w *world) put(rows ...row) {
	for _, r := range rows {
		if a := w.ask(fmt.Sprintf(`{"controller":"document","action":"createOrReplace","index":"a","collection":"b","_id":%q,"body":%s}`, r.id, r.body())); a.Status != 200 {
			w.t.Errorf("%s", a.Body)
		}
	}
}

// While documents come, move and go, the pages of a search have every document
// that stays where it is, once, and in order.
func TestPagesAreRightWhileDocumentsAreWritten(t *testing.T) {
	w := newWorld(t, Options{AutoCreate: true})
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	var still []row
	for i := range 200 {
		still = append(still, randomRow(r, fmt.Sprintf("s%03d", i)))
	}
	w.put(still...)
	write := func() {
		for range 5 {
			id := fmt.Sprintf("%c%03d", "amz"[r.IntN(3)], r.IntN(100))
			if r.IntN(3) == 0 {
				w.ask(fmt.Sprintf(`{"controller":"document","action":"delete","index":"a","collection":"b","_id":%q}`, id))
			} else {
				w.put(randomRow(r, id))
			}
		}
	}
	slices.SortFunc(still, before)
	for _, size := range []int{1, 7, 50} {
		checkPages(t, still, w.pages(`"sort":["a",{"b.c":"desc"}]`, size, write))
	}
	slices.SortFunc(still, func(x, y row) int { return strings.Compare(x.id, y.id) })
	checkPages(t, still, w.pages(`"body":{}`, 13, write))
}

// checkPages compares those of the pages that stay with what is meant.
func checkPages(t *testing.T, want []row, got []string) {
	t.Helper()
	got = slices.DeleteFunc(got, func(id string) bool { return id[0] != 's' })
	ids := make([]string, len(want))
	for i := range want {
		ids[i] = want[i].id
	}
	if !slices.Equal(got, ids) {
		t.Errorf("the pages have\n%q\nwant\n%q", got, ids)
	}
}

// A page has no more documents than an answer may have, and its cursor goes on
// with the next one.
func TestAPageEndsWhenItIsLong(t *testing.T) {
	w := newWorld(t, Options{AutoCreate: true, PageBytes: 3000})
	var want []string
	for i := range 9 {
		id := fmt.Sprintf("s%d", i)
		want = append(want, id)
		w.ask(fmt.Sprintf(`{"controller":"document","action":"create","index":"a","collection":"b","_id":%q,"body":{"text":%q}}`, id, strings.Repeat("x", 800*(1+i%5))))
	}
	if got := w.pages(`"body":{}`, 100, func() {}); !slices.Equal(got, want) {
		t.Errorf("the pages have %q", got)
	}
}

// What matches when a search finds it, and not when it comes to be written, is
// left alone.
func TestAWriteByAFilterIsDecidedWhenItIsMade(t *testing.T) {
	w := newWorld(t, Options{AutoCreate: true})
	for i := range 50 {
		w.put(row{fmt.Sprintf("s%02d", i), 1.0, nil})
	}
	var both sync.WaitGroup
	for _, text := range []string{
		`{"controller":"document","action":"updateByQuery","index":"a","collection":"b","body":{"query":{"equals":{"a":1}},"changes":{"a":2,"first":true}}}`,
		`{"controller":"document","action":"updateByQuery","index":"a","collection":"b","body":{"query":{"equals":{"a":1}},"changes":{"a":2,"second":true}}}`,
	} {
		both.Go(func() {
			if r := w.ask(text); r.Status != 200 {
				t.Errorf("%s", r.Body)
			}
		})
	}
	both.Wait()
	r := w.ask(`{"controller":"document","action":"count","index":"a","collection":"b","body":{"query":{"and":[{"exists":"first"},{"exists":"second"}]}}}`)
	if !strings.Contains(string(r.Body), `"count":0,`) {
		t.Errorf("documents were written twice: %s", r.Body)
	}
}

func TestAnUpdateLosesNothing(t *testing.T) {
	w := newWorld(t, Options{AutoCreate: true})
	w.put(row{"1", nil, nil})
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if r := w.ask(fmt.Sprintf(`{"controller":"document","action":"update","index":"a","collection":"b","_id":"1","body":{"n":{"f%d":true}}}`, i)); r.Status != 200 {
				t.Errorf("%s", r.Body)
			}
		})
	}
	all.Wait()
	r := w.ask(`{"controller":"document","action":"get","index":"a","collection":"b","_id":"1"}`)
	if n := strings.Count(string(r.Body), `:true`); n != 20 || !strings.Contains(string(r.Body), `"_version":21`) {
		t.Errorf("%d of 20 fields are there: %s", n, r.Body)
	}
}
