package filter

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ambitmq/ambit/geofilter"
)

// An oracleLine is a filter with the answers of Koncorde 4.7.0.
type oracleLine struct {
	Filter json.RawMessage
	Error  *oracleError
	Tests  []oracleTest
}

type oracleError struct {
	Message, Keyword, Path string
	ParseError             bool // else it is an accident, without keyword and path
}

type oracleTest struct {
	Doc      json.RawMessage
	Match    bool
	Composed *bool // what Koncorde's answers to the parts of the filter amount to
	Throws   string
}

// A refusal is an error of Koncorde that is not ours.
type refusal struct {
	reason  string
	message string // Koncorde's ends with this
	ours    string // our text; "" if we accept the filter
	lines   int    // how many there are
}

var refusals = []refusal{
	{
		reason:  "in takes any scalar, as Koncorde's own manual says",
		message: `must hold only values of type "string"`, lines: 3,
	}, {
		reason:  "a geo clause may stand anywhere: Koncorde rewrites it twice within some and, or, not, and does not know its own word the second time",
		message: `geospatial": unknown keyword`, lines: 106,
	}, {
		reason:  "select may be negated",
		message: "this.storeOperand[cond.keyword] is not a function", lines: 1,
	}, {
		reason:  "a box may lie across the antimeridian",
		message: "min_lon argument cannot be greater or equal max_lon", lines: 1,
	}, {
		reason:  "a distance without a unit is in metres, as Koncorde's own manual says, and so is a number",
		message: `"geoDistance.distance": must be a string`, lines: 1,
	}, {
		reason:  "a box that is null gets the error of any other box that is none",
		message: "Cannot convert undefined or null to object", ours: "unrecognized geo-point format", lines: 1,
	},
}

// answers are Koncorde's answers that are not ours, by filter and document.
var answers = map[string]string{
	`{"range":{"a":{"gt":1}}} {"a":1.00000000005}`:             openBounds,
	`{"range":{"a":{"gte":1,"lt":5}}} {"a":4.99999999999}`:     openBounds,
	`{"range":{"a":{"gt":1048576}}} {"a":1048576}`:             openBounds,
	`{"range":{"a":{"gt":1700000000000}}} {"a":1700000000000}`: openBounds,
	`{"range":{"a":{"gt":0}}} {"a":5e-11}`:                     openBounds,
	`{"exists":"__proto__"} {"__proto__":1}`:                   namesOfJavaScript,
	`{"exists":"constructor"} {"constructor":1}`:               namesOfJavaScript,
	`{"missing":"constructor"} {}`:                             namesOfJavaScript,
	`{"missing":"constructor"} {"a":1}`:                        namesOfJavaScript,
	`{"missing":"toString"} {}`:                                namesOfJavaScript,
}

const (
	openBounds        = "a bound is where it is: Koncorde moves an open one by 1e-10"
	namesOfJavaScript = "a field may have the name of something in JavaScript"
)

func TestOracle(t *testing.T) {
	refused, different := make([]int, len(refusals)), maps.Clone(answers)
	for line := range vectors[oracleLine](t, "koncorde-oracle.jsonl") {
		f, err := Parse(line.Filter)
		if line.Error != nil {
			checkRefusal(t, line, err, refused)
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", line.Filter, err)
			continue
		}
		for _, tt := range line.Tests {
			checkAnswer(t, f, line.Filter, tt, different)
		}
	}
	for i, r := range refusals {
		if refused[i] != r.lines {
			t.Errorf("%d lines have the deviation %q, want %d", refused[i], r.reason, r.lines)
		}
	}
	for test, reason := range different {
		t.Errorf("%s: no deviation, though %s", test, reason)
	}
}

// checkRefusal compares our error with Koncorde's. An accident of Koncorde has
// neither keyword nor path: then the text counts.
func checkRefusal(t *testing.T, line oracleLine, err error, refused []int) {
	t.Helper()
	got, want := new(SyntaxError), line.Error
	if err != nil && !errors.As(err, &got) {
		t.Errorf("%s: %T is not a SyntaxError", line.Filter, err)
	}
	i := slices.IndexFunc(refusals, func(r refusal) bool { return strings.HasSuffix(want.Message, r.message) })
	switch {
	case i >= 0 && got.Text == refusals[i].ours:
		refused[i]++
	case err != nil && !want.ParseError && got.Text == want.Message:
	case err == nil || got.Error() != want.Message || got.Keyword != want.Keyword || got.Path != want.Path:
		t.Errorf("%s:\n got %v, keyword %q, path %q\nwant %s, keyword %q, path %q",
			line.Filter, err, got.Keyword, got.Path, want.Message, want.Keyword, want.Path)
	}
}

