package filter

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

func TestLimitsAreSaidWithTheirNumbers(t *testing.T) {
	exists := `{"exists":"a"}`
	values := func(n int) string { return strings.TrimSuffix(strings.Repeat("1,", n), ",") }
	for _, tt := range []struct {
		name, src, want string // want is "" if the filter is within the limits
	}{
		{"16 KiB of text", `{"exists":"` + strings.Repeat("a", 16<<10-13) + `"}`, ""},
		{"more text", `{"exists":"` + strings.Repeat("a", 16<<10-12) + `"}`, "the filter has 16385 bytes, the limit is 16384"},
		{
			"a canonical form that is too long", `{"exists":"` + strings.Repeat("[", 9000) + `"}`,
			"the filter's canonical form has 27013 bytes, the limit is 16384",
		},
		{"16 keywords deep", nested(15, exists), ""},
		{"17 keywords deep", nested(16, exists), `"` + strings.Repeat("and.", 16) + `exists": keywords are nested 17 deep, the limit is 16`},
		{"bool is what it stands for", `{"bool":{"must_not":[` + nested(11, exists) + `]}}`, ""},
		{"and one more", `{"bool":{"must_not":[` + nested(12, exists) + `]}}`, `"bool.and.not.or.` + strings.Repeat("and.", 12) + `exists": keywords are nested 17 deep, the limit is 16`},
		{"match of two fields is an and", nested(15, `{"match":{"a":1,"b":2}}`), `"` + strings.Repeat("and.", 15) + `match": keywords are nested 17 deep, the limit is 16`},
		{"a value 65 levels deep", `{"match":{"a":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}}`, `"match.a.` + strings.TrimSuffix(strings.Repeat("0.", 62), ".") + `": objects and arrays are nested 65 deep or more, the limit is 64`},
		{"1,000 values", `{"in":{"a":[` + values(1000) + `]}}`, ""},
		{"1,001 values", `{"in":{"a":[` + values(1001) + `]}}`, `"in.a": has 1001 values, the limit is 1000`},
		{"1,001 values of anyOf", `{"anyOf":{"a":[` + values(1001) + `]}}`, `"anyOf.a": has 1001 values, the limit is 1000`},
		{"1,000 values of anyOf and a condition", `{"and":[{"anyOf":{"a":[` + values(1000) + `]}},` + exists + `]}`, `"and.exists": the filter costs 1001 conditions or more, the limit is 1000`},
		{"100 nears", manyNears(100), ""},
		{"101 nears", manyNears(101), `"or.near": the filter costs 1001 conditions or more, the limit is 1000`},
		{"two missing elements 16 keywords deep", nested(15, `{"missing":"a[1]"},{"missing":"a[2]"}`), ""},
		{"1,001 ids", `{"ids":{"values":[` + values(1001) + `]}}`, `"ids.values": has 1001 values, the limit is 1000`},
		{"1,000 values and a condition", `{"and":[{"in":{"a":[` + values(1000) + `]}},` + exists + `]}`, `"and.exists": the filter costs 1001 conditions or more, the limit is 1000`},
		{"a pattern of 256 bytes", `{"regexp":{"a":"` + strings.Repeat("a", 256) + `"}}`, ""},
		{"a pattern of 257 bytes", `{"regexp":{"a":"` + strings.Repeat("a", 257) + `"}}`, `"regexp.a": has 257 bytes, the limit is 256`},
		{"a pattern of many instructions", `{"regexp":{"a":"(a{100}){10}"}}`, `"regexp.a": has 1022 instructions, the limit is 500`},
		{"1,001 vertices of GeoJSON", `{"geoShape":{"p":{"type":"Polygon","coordinates":[[` + strings.TrimSuffix(strings.Repeat("[0,0],[1,1],", 501), ",") + `]]}}}`, `"geoShape.p.coordinates": has 1002 points, the limit is 1000`},
		{"a ring of 1,000 points", `{"geoShape":{"p":{"type":"Polygon","coordinates":[[` + circle(1000) + `]]}}}`, ""},
		{"and a point more", `{"geoShape":{"p":{"type":"Polygon","coordinates":[[` + circle(1001) + `]]}}}`, `"geoShape.p.coordinates": has 1001 points, the limit is 1000`},
		{"24 holes", withHoles(24), ""},
		{"a 25th", withHoles(25), `"geoShape.p.coordinates": the filter costs 1001 conditions or more, the limit is 1000`},
		{"edges that come back to one point", `{"geoShape":{"p":{"type":"Polygon","coordinates":[[` + spokes(400) + `]]}}}`, `"geoShape.p.coordinates": polygon 0: the limit of 10000 pairs of edges that are near each other is exceeded`},
		{"a geoPolygon of 1,000 points", `{"geoPolygon":{"p":{"points":[` + circle(1000) + `]}}}`, ""},
		{"1,001 vertices", `{"geoPolygon":{"p":{"points":[` + strings.TrimSuffix(strings.Repeat(`"0,1",`, 1001), ",") + `]}}}`, `"geoPolygon.p.points": has 1001 points, the limit is 1000`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Parse([]byte(tt.src))
			if got := fmt.Sprint(err); got != tt.want && (err != nil || tt.want != "") {
				t.Fatalf("got %v, want %s", err, tt.want)
			}
			if err != nil {
				if !errors.As(err, new(*SyntaxError)) {
					t.Errorf("%T is not a SyntaxError", err)
				}
				return
			}
			if again, err := Parse([]byte(f.String())); err != nil || again.String() != f.String() {
				t.Errorf("the canonical form is not its own: %v", err)
			}
		})
	}
}

