package filter

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// A heap of documents is found by their terms as an index on disk would.
type heap struct {
	documents []*Document
	terms     map[Index][][][]byte // of each document
}

func heapOf(docs []*Document, indexes ...Index) heap {
	h := heap{docs, map[Index][][][]byte{}}
	for _, x := range indexes {
		for _, d := range docs {
			terms := [][]byte{}
			x.Terms(d, func(term []byte) { terms = append(terms, bytes.Clone(term)) })
			h.terms[x] = append(h.terms[x], terms)
		}
	}
	return h
}

// found returns the documents that a lookup finds, by their places.
func (h heap) found(l Lookup) (found []int) {
	for i, d := range h.documents {
		terms := h.terms[l.Index]
		if l.IsIDs() {
			id, _ := d.Scalar(idField)
			text, _ := id.(string)
			terms = slices.Repeat([][][]byte{{[]byte(text)}}, i+1)
		}
		if slices.ContainsFunc(terms[i], func(term []byte) bool {
			return slices.ContainsFunc(l.Ranges, func(r [2][]byte) bool {
				return bytes.Compare(r[0], term) <= 0 && bytes.Compare(term, r[1]) <= 0
			})
		}) {
			found = append(found, i)
		}
	}
	return found
}

// Whatever the filter, the documents that it matches are among those that are found.
func TestAnAccessFindsWhatTheFilterMatches(t *testing.T) {
	random := rand.New(rand.NewPCG(21, 22))
	possible := []Index{{"a", false}, {"b", false}, {"n.x", false}, {"n", false}, {"p", true}}
	ways, saved := 0, 0
	for range 4000 {
		docs := make([]*Document, 20)
		for i := range docs {
			docs[i] = document(t, randomDocument(random))
		}
		declared := slices.DeleteFunc(slices.Clone(possible), func(Index) bool { return random.IntN(3) == 0 })
		h := heapOf(docs, declared...)
		text := randomFilter(random, 3)
		f, err := Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		a, ok := f.Access(func(x Index) bool { return slices.Contains(declared, x) })
		if !ok {
			continue
		}
		most := random.IntN(25)
		lookups, ok, err := a.Best(most, func(l Lookup, _ int) (int, error) { return len(h.found(l)), nil })
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			continue
		}
		ways++
		var found []int
		for _, l := range lookups {
			found = append(found, h.found(l)...)
		}
		if len(found) > most {
			t.Fatalf("%s: %d are found, of %d at most", text, len(found), most)
		}
		saved += len(docs) - len(found)
		for i, d := range docs {
			if f.Match(d) && !slices.Contains(found, i) {
				t.Fatalf("%s is not found by %s with %v", fields(d), text, lookups)
			}
		}
	}
	if ways < 1000 || saved < 10_000 {
		t.Errorf("%d filters had a way, by which %d documents were not looked at", ways, saved)
	}
}

// Terms are on disks: if these change, indexes need other names.
func TestTermsAreWhatTheyWere(t *testing.T) {
	body := `{"null":null,"no":false,"yes":true,"zero":-0.0,"one":1,"minus":-2.5,"text":"é","long":"` + strings.Repeat("x", 200) + `",` +
		`"list":[1,"1",[2],{}],"many":[` + strings.Repeat("1,", 300) + `1],"o":{"p":1},"at":[48.137,11.575],"nowhere":"x"}`
	d := document(t, body)
	for _, tt := range []struct {
		index Index
		want  string
	}{
		{Index{Path: "absent"}, ""},
		{Index{Path: "null"}, "7630"}, {Index{Path: "no"}, "7631"}, {Index{Path: "yes"}, "7632"},
		{Index{Path: "zero"}, "76338000000000000000"}, {Index{Path: "one"}, "7633bff0000000000000"},
		{Index{Path: "minus"}, "76333ffbffffffffffff"}, {Index{Path: "text"}, "7634c3a9"},
		{Index{Path: "long"}, "7634" + strings.Repeat("78", 128)},
		{Index{Path: "list"}, "69 6533bff0000000000000 653431"}, {Index{Path: "many"}, "69 6d"}, {Index{Path: "o"}, "69"},
		{Index{Path: "o.p"}, "7633bff0000000000000"},
		{Index{Path: "at", Geo: true}, "70214a10457f4e524a"}, {Index{Path: "nowhere", Geo: true}, ""},
	} {
		var terms []string
		tt.index.Terms(d, func(term []byte) { terms = append(terms, hex.EncodeToString(term)) })
		if got := strings.Join(terms, " "); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.index.Name(), got, tt.want)
		}
		if x, ok := IndexNamed(tt.index.Name()); !ok || x != tt.index {
			t.Errorf("%s is %v, %v", tt.index.Name(), x, ok)
		}
	}
}

func TestNumbersAreInOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(23, 24))
	for range 1000 {
		a, b := random.NormFloat64()*1e3, random.NormFloat64()/1e3
		if a > b {
			a, b = b, a
		}
		if bytes.Compare(scalarTerm('v', a), scalarTerm('v', b)) > 0 {
			t.Fatalf("%v comes after %v", a, b)
		}
	}
}

// Of an and the part that finds the fewest is chosen; an or needs all of its parts.
func TestAnAccessIsTheCheapest(t *testing.T) {
	var docs []*Document
	for i := range 100 {
		docs = append(docs, document(t, fmt.Sprintf(`{"_id":"d%d","a":%d,"b":%d,"c":%d}`, i, i%2, i%10, i)))
	}
	h := heapOf(docs, Index{Path: "a"}, Index{Path: "b"})
	for _, tt := range []struct{ filter, want string }{
		{`{"and":[{"equals":{"a":1}},{"equals":{"b":3}}]}`, "value:b 10"},
		{`{"and":[{"equals":{"b":3}},{"equals":{"a":1}},{"equals":{"c":1}}]}`, "value:b 10"},
		{`{"and":[{"equals":{"b":3}},{"ids":{"values":["d1","d2"]}}]}`, "value:_id 2"},
		{`{"or":[{"equals":{"b":3}},{"ids":{"values":["d1"]}}]}`, "value:_id 1, value:b 10"},
		{`{"and":[{"equals":{"a":1}},{"or":[{"equals":{"b":3}},{"and":[{"equals":{"b":5}},{"exists":"c"}]}]}]}`, "value:b 10, value:b 10"},
		{`{"or":[{"equals":{"b":3}},{"equals":{"c":3}}]}`, "no"},
		{`{"not":{"equals":{"b":3}}}`, "no"}, {`{}`, "no"}, {`{"exists":"c"}`, "no"}, {`{"nothing":true}`, ""},
		{`{"range":{"b":{"gt":8}}}`, "value:b 20"}, // bounds are tested later
		{`{"range":{"a":{"gte":0}}}`, "more than 60"},
	} {
		f, err := Parse([]byte(tt.filter))
		if err != nil {
			t.Fatal(err)
		}
		got := "no"
		if a, ok := f.Access(func(x Index) bool { return h.terms[x] != nil }); ok {
			lookups, ok, err := a.Best(60, func(l Lookup, _ int) (int, error) { return len(h.found(l)), nil })
			if err != nil {
				t.Fatal(err)
			}
			var parts []string
			for _, l := range lookups {
				parts = append(parts, fmt.Sprint(l.Index.Name(), " ", len(h.found(l))))
			}
			if got = strings.Join(parts, ", "); !ok {
				got = "more than 60"
			}
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.filter, got, tt.want)
		}
	}
}
