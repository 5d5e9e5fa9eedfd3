package filter

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestSpellingsOfOneFilterShareAHash(t *testing.T) {
	for _, tt := range []struct {
		name    string
		filters []string
	}{
		{"everything", []string{`{}`, `null`, `[]`, `""`, `0`, `true`, `{"not":{"nothing":true}}`, `{"or":[{"exists":"a"},{"not":{"nothing":1}}]}`, `{"missing":"a[{}]"}`}},
		{"nothing", []string{`{"nothing":true}`, `{"nothing":0}`, `{"and":[{"exists":"a"},{"nothing":1}]}`, `{"exists":"a[[1]]"}`, `{"and":[{"range":{"a":{"gt":2}}},{"range":{"a":{"lt":1}}}]}`}},
		{"white space, escapes and number formats", []string{`{"equals":{"speed":1}}`, ` { "equals" : { "\u0073peed" : 1.0 } } `, `{"equals":{"speed":1e0}}`, `{"equals":{"speed":10E-1}}`}},
		{"minus zero", []string{`{"equals":{"a":0}}`, `{"equals":{"a":-0}}`, `{"equals":{"a":-0.0e5}}`}},
		{"order of and", []string{`{"and":[{"equals":{"a":1}},{"equals":{"b":2}}]}`, `{"and":[{"equals":{"b":2}},{"equals":{"a":1}}]}`}},
		{"order of or", []string{`{"or":[{"exists":"a"},{"exists":"b"}]}`, `{"or":[{"exists":"b"},{"exists":"a"}]}`}},
		{"and in and", []string{`{"and":[{"exists":"a"},{"exists":"b"},{"exists":"c"}]}`, `{"and":[{"and":[{"exists":"c"},{"exists":"a"}]},{"exists":"b"}]}`, `{"and":[{"exists":"a"},{"and":[{"exists":"b"},{"and":[{"exists":"c"}]}]}]}`}},
		{"said twice", []string{`{"equals":{"a":1}}`, `{"and":[{"equals":{"a":1}},{"equals":{"a":1}}]}`, `{"or":[{"equals":{"a":1}},{"equals":{"a":1.0}}]}`, `{"in":{"a":[1,1]}}`, `{"match":{"a":1}}`}},
		{"double negation", []string{`{"exists":"a"}`, `{"not":{"not":{"exists":"a"}}}`, `{"not":{"missing":"a"}}`, `{"exists":{"field":"a"}}`}},
		{"De Morgan", []string{`{"not":{"and":[{"exists":"a"},{"equals":{"b":1}}]}}`, `{"or":[{"missing":"a"},{"not":{"equals":{"b":1}}}]}`, `{"bool":{"should_not":[{"equals":{"b":1}},{"exists":"a"}]}}`}},
		{"De Morgan, the other way", []string{`{"not":{"or":[{"exists":"a"},{"equals":{"b":1}}]}}`, `{"and":[{"missing":"a"},{"not":{"equals":{"b":1}}}]}`, `{"bool":{"must_not":[{"equals":{"b":1}},{"exists":"a"}]}}`}},
		{"bool", []string{`{"bool":{"must":[{"exists":"a"}],"must_not":[{"exists":"b"}],"should":[{"exists":"c"},{"exists":"d"}]}}`, `{"and":[{"exists":"a"},{"missing":"b"},{"or":[{"exists":"d"},{"exists":"c"}]}]}`}},
		{"distribution", []string{`{"and":[{"exists":"a"},{"or":[{"exists":"b"},{"exists":"c"}]}]}`, `{"or":[{"and":[{"exists":"a"},{"exists":"b"}]},{"and":[{"exists":"c"},{"exists":"a"}]}]}`}},
		{"distribution, the other way", []string{`{"or":[{"exists":"a"},{"and":[{"exists":"b"},{"missing":"c"}]}]}`, `{"and":[{"or":[{"exists":"b"},{"exists":"a"}]},{"not":{"and":[{"exists":"c"},{"missing":"a"}]}}]}`}},
		{"distribution over in", []string{`{"and":[{"exists":"a"},{"in":{"b":[1,2]}}]}`, `{"or":[{"and":[{"exists":"a"},{"equals":{"b":1}}]},{"and":[{"exists":"a"},{"equals":{"b":2}}]}]}`}},
		{"absorption", []string{`{"exists":"a"}`, `{"or":[{"exists":"a"},{"and":[{"exists":"a"},{"exists":"b"}]}]}`, `{"and":[{"exists":"a"},{"or":[{"exists":"b"},{"exists":"a"}]}]}`}},
		{"in", []string{`{"in":{"a":["x","y"]}}`, `{"in":{"a":["y","x","y"]}}`, `{"or":[{"equals":{"a":"y"}},{"equals":{"a":"x"}}]}`, `{"or":[{"in":{"a":["x"]}},{"in":{"a":["y"]}}]}`}},
		{"anyOf", []string{`{"anyOf":{"a":["x","y"]}}`, `{"anyOf":{"a":["y","x","y"]}}`, `{"or":[{"exists":"a[\"y\"]"},{"exists":"a[\"x\"]"}]}`, `{"or":[{"anyOf":{"a":["y"]}},{"exists":"a[\"x\"]"}]}`, `{"not":{"and":[{"missing":"a[\"x\"]"},{"missing":"a[\"y\"]"}]}}`}},
		{"anyOf one", []string{`{"exists":"a[1]"}`, `{"anyOf":{"a":[1]}}`, `{"anyOf":{"a":[1.0,1]}}`, `{"not":{"not":{"anyOf":{"a":[1]}}}}`}},
		{"not anyOf", []string{`{"not":{"anyOf":{"a":["x","y"]}}}`, `{"and":[{"missing":"a[\"x\"]"},{"missing":"a[\"y\"]"}]}`, `{"and":[{"not":{"anyOf":{"a":["y"]}}},{"not":{"anyOf":{"a":["y","x"]}}}]}`}},
		{"distribution over anyOf", []string{`{"and":[{"exists":"b"},{"anyOf":{"a":[1,2]}}]}`, `{"or":[{"and":[{"exists":"b"},{"exists":"a[1]"}]},{"and":[{"exists":"b"},{"exists":"a[2]"}]}]}`}},
		{"not in", []string{`{"not":{"in":{"a":["x","y"]}}}`, `{"and":[{"not":{"equals":{"a":"x"}}},{"not":{"equals":{"a":"y"}}}]}`}},
		{"ids", []string{`{"ids":{"values":["1","2"]}}`, `{"in":{"_id":["2","1"]}}`, `{"or":[{"equals":{"_id":"1"}},{"ids":{"values":["2"]}}]}`}},
		{"range", []string{`{"range":{"a":{"gte":1,"lt":5}}}`, `{"range":{"a":{"lt":5.0,"gte":1}}}`, `{"and":[{"range":{"a":{"lt":5}}},{"range":{"a":{"gte":1}}}]}`, `{"and":[{"range":{"a":{"lt":5}}},{"range":{"a":{"gte":1,"lt":6}}}]}`}},
		{"a range of one number", []string{`{"equals":{"a":1}}`, `{"and":[{"range":{"a":{"gte":1}}},{"range":{"a":{"lte":1}}}]}`}},
		{"not range", []string{`{"not":{"range":{"a":{"gte":1,"lt":5}}}}`, `{"or":[{"not":{"range":{"a":{"gte":1}}}},{"not":{"range":{"a":{"lt":5}}}}]}`}},
		{"geoDistance", []string{`{"geoDistance":{"p":{"lat":1,"lon":2},"distance":"1km"}}`, `{"geoDistance":{"distance":"1 000 m","p":[1,2]}}`, `{"geoDistance":{"p":"1,2","distance":1000}}`, `{"geoDistance":{"p":{"lat_lon":"1, 362"},"distance":"3280.839895013123 ft"}}`}},
		{"a geohash", []string{`{"geoDistance":{"p":"s00000000000","distance":"1m"}}`, `{"geoDistance":{"p":[8.381903171539307e-8,1.6763806343078613e-7],"distance":"1m"}}`}},
		{"geoBoundingBox", []string{`{"geoBoundingBox":{"p":{"top":2,"left":170,"bottom":1,"right":-170}}}`, `{"geoBoundingBox":{"p":{"top_left":"2,170","bottom_right":[1,190]}}}`, `{"geoBoundingBox":{"p":{"topLeft":{"lat":2,"lon":-190},"bottomRight":{"latLon":[1,-170]}}}}`}},
		{"geoDistanceRange", []string{`{"geoDistanceRange":{"p":[1,2],"from":"1km","to":"2km"}}`, `{"geoDistanceRange":{"to":2000,"from":"1000m","p":"1,2"}}`}},
		{"geoPolygon", []string{`{"geoPolygon":{"p":{"points":[[0,0],[0,10],[10,0]]}}}`, `{"geoPolygon":{"p":{"points":["0,0",{"lat":0,"lon":370},[10,0]]}}}`}},
		{"regexp", []string{`{"regexp":{"a":"x"}}`, `{"regexp":{"a":{"value":"x"}}}`, `{"regexp":{"a":{"value":"x","flags":"g"}}}`}},
		{"geoShape", []string{
			`{"geoShape":{"p":{"type":"Polygon","coordinates":[[[0,0],[10,0],[10,5],[0,5],[0,0]]]}}}`,
			`{"geoShape":{"p":{"coordinates":[[[10,5],[10,0],[360,0],[0,5]]],"bbox":[0,0,10,5],"type":"Polygon"}}}`,
			`{"geoShape":{"p":{"type":"MultiPolygon","coordinates":[[[[0,5,100],[0,0],[0,0],[10,0,7],[10,5]]]]}}}`,
			`{"geoShape":{"p":{"type":"MultiPolygon","coordinates":[[[[0,0],[10,0],[10,5],[0,5]]],[[[0,0],[0,5],[10,5],[10,0]]]]}}}`,
		}},
		{"geoShape with holes", []string{
			`{"geoShape":{"p":{"type":"Polygon","coordinates":[[[0,0],[10,0],[0,10]],[[1,1],[1,2],[2,1]],[[3,3],[3,4],[4,3]]]}}}`,
			`{"geoShape":{"p":{"type":"Polygon","coordinates":[[[10,0],[0,10],[0,0]],[[4,3],[3,4],[3,3],[4,3]],[[2,1],[1,1],[1,2],[2,1]]]}}}`,
		}},
		{"geoShape of two polygons", []string{
			`{"geoShape":{"p":{"type":"MultiPolygon","coordinates":[[[[0,0],[1,0],[0,1]]],[[[5,5],[6,5],[5,6]]]]}}}`,
			`{"geoShape":{"p":{"type":"MultiPolygon","coordinates":[[[[5,6],[5,5],[6,5]]],[[[0,0],[0,1],[1,0],[0,0]]]]}}}`,
		}},
		{"prefix", []string{`{"prefix":{"a":"ab"}}`, ` {"prefix": {"a": "\u0061b"}}`, `{"not":{"not":{"and":[{"prefix":{"a":"ab"}},{"prefix":{"a":"ab"}}]}}}`}},
		{"cidr", []string{`{"cidr":{"a":"10.0.0.0/8"}}`, `{"cidr":{"a":"10.1.2.3/8"}}`, `{"cidr":{"a":"::ffff:10.1.2.3/104"}}`, `{"cidr":{"a":"::ffff:a00:0/104"}}`}},
		{"cidr of IPv6", []string{`{"cidr":{"a":"2001:db8::/32"}}`, `{"cidr":{"a":"2001:0DB8:0:0::1/32"}}`}},
		{"before", []string{`{"before":{"a":"2026-01-01T00:00:00Z"}}`, `{"before":{"a":"2026-01-01T00:00:00.000Z"}}`, `{"before":{"a":"2026-01-01T05:30:00+05:30"}}`, `{"before":{"a":"2025-12-31T23:00:00-01:00"}}`}},
		{"after", []string{`{"after":{"a":"2026-01-01T00:00:00.05Z"}}`, `{"after":{"a":"2026-01-01T00:00:00.050000000Z"}}`}},
		{"match", []string{`{"match":{"a":1,"n":{"x":1,"y":2}}}`, `{"and":[{"match":{"n":{"y":2,"x":1}}},{"equals":{"a":1}}]}`}},
		{"select", []string{`{"select":{"field":"a","index":0,"query":{"or":[{"exists":"value.x"},{"exists":"value.y"}]}}}`, `{"select":{"field":"a","index":0,"query":{"or":[{"exists":"value.y"},{"exists":"value.x"}]}}}`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := parsed(t, tt.filters[0])
			for _, src := range tt.filters[1:] {
				if got := parsed(t, src); got.Hash("i", "c") != want.Hash("i", "c") {
					t.Errorf("%s is %s\n%s is %s", tt.filters[0], want, src, got)
				}
			}
		})
	}
}

