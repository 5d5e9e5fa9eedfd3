package filter

import (
	"math/rand/v2"
	"strings"
	"testing"
)

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
// depend on the spelling: what has one hash has the same answers for a thousand
// documents, each of which follows one.
func TestCanonicalFormMatchesTheSameDocuments(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	documents := history(t, random, 1000)
	filters := 2000
	if testing.Short() {
		filters = 300
	}
	answers := map[string]string{} // of each hash
	for i := range filters {
		src := randomFilter(random, 4)
		if i%4 == 0 {
			src = randomMomentary(random, 3)
		}
		f := parsed(t, src)
		raw, _, err := parse([]byte(src), Limits{}.withDefaults())
		if err != nil {
			t.Fatal(err)
		}
		if again := parsed(t, f.String()); again.String() != f.String() {
			t.Fatalf("%s\nis %s\nis %s", src, f, again)
		}
		got := make([]byte, len(documents))
		for i, d := range documents {
			matches := f.Match(d)
			if i < 100 && raw.match(d) != matches {
				t.Fatalf("%s\nis %s, which matches %v: %v", src, f, fields(d), matches)
			}
			if matches {
				got[i] = 1
			}
		}
		if want, ok := answers[f.Hash("", "")]; ok && want != string(got) {
			t.Fatalf("two spellings of %s answer differently", f)
		}
		answers[f.Hash("", "")] = string(got)
	}
	if len(answers) > filters*9/10 {
		t.Errorf("%d filters have %d hashes: hardly any two are spellings of one", filters, len(answers))
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
		`{"geoPolygon":{"p":{"points":[[0,0],[0,2],[2,`+pick("0", "1")+`]]}}}`, `{"geoPolygon":{"p":{"points":[[0,2],[0,0],[2,`+pick("0", "1")+`],[0,2]]}}}`, `{"match":{"n":{},"b":[`+scalar()+`]}}`, `{"match":{"a":`+scalar()+`,"n":{"x":`+scalar()+`}}}`,
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
