package filter

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/ambitmq/ambit/test/mutate"
)

// FuzzParse: whatever the text, Parse returns a filter or a SyntaxError; the
// canonical text is a filter, has the same hash, and matches the same.
func FuzzParse(f *testing.F) {
	random := rand.New(rand.NewPCG(1, 2))
	var seeds [][]byte
	for range 50 {
		seeds = append(seeds, []byte(randomFilter(random, 3)))
		f.Add(seeds[len(seeds)-1], []byte(randomDocument(random)))
	}
	for _, src := range []string{
		`{"exists":"a\\[\"x\"\\][3.14]"}`, `{"missing":{"field":"[a]"}}`, `{"geoDistance":{"p":"u281tsq4","distance":"3 280,84 ft"}}`,
		`{"geoBoundingBox":{"p":{"top_left":"2,170","bottom_right":[1,190]}}}`, `{"geoDistanceRange":{"p":{"latLon":[1,2]},"from":"1km","to":"2 miles"}}`,
		`{"geoPolygon":{"p":{"points":[[0,0],"0,10",{"lat":10,"lon":10}]}}}`, `{"regexp":{"a":{"value":"^\\u00e9[^x]+$","flags":"gim"}}}`,
		`{"bool":{"must":[{"in":{"a":[1,"x",null,true]}}],"must_not":[{"nothing":1}],"should":[{}],"should_not":[]}}`,
		`{"geoShape":{"p":{"type":"Polygon","coordinates":[[[0,0],[9,0],[0,9],[0,0]],[[1,1,5],[1,2],[362,1]]],"bbox":[]}}}`,
		`{"geoShape":{"p":{"type":"MultiPolygon","coordinates":[[[[0,0],[1,0],[0,1]]],[[[5,5],[5,6],[6,5]]]]}}}`,
		`{"cidr":{"a":"::ffff:10.1.2.3/104"}}`, `{"before":{"a":"2026-01-01T0:00:00,5+24:00"}}`, `{"not":{"after":{"a":"0000-01-01T00:00:00.000000001-00:01"}}}`,
		`{"and":[{"missing":"a[1]"},{"not":{"anyOf":{"a":[2,null]}}},{"anyOf":{"":["x"]}},{"anyOf":{"\\":[1]}}]}`, `{"or":[{"prefix":{"a":"\u0000"}},{"suffix":{"a":"é"}},{"contains":{"a":"abc"}}]}`,
		`{"match":{"a":{"b":[{"c":null},{}]},"d":1e-7}}`, `{"select":{"field":"a","index":-1,"query":{"not":{"nothing":0}}}}`,
	} {
		seeds = append(seeds, []byte(src))
		f.Add([]byte(src), []byte(`{"a":["x"],"p":[0,0]}`))
	}
	for src := range mutate.Bytes(20_000, seeds...) {
		f.Add(src, []byte(randomDocument(random)))
	}
	f.Fuzz(func(t *testing.T, src, body []byte) {
		filter, err := Parse(src)
		if err != nil {
			if !errors.As(err, new(*SyntaxError)) {
				t.Fatalf("%T is not a SyntaxError: %v", err, err)
			}
			return
		}
		again, err := Parse([]byte(filter.String()))
		if err != nil {
			t.Fatalf("%s\nis %s\n%v", src, filter, err)
		}
		if again.String() != filter.String() || again.Hash("i", "c") != filter.Hash("i", "c") {
			t.Fatalf("%s\nis %s\nis %s", src, filter, again)
		}
		raw, _, err := parse(src, Limits{}.withDefaults())
		if err != nil {
			t.Fatal(err)
		}
		if d, err := ParseDocument(body, DocumentLimits{}); err == nil {
			if matches := filter.Match(d); raw.match(d) != matches || again.Match(d) != matches {
				t.Fatalf("%s\nis %s, which matches %s: %v", src, filter, body, matches)
			}
		}
	})
}

// FuzzDocument: whatever the body, ParseDocument returns a document or one of
// its errors, scanning it finds what decoding it finds, and no filter fails on
// a document.
func FuzzDocument(f *testing.F) {
	random := rand.New(rand.NewPCG(5, 6))
	var seeds [][]byte
	for range 50 {
		seeds = append(seeds, []byte(randomDocument(random)))
	}
	for _, body := range []string{
		`{"p":{"latLon":null}}`, `{"p":{"lat":1e400,"lon":"x"}}`, `{"p":"spfb09x0ud5s"}`, `{"p":"1,2,3"}`, `{"p":[null,[1]]}`,
		`{"":{"":{"a":1}}}`, `{"a":1,"a":2}`, `{"a":{"b":[1,{"c":-0.50e-3}]},"a.b":"\u00e9\n\ud83d\ude00"}`, `{"a":0.1234567890123456}`,
		`{"a":123456789012345.6,"b":9007199254740993,"c":-0,"d":1E+9}`, ` { "é" : [ true , false , null , {} , [ ] ] } `, `{"a":"\ud800"}`, `{"a":[[[[[]]]]]}`, `{"__proto__":{"a":1}}`, "{\"a\":\"\x00\xff\"}",
	} {
		seeds = append(seeds, []byte(body))
	}
	for _, body := range seeds {
		f.Add(body)
	}
	for body := range mutate.Bytes(20_000, seeds...) {
		f.Add(body)
	}
	var filters []*Filter
	for range 200 {
		filter, err := Parse([]byte(randomFilter(random, 3)))
		if err != nil {
			f.Fatal(err)
		}
		filters = append(filters, filter)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := ParseDocument(body, DocumentLimits{Depth: 8, Members: 50, Elements: 60})
		if err != nil {
			if !errors.Is(err, ErrNotObject) && !errors.As(err, new(*LimitError)) {
				t.Fatalf("%T is neither ErrNotObject nor a LimitError: %v", err, err)
			}
			return
		}
		decoded, err := decodeDocument(body, DocumentLimits{Depth: 8, Members: 50, Elements: 60})
		if err != nil || !reflect.DeepEqual(fields(d), fields(decoded)) {
			t.Fatalf("%s is scanned as %v, decoded as %v, %v", body, fields(d), fields(decoded), err)
		}
		for _, filter := range filters {
			if filter.Match(d) == (&Filter{root: not{filter.root}}).Match(d) {
				t.Fatalf("%s and its negation agree on %s", filter, body)
			}
		}
	})
}