func TestDifferentFiltersHaveDifferentHashes(t *testing.T) {
	seen := map[string]string{}
	for _, src := range []string{
		`{}`, `{"nothing":1}`,
		`{"equals":{"a":1}}`, `{"equals":{"a":"1"}}`, `{"equals":{"a":true}}`, `{"equals":{"a":null}}`, `{"equals":{"a":"null"}}`, `{"equals":{"b":1}}`,
		`{"not":{"equals":{"a":1}}}`, `{"exists":"a"}`, `{"missing":"a"}`, `{"exists":"a[1]"}`, `{"exists":"a[\"1\"]"}`, `{"exists":"a\\[1\\]"}`, `{"missing":"a[1]"}`,
		`{"in":{"a":[1,2]}}`, `{"in":{"a":["1","2"]}}`, `{"in":{"a":[1,2,3]}}`, `{"not":{"in":{"a":[1,2]}}}`,
		`{"anyOf":{"a":[1,2]}}`, `{"anyOf":{"a":["1","2"]}}`, `{"anyOf":{"a":[1,2,3]}}`, `{"anyOf":{"b":[1,2]}}`, `{"not":{"anyOf":{"a":[1,2]}}}`, `{"and":[{"exists":"a[1]"},{"exists":"a[2]"}]}`,
		`{"anyOf":{"":[1]}}`, `{"exists":"[1]"}`, `{"anyOf":{"a\\":[1]}}`, `{"exists":"a\\[2\\]"}`,
		`{"range":{"a":{"gt":1}}}`, `{"range":{"a":{"gte":1}}}`, `{"range":{"a":{"lt":1}}}`, `{"range":{"a":{"lte":1}}}`, `{"not":{"range":{"a":{"gt":1}}}}`, `{"range":{"a":{"gt":1,"lt":2}}}`,
		`{"and":[{"exists":"a"},{"exists":"b"}]}`, `{"or":[{"exists":"a"},{"exists":"b"}]}`, `{"and":[{"exists":"a"},{"missing":"b"}]}`,
		`{"and":[{"exists":"a"},{"or":[{"exists":"b"},{"exists":"c"}]}]}`, `{"or":[{"exists":"a"},{"and":[{"exists":"b"},{"exists":"c"}]}]}`,
		`{"or":[{"and":[{"exists":"a"},{"exists":"b"}]},{"and":[{"exists":"a"},{"exists":"c"}]},{"exists":"d"}]}`,
		`{"geoDistance":{"p":[1,2],"distance":1}}`, `{"geoDistance":{"p":[2,1],"distance":1}}`, `{"geoDistance":{"p":[1,2],"distance":1.0000000001}}`, `{"geoDistance":{"q":[1,2],"distance":1}}`,
		`{"geoBoundingBox":{"p":{"top":2,"left":1,"bottom":1,"right":2}}}`, `{"geoBoundingBox":{"p":{"top":2,"left":2,"bottom":1,"right":1}}}`,
		`{"geoShape":{"p":{"type":"Polygon","coordinates":[[[0,0],[10,0],[0,10]]]}}}`, `{"geoShape":{"p":{"type":"Polygon","coordinates":[[[0,0],[0,10],[10,10]]]}}}`,
		`{"geoShape":{"p":{"type":"Polygon","coordinates":[[[0,0],[10,0],[0,10]],[[1,1],[2,1],[1,2]]]}}}`, `{"geoPolygon":{"p":{"points":[[0,0],[0,10],[10,0]]}}}`,
		`{"regexp":{"a":"x"}}`, `{"regexp":{"a":{"value":"x","flags":"i"}}}`, `{"match":{"a":{}}}`, `{"match":{"a":[]}}`,
		`{"prefix":{"a":"x"}}`, `{"suffix":{"a":"x"}}`, `{"contains":{"a":"x"}}`, `{"contains":{"a":"X"}}`, `{"contains":{"b":"x"}}`, `{"not":{"contains":{"a":"x"}}}`, `{"regexp":{"a":"^x"}}`,
		`{"cidr":{"a":"10.0.0.0/8"}}`, `{"cidr":{"a":"10.0.0.0/9"}}`, `{"cidr":{"a":"10.128.0.0/9"}}`, `{"cidr":{"a":"0.0.0.0/0"}}`, `{"cidr":{"a":"::/0"}}`, `{"cidr":{"a":"::ffff:0.0.0.0/95"}}`, `{"cidr":{"a":"a00::/8"}}`,
		`{"before":{"a":"2026-01-01T00:00:00Z"}}`, `{"after":{"a":"2026-01-01T00:00:00Z"}}`, `{"not":{"before":{"a":"2026-01-01T00:00:00Z"}}}`, `{"before":{"a":"2026-01-01T00:00:00.000000001Z"}}`, `{"before":{"a":"2026-01-01T00:00:00+01:00"}}`, `{"equals":{"a":"2026-01-01T00:00:00Z"}}`,
	} {
		h := parsed(t, src).Hash("i", "c")
		if other, ok := seen[h]; ok {
			t.Errorf("%s and %s have the same hash", other, src)
		}
		seen[h] = src
	}
}

