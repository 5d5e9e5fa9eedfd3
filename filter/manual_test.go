package filter

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

// An example is a fenced block of FILTERS.md with what stands below it.
type example struct {
	kind  string // what follows json in the opening fence
	text  string
	quote string     // the text of a line that begins with >
	rows  [][]string // of a table: documents, "" for none, and "matches" or "does not match"
}

var (
	fence = regexp.MustCompile("(?ms)^```json *([^\n]*)\n(.*?)^```\n((?:[|>][^\n]*\n|\n)*)")
	row   = regexp.MustCompile("(?m)^\\| (.*`) \\| (.*) \\|$")
	quote = regexp.MustCompile(`(?m)^> (.*)$`)
)

// TestManual runs every example of FILTERS.md.
func TestManual(t *testing.T) {
	manual, err := os.ReadFile("../FILTERS.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := examplesOf(string(manual))
	if fences := strings.Count(string(manual), "\n```json"); len(examples) != fences || fences < 50 {
		t.Fatalf("%d of %d examples are readable", len(examples), fences)
	}
	for _, e := range examples {
		switch e.kind {
		case "filter", "change", "near":
			runFilter(t, e)
		case "same":
			runSame(t, e)
		case "refused":
			if _, err := Parse([]byte(e.text)); err == nil || err.Error() != e.quote {
				t.Errorf("%s\ngot  %v\nwant %s", e.text, err, e.quote)
			}
		case "hash":
			runHash(t, e)
		default:
			t.Errorf("what is a block of %q?\n%s", e.kind, e.text)
		}
	}
}

func TestEveryKeywordHasItsPlaces(t *testing.T) {
	manual, err := os.ReadFile("../FILTERS.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields(`after and anyOf before bool changed cidr contains crossed equals exists geoBoundingBox geoDistance geoDistanceRange geoPolygon geoShape
		ids in match missing near not nothing or prefix range regexp select suffix`) {
		if keyword(name) == nil {
			t.Errorf("%s is not a keyword", name)
		}
		if !strings.Contains(string(manual), "\n## "+name+"\n") {
			t.Errorf("%s has no chapter in FILTERS.md", name)
		}
		if _, err := os.Stat("testdata/" + strings.ToLower(name) + ".txt"); err != nil {
			t.Errorf("%s has no golden file: %v", name, err)
		}
	}
}

func examplesOf(manual string) []example {
	var examples []example
	for _, m := range fence.FindAllStringSubmatch(manual, -1) {
		e := example{kind: m[1], text: strings.TrimSpace(m[2])}
		if q := quote.FindStringSubmatch(m[3]); q != nil {
			e.quote = q[1]
		}
		for _, r := range row.FindAllStringSubmatch(m[3], -1) {
			cells := strings.Split("| "+r[1], "| ")[1:]
			for i := range cells {
				cells[i] = strings.Trim(cells[i], " `")
			}
			e.rows = append(e.rows, append(cells, r[2]))
		}
		examples = append(examples, e)
	}
	return examples
}

// runFilter asks the filter about the last document of each row. The one before
// it, if any, is its previous version, or the other document of near.
func runFilter(t *testing.T, e example) {
	t.Helper()
	f := parsed(t, e.text)
	if len(e.rows) == 0 {
		t.Errorf("%s\nhas no documents", e.text)
	}
	for _, row := range e.rows {
		got := "does not match"
		if f.Match(documentIn(t, e.kind, row)) {
			got = "matches"
		}
		if want := row[len(row)-1]; got != want {
			t.Errorf("%s\n%s: %s, not: %s", e.text, row[:len(row)-1], got, want)
		}
	}
}

func documentIn(t *testing.T, kind string, row []string) *Document {
	t.Helper()
	columns := 3
	if kind == "filter" {
		columns = 2
	}
	if len(row) != columns {
		t.Fatalf("a row of %s has the cells %q", kind, row)
	}
	d := document(t, row[columns-2])
	if row[0] == "" || kind == "filter" {
		return d
	}
	switch other := document(t, row[0]); kind {
	case "change":
		d.Follow(other)
	case "near":
		id, _ := other.lookup("_id")
		d.Among(func(n Neighbour) Position {
			if id.is(n.ID) {
				return other.Position(n.Path)
			}
			return Position{}
		})
	}
	return d
}

// runSame checks that the lines are spellings of one filter, of which the first
// is the canonical one but for white space.
func runSame(t *testing.T, e example) {
	t.Helper()
	lines := strings.Split(e.text, "\n")
	want := strings.ReplaceAll(lines[0], " ", "")
	for _, line := range lines {
		if got := parsed(t, line).String(); got != want {
			t.Errorf("%s\nis %s, not %s", line, got, want)
		}
	}
}

// runHash checks a hash by its own definition, and that it is that of the
// filter.
func runHash(t *testing.T, e example) {
	t.Helper()
	var parts [4]json.RawMessage
	var index, collection string
	for _, err := range []error{
		json.Unmarshal([]byte(e.text), &parts), json.Unmarshal(parts[0], &index), json.Unmarshal(parts[1], &collection),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	sum := sha256.Sum256([]byte(e.text))
	if got := hex.EncodeToString(sum[:16]); got != e.quote {
		t.Errorf("SHA-256 of %s begins with %s, not %s", e.text, got, e.quote)
	}
	if got := parsed(t, string(parts[2])).Hash(index, collection); got != e.quote {
		t.Errorf("the hash of %s is %s, not %s", parts[2], got, e.quote)
	}
}