func checkAnswer(t *testing.T, f *Filter, source []byte, tt oracleTest, different map[string]string) {
	t.Helper()
	d, err := ParseDocument(tt.Doc, DocumentLimits{})
	if err != nil {
		t.Errorf("%s: %v", tt.Doc, err)
		return
	}
	want := tt.Match // false if it throws: a document can never make matching fail
	if tt.Composed != nil {
		want = *tt.Composed
	}
	name := string(source) + " " + string(tt.Doc)
	if answers[name] != "" {
		delete(different, name)
		want = !want
	}
	if got := f.Match(d); got != want {
		t.Errorf("%s: got %v, want %v %s", name, got, want, tt.Throws)
	}
}

// A unitsLine says how Koncorde reads a geopoint or a distance.
type unitsLine struct {
	Geopoint json.RawMessage
	Result   *struct{ Lat, Lon *float64 }
	Throws   string

	Distance *string
	Meters   any // a number, or "NaN"
	Error    string
}

// distances are the distances that we read differently, NaN for not at all.
var distances = map[string]struct {
	meters float64
	reason string
}{
	"1000": {1000, "without a unit it is metres, as Koncorde's own manual says"},

	"0.6213727366498067 miles": {0.6213727366498067 * 1609.344, statuteMile},
	"1 mile":                   {1609.344, statuteMile},
	"1 mi":                     {1609.344, statuteMile},
	"3 miles":                  {3 * 1609.344, statuteMile},

	"1 h": {math.NaN(), noLength}, "1 hour": {math.NaN(), noLength}, "1 day": {math.NaN(), noLength},
	"1 week": {math.NaN(), noLength}, "1 s": {math.NaN(), noLength}, "1 ms": {math.NaN(), noLength},

	"1 min": {math.NaN(), prefixedInch}, "1 nmi": {math.NaN(), prefixedInch}, "1 kmi": {math.NaN(), prefixedInch},
	"1 kin": {math.NaN(), prefixedInch}, "1 kft": {math.NaN(), prefixedInch},

	"1,234.5 ft": {math.NaN(), halfRead}, "1.234,5 m": {math.NaN(), halfRead}, "1_000 m": {math.NaN(), halfRead},
	"1/2 m": {math.NaN(), halfRead}, "..5 m": {math.NaN(), halfRead},

	"-5m": {math.NaN(), negative}, "5-m": {math.NaN(), negative},
}

const (
	statuteMile  = "a mile is 1609.344 m"
	noLength     = "a time is not a length"
	prefixedInch = "a prefix goes with metres: a minute is not a milli-inch, nor a nautical mile a nano-mile"
	halfRead     = "a number is read as a whole or not at all"
	negative     = "a distance is not negative, and its sign is not dropped"
)

func TestOracleOfUnits(t *testing.T) {
	for line := range vectors[unitsLine](t, "koncorde-units.jsonl") {
		if line.Distance != nil {
			checkDistance(t, line)
		} else {
			checkGeopoint(t, line)
		}
	}
}

func checkDistance(t *testing.T, line unitsLine) {
	t.Helper()
	want, ok := line.Meters.(float64)
	if !ok {
		want = math.NaN()
	}
	if ours, ok := distances[*line.Distance]; ok {
		want = ours.meters
	}
	meters, err := distanceOf(place{}, *line.Distance)
	got := float64(meters)
	if err != nil {
		got = math.NaN()
	}
	if math.IsNaN(got) != math.IsNaN(want) || math.Abs(got-want) > 1e-12*want {
		t.Errorf("%q: got %v, want %v", *line.Distance, got, want)
	}
}

func checkGeopoint(t *testing.T, line unitsLine) {
	t.Helper()
	v, err := decodeFilter(line.Geopoint, 64)
	if err != nil {
		t.Fatal(err)
	}
	got, ok := geopointOf(v)
	if line.Result == nil {
		if ok {
			t.Errorf("%s: got %v, want no point", line.Geopoint, got)
		}
		return
	}
	// Not a place on the Earth, for us: infinite, not a number (both null in
	// the vectors) or beyond a pole.
	lat, lon := line.Result.Lat, line.Result.Lon
	place := lat != nil && lon != nil && math.Abs(*lat) <= 90
	if ok != place || ok && got != (geofilter.Point{Lat: *lat, Lon: *lon}) {
		t.Errorf("%s: got %v %v, want %v %v", line.Geopoint, got, ok, line.Result, place)
	}
}

// vectors reads the lines of a file of recorded answers, which stands beside
// the repository.
func vectors[T any](t *testing.T, name string) func(yield func(T) bool) {
	t.Helper()
	text, err := os.ReadFile("../../shared/vectors/" + name)
	if err != nil {
		t.Skipf("the recorded answers of Koncorde are not here: %v", err)
	}
	return func(yield func(T) bool) {
		lines := bufio.NewScanner(bytes.NewReader(text))
		lines.Buffer(nil, len(text)+1)
		for lines.Scan() {
			var line T
			if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
				t.Fatalf("%s: %v", lines.Bytes(), err)
			}
			if !yield(line) {
				return
			}
		}
	}
}