func TestHashIsOfACollectionAndStable(t *testing.T) {
	f := parsed(t, `{"range":{"speed":{"gt":50}}}`)
	if got, want := f.Hash("fleet", "trucks"), "f86953b28372d8173fe4e3ec8a5bd346"; got != want {
		t.Errorf("got %s, want %s: rooms that exist lose their subscribers", got, want)
	}
	seen := map[string]bool{}
	for _, c := range [][2]string{{"fleet", "trucks"}, {"fleet", "buses"}, {"fleettr", "ucks"}, {"trucks", "fleet"}, {`fleet","trucks`, ""}} {
		seen[f.Hash(c[0], c[1])] = true
	}
	if len(seen) != 5 {
		t.Errorf("five collections have %d hashes", len(seen))
	}
}

// The canonical form must mean what the text means, and what it means may not
// depend on the spelling.
func TestCanonicalFormMatchesTheSameDocuments(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	answers := map[string]string{} // of each canonical text
	for range 3000 {
		src := randomFilter(random, 4)
		f := parsed(t, src)
		raw, err := parse([]byte(src), Limits{}.withDefaults())
		if err != nil {
			t.Fatal(err)
		}
		again := parsed(t, f.String())
		if again.String() != f.String() {
			t.Fatalf("%s\nis %s\nis %s", src, f, again)
		}
		var got strings.Builder
		fixed := rand.New(rand.NewPCG(3, 4))
		for range 40 {
			d := document(t, randomDocument(fixed))
			matches := f.Match(d)
			if raw.match(d) != matches || again.Match(d) != matches {
				t.Fatalf("%s\nis %s, which matches %v: %v", src, f, fields(d), matches)
			}
			fmt.Fprint(&got, matches)
		}
		if want, ok := answers[f.Hash("", "")]; ok && want != got.String() {
			t.Fatalf("two spellings of %s answer differently", f)
		}
		answers[f.Hash("", "")] = got.String()
	}
}