func TestLimitsAreWhatIsGiven(t *testing.T) {
	for _, tt := range []struct {
		name, src string
		limits    Limits
		want      string // "" if the filter is within the limits
	}{
		{"bytes", `{"exists":"abc"}`, Limits{Bytes: 15}, "the filter has 16 bytes, the limit is 15"},
		{"bytes of the canonical form", `{"in":{"a":[1e15]}}`, Limits{Bytes: 20}, "the filter's canonical form has 33 bytes, the limit is 20"},
		{"depth", nested(2, `{"exists":"a"}`), Limits{Depth: 2}, `"and.and.exists": keywords are nested 3 deep, the limit is 2`},
		{"more depth", nested(99, `{"exists":"a"}`), Limits{Depth: 100}, ""},
		{"nesting", `{"match":{"a":[[1]]}}`, Limits{Depth: 1}, ""},
		{"more nesting", `{"match":{"a":[[[1]]]}}`, Limits{Depth: 1}, `"match.a.0.0": objects and arrays are nested 5 deep or more, the limit is 4`},
		{"cost", `{"and":[{"exists":"a"},{"match":{"b":{"c":[1,2]}}}]}`, Limits{Cost: 4}, `"and.match": the filter costs 5 conditions or more, the limit is 4`},
		{"more cost", `{"or":[{"in":{"a":[` + strings.Repeat("1,", 1999) + `1]}}]}`, Limits{Cost: 2000, Values: 2000}, ""},
		{"values", `{"ids":{"values":["1","2","3"]}}`, Limits{Values: 2}, `"ids.values": has 3 values, the limit is 2`},
		{"vertices", `{"geoPolygon":{"p":{"points":[[0,0],[0,1],[1,1],[1,0]]}}}`, Limits{Vertices: 3}, `"geoPolygon.p.points": has 4 points, the limit is 3`},
		{"vertices of GeoJSON", `{"geoShape":{"p":{"type":"Polygon","coordinates":[[[0,0],[0,1],[1,1],[1,0]]]}}}`, Limits{Vertices: 3}, `"geoShape.p.coordinates": has 4 points, the limit is 3`},
		{"a pattern", `{"regexp":{"a":"abc"}}`, Limits{PatternBytes: 2}, `"regexp.a": has 3 bytes, the limit is 2`},
		{"instructions", `{"regexp":{"a":"abc"}}`, Limits{Instructions: 4}, `"regexp.a": has 5 instructions, the limit is 4`},
		{"none", nested(30, `{"regexp":{"a":"(a{100}){10}"}}`), NoLimits(), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseWithin([]byte(tt.src), tt.limits)
			if got := fmt.Sprint(err); got != tt.want && (err != nil || tt.want != "") {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// A program has no more tests than the cost of its filter, which is bounded
// whatever the limits.
func TestTheDearestFilterIsMatchedAsItShould(t *testing.T) {
	filter := func(n int) []byte {
		return []byte(`{"and":[{"exists":"a"},{"or":[` + sequence(n, `{"exists":"%[1]d"}`) + `]}]}`)
	}
	f, err := ParseWithin(filter(maxCost-1), NoLimits())
	if err != nil {
		t.Fatal(err)
	}
	var m Matcher[string]
	m.Add("dear", f)
	wantMatch(t, &m, document(t, `{"a":1,"0":1}`), "dear")
	wantMatch(t, &m, document(t, `{"a":1,"b":1}`))
	if _, err := ParseWithin(filter(maxCost), NoLimits()); err == nil || !strings.Contains(err.Error(), "the limit is 30000") {
		t.Errorf("a filter that costs more: %v", err)
	}
}

// Each condition is left out of the next member, once it has come about.
func TestAFilterWhosePartsGoOneAfterAnotherIsRefused(t *testing.T) {
	apart := func(n int) string {
		return `{"and":[{"in":{"0":[1,2]}},` + sequence(n, `{"or":[{"and":[{"in":{"%[1]d":[1,2]}},{"equals":{"%[1]d1":1}}]},{"equals":{"%[1]d1":2}}]}`) + `]}`
	}
	chain := func(n int) string {
		members := []string{`{"in":{"0":[1,2]}}`}
		for i := range n {
			members = append(members, fmt.Sprintf(`{"or":[{"and":[{"in":{"%d":[1,2]}},{"equals":{"%[2]d":1}}]},{"equals":{"%[2]d":2}}]}`, i, i+1))
		}
		return `{"and":[` + strings.Join(members, ",") + `]}`
	}
	if _, err := Parse([]byte(apart(150))); err != nil {
		t.Errorf("members that have nothing in common: %v", err)
	}
	f := parsed(t, chain(30))
	if again := parsed(t, f.String()); again.String() != f.String() {
		t.Errorf("%s\nis %s", f, again)
	}
	const want = "the canonical form takes "
	if _, err := Parse([]byte(chain(180))); err == nil || !strings.HasPrefix(err.Error(), want) || !strings.HasSuffix(err.Error(), " steps or more, the limit is 10000") {
		t.Errorf("a chain of 180: %v", err)
	}
}

func TestADistanceThatIsTooLongIsRefused(t *testing.T) {
	for _, distance := range []string{"1e309", `"` + strings.Repeat("9", 310) + `"`, `"1797693134862315700` + strings.Repeat("0", 287) + ` km"`, `"17976931348623157` + strings.Repeat("0", 289) + ` km"`} {
		if f, err := Parse([]byte(`{"geoDistance":{"p":[1,2],"distance":` + distance + `}}`)); err == nil {
			t.Errorf("%.30s… is %s", distance, f)
		}
	}
}

// What a pattern costs is refused before it is paid for.
func TestRegexpsCostWhatTheyTakeToCompile(t *testing.T) {
	for _, tt := range []struct {
		name, pattern string
		want          int
	}{
		{"a few letters", `abc`, 1 + 4 + 2},
		{"a few ranges", `^M-[A-Z]{1,2} [0-9]+$`, 1 + 5 + 6},
		{"repetitions", `(a{10}){40}`, 1 + 4 + 241},
		{"classes of Unicode", `\\pL+\\PN`, 1 + 4 + 80 + 2},
		{"ranges of letters", `[а-я一-龥]`, 1 + 4 + 1},
		{"ranges of letters in any case", `(?i)[а-я一-龥]`, 1 + 5 + 1046 + 1},
		{"ranges that are escaped", `(?im)[B-\\x{1e942}]`, 1 + 5 + 6259 + 1},
		{"what looks like one", `(?i)[\\\\x{1e900}-\\x{1e942}]`, 1 + 5 + 6257},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := parser{lim: NoLimits()}
			if _, err := p.condition(place{}, "regexp", object{{"a", strings.ReplaceAll(tt.pattern, `\\`, `\`)}}); err != nil {
				t.Fatal(err)
			}
			if p.cost != tt.want {
				t.Errorf("costs %d, want %d", p.cost, tt.want)
			}
		})
	}
}

// circle returns n positions of GeoJSON around a place.
func circle(n int) string {
	points := make([]string, n)
	for i := range points {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		points[i] = fmt.Sprintf("[%.3f,%.3f]", cos, sin)
	}
	return strings.Join(points, ",")
}

// spokes returns positions of n triangles that have a corner in common.
func spokes(n int) string {
	points := make([]string, n)
	for i := range points {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		points[i] = fmt.Sprintf("[0,0],[%.4f,%.4f],[%.4f,%.4f]", cos, sin, cos-sin/1000, sin+cos/1000)
	}
	return strings.Join(points[:min(n, 333)], ",")
}

// withHoles returns a filter for a square with n triangular holes.
func withHoles(n int) string {
	var holes strings.Builder
	for i := range n {
		fmt.Fprintf(&holes, ",[[%d,1],[%d.5,1],[%d,2]]", i, i, i)
	}
	return `{"geoShape":{"p":{"type":"Polygon","coordinates":[[[-1,-1],[50,-1],[50,50],[-1,50]]` + holes.String() + `]}}}`
}

// manyNears returns an or of n documents to be near.
func manyNears(n int) string {
	nears := make([]string, n)
	for i := range nears {
		nears[i] = fmt.Sprintf(`{"near":{"p":{"id":"%d","distance":1}}}`, i)
	}
	return `{"or":[` + strings.Join(nears, ",") + `]}`
}

// nested puts a filter into n ands.
func nested(n int, filter string) string {
	return strings.Repeat(`{"and":[`, n) + filter + strings.Repeat(`]}`, n)
}

// Koncorde needs minutes for 36 conditions of this form.
func TestCanonicalFormIsNotExponential(t *testing.T) {
	var ors []string
	for i := range 300 {
		ors = append(ors, fmt.Sprintf(`{"or":[{"equals":{"a":%d}},{"exists":"%d"}]}`, i, i))
	}
	start := time.Now()
	f := parsed(t, `{"not":{"not":{"and":[`+strings.Join(ors, ",")+`]}}}`)
	if took := time.Since(start); took > time.Second {
		t.Errorf("took %v", took)
	}
	if len(f.String()) > 16<<10 {
		t.Errorf("the canonical form has %d bytes", len(f.String()))
	}
}