// randomFilter makes a filter over a few fields and values, so that conditions
// meet, of at most that many keywords within each other.
func randomFilter(random *rand.Rand, depth int) string {
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	if depth > 1 && random.IntN(3) > 0 {
		members := make([]string, 1+random.IntN(3))
		for i := range members {
			members[i] = randomFilter(random, depth-1)
		}
		list := strings.Join(members, ",")
		return pick(`{"and":[`+list+`]}`, `{"or":[`+list+`]}`, `{"not":`+members[0]+`}`,
			`{"bool":{"must":[`+list+`],"must_not":[`+members[0]+`]}}`, `{"bool":{"should":[`+list+`]}}`, `{"bool":{"should_not":[`+list+`]}}`)
	}
	field := pick("a", "b", "n.x")
	scalar := func() string { return pick("1", "2", "2.5", `"1"`, `"x"`, "true", "null") }
	return pick(
		`{"equals":{"`+field+`":`+scalar()+`}}`, `{"equals":{"`+field+`":`+scalar()+`}}`,
		`{"in":{"`+field+`":[`+scalar()+`,`+scalar()+`,`+scalar()+`]}}`,
		`{"exists":"`+field+`"}`, `{"missing":"`+field+`"}`, `{"exists":"`+field+`[1]"}`,
		`{"range":{"`+field+`":{"`+pick("gt", "gte")+`":`+pick("1", "2")+`}}}`,
		`{"range":{"`+field+`":{"`+pick("lt", "lte")+`":`+pick("1", "2", "2.5")+`}}}`,
		`{"range":{"`+field+`":{"gte":1,"`+pick("lt", "lte")+`":2}}}`,
		`{"ids":{"values":["d1","`+pick("d1", "d2")+`"]}}`, `{"nothing":1}`,
		`{"geoDistance":{"p":[0,0],"distance":"`+pick("100km", "200 km")+`"}}`,
		`{"geoBoundingBox":{"p":{"top":1,"left":-1,"bottom":-1,"right":1}}}`,
		`{"regexp":{"`+field+`":"^[1x]"}}`, `{"regexp":{"`+field+`":"`+pick("abc", "bc+d", "(abc|xyz)", "abcd?[1-9]", "(?i)abc")+`"}}`,
		`{"exists":"`+field+`[`+pick(`\"x\"`, "null", "true")+`]"}`, `{"geoDistanceRange":{"p":[0,0],"from":10,"to":"`+pick("120km", "200km")+`"}}`,
		`{"geoPolygon":{"p":{"points":[[0,0],[0,2],[2,`+pick("0", "1")+`]]}}}`, `{"match":{"n":{},"b":[`+scalar()+`]}}`, `{"match":{"a":`+scalar()+`,"n":{"x":`+scalar()+`}}}`,
		`{"`+pick("prefix", "suffix", "contains")+`":{"`+field+`":"`+pick("abc", "bc", "cab", "xyz", "d7")+`"}}`,
		`{"cidr":{"`+field+`":"`+pick("10.0.0.0/8", "10.1.2.3/16", "10.1.2.3/32", "::ffff:10.1.0.0/112", "fe80::/10", "::/0")+`"}}`,
		`{"`+pick("before", "after")+`":{"`+field+`":"`+pick("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z", "2026-01-01T02:30:00+02:30")+`"}}`,
		`{"geoShape":{"p":{"type":"Polygon","coordinates":[[[0,0],[2,0],[2,2],[0,2]]`+pick("", ",[[1.2,1.2],[1.2,0.8],[0.8,0.8],[0.8,1.2],[1.2,1.2]]")+`]}}}`,
		`{"geoShape":{"p":{"type":"MultiPolygon","coordinates":[[[[8,8],[8,10],[10,10],[8,8]]],[[[-1,-1],[1,-1],[1,1]]]]}}}`,
		`{"anyOf":{"`+field+`":[`+scalar()+`,`+scalar()+`,`+scalar()+`]}}`, `{"anyOf":{"a":[`+scalar()+`]}}`,
		`{"select":{"field":"b","index":`+pick("0", "-1")+`,"query":{"not":{"equals":{"value":`+scalar()+`}}}}}`,
	)
}

func randomDocument(random *rand.Rand) string {
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	value := func() string {
		return pick("1", "2", "2.5", `"1"`, `"x"`, "true", "null", "[1]", `[1,"x",1]`, `[null,true,[1]]`, `["x",2,2.5,"1",{"x":1}]`, `"abcabc"`, `"xyz"`, `"bccd7"`, "3", "-1e400",
			`"10.1.2.3"`, `"::ffff:10.9.9.9"`, `"fe80::1%eth0"`, `"2025-12-31T23:59:59.9-00:01"`, `"2026-01-01T01:00:00+01:00"`, `"2026-01-01T00:00:00.6Z"`)
	}
	members := []string{}
	for _, m := range []string{`"a":` + value(), `"b":` + value(), `"n":{"x":` + value() + `}`, `"_id":` + pick(`"d1"`, `"d2"`, `"d3"`),
		`"p":` + pick("[0,0]", "[1,1]", "[1.5,0]", "[9,9]", `"nowhere"`, "null")} {
		if random.IntN(4) > 0 {
			members = append(members, m)
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}
