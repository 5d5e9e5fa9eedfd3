package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ambitmq/ambit/filter"
)

// What ambit match answers is what Filter.Match says of each pair, and so does
// what it explains.
func TestMatchAnswersAsFilterMatch(t *testing.T) {
	random := rand.New(rand.NewPCG(21, 22))
	filters, docs := map[string]string{}, make([]string, 700) // more than a batch
	var filterLines, docLines strings.Builder
	for i := range 200 {
		id := fmt.Sprintf("%c%d", 'a'+rune(random.IntN(26)), i)
		filters[id] = randomFilter(random, 3)
		fmt.Fprintf(&filterLines, `{"id":%q,"filter":%s}`+"\n", id, filters[id])
	}
	for i := range docs {
		docs[i] = randomBody(random)
		fmt.Fprintf(&docLines, `{"id":"d%d","body":%s}`+"\n", i, docs[i])
	}
	want := answers(t, filters, docs)
	file := filepath.Join(t.TempDir(), "filters.ndjson")
	if err := os.WriteFile(file, []byte(filterLines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, flag := range []string{"--stats", "--explain"} {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), []string{"match", "--filters", file, "--docs", "-", flag}, strings.NewReader(docLines.String()), &stdout, &stderr)
		if code != 0 {
			t.Fatalf("%s: exit code %d\n%s", flag, code, &stderr)
		}
		checkAnswers(t, &stdout, want, flag == "--explain", len(filters))
	}
}

// answers returns the ids of the filters that match each document.
func answers(t *testing.T, filters map[string]string, docs []string) [][]string {
	t.Helper()
	want := make([][]string, len(docs))
	for id, text := range filters {
		f, err := filter.Parse([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for i, body := range docs {
			d, err := filter.ParseDocument([]byte(body), filter.DocumentLimits{})
			if err != nil {
				t.Fatalf("%s: %v", body, err)
			}
			d.Set("_id", fmt.Sprintf("d%d", i))
			if f.Match(d) {
				want[i] = append(want[i], id)
			}
		}
	}
	for _, ids := range want {
		slices.Sort(ids)
	}
	return want
}

func checkAnswers(t *testing.T, stdout io.Reader, want [][]string, explains bool, filters int) {
	t.Helper()
	dec := json.NewDecoder(stdout)
	for i, ids := range want {
		var answer struct {
			ID    string
			Match []string
		}
		if err := dec.Decode(&answer); err != nil {
			t.Fatal(err)
		}
		if answer.ID != fmt.Sprintf("d%d", i) || answer.Match == nil || !slices.Equal(answer.Match, ids) {
			t.Fatalf("got %v, want d%d and %v", answer, i, ids)
		}
		if !explains {
			continue
		}
		var because []string
		for range filters {
			var why struct {
				ID, Filter string
				Explain    filter.Explanation
			}
			if err := dec.Decode(&why); err != nil || why.ID != answer.ID {
				t.Fatalf("%s: got %v, %v", answer.ID, why, err)
			}
			if why.Explain.Holds {
				because = append(because, why.Filter)
			}
		}
		if !slices.Equal(because, ids) {
			t.Fatalf("d%d: %v hold, want %v", i, because, ids)
		}
	}
	if dec.More() {
		t.Error("there are more lines than documents")
	}
}

func randomFilter(random *rand.Rand, depth int) string {
	if depth > 1 && random.IntN(2) == 0 {
		a, b := randomFilter(random, depth-1), randomFilter(random, depth-1)
		return oneOf(random, `{"and":[`+a+`,`+b+`]}`, `{"or":[`+a+`,`+b+`]}`, `{"not":`+a+`}`)
	}
	field := oneOf(random, "a", "b", "n.x")
	return oneOf(random,
		`{"equals":{"`+field+`":`+oneOf(random, "1", "2", `"x"`, "null")+`}}`, `{"in":{"`+field+`":[1,"x",true]}}`,
		`{"range":{"`+field+`":{"gt":`+oneOf(random, "0", "1")+`,"lte":2}}}`, `{"exists":"`+field+`"}`, `{"missing":"`+field+`"}`,
		`{"regexp":{"`+field+`":"^x"}}`, `{"geoDistance":{"p":[0,0],"distance":"`+oneOf(random, "10", "200")+`km"}}`,
		`{"ids":{"values":["d1","d7","d42"]}}`, `{"nothing":1}`)
}

func randomBody(random *rand.Rand) string {
	value := func() string { return oneOf(random, "1", "2", "1.5", `"x"`, `"xy"`, "null", "true", "[1]") }
	members := []string{}
	for _, m := range []string{`"a":` + value(), `"b":` + value(), `"n":{"x":` + value() + `}`, `"p":` + oneOf(random, "[0,0]", "[1,1]", "[9,9]", "0")} {
		if random.IntN(4) > 0 {
			members = append(members, m)
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}

func oneOf(random *rand.Rand, from ...string) string { return from[random.IntN(len(from))] }

func TestEntriesAreReadInAnySpelling(t *testing.T) {
	for _, tt := range []struct{ name, line, want string }{
		{"as most programs write it", `{"id":"a","body":{"x":1}}`, `a {"x":1}`},
		{"with white space", `{ "id" : "a", "body" : {"x": 1} }`, `a {"x": 1}`},
		{"the other way round", `{"body":{},"id":"a"}`, `a {}`},
		{"with a member more", `{"id":"a","body":{},"x":{}}`, `a {}`},
		{"with escapes in the id", `{"id":"\u0061\"","body":{}}`, `a" {}`},
		{"with an id that looks like the rest", `{"id":"a\",\"body\":","body":{}}`, `a","body": {}`},
		{"with what is no UTF-8 in the id", "{\"id\":\"\xff\",\"body\":{}}", "\uFFFD {}"},
		{"without a value", `{"id":"a","body":}`, `id "a": invalid character '}' looking for beginning of value`},
		{"with two values", `{"id":"a","body":{},"body":{}}`, `id "a": "body" is there twice`},
		{"with two ids", `{"id":"a","body":{},"id":"b"}`, `"id" is there twice`},
		{"with two objects", `{"id":"a","body":{}}{}`, `id "a": more than one JSON object`},
		{"with a name in capitals", `{"ID":"a","body":{}}`, `"id" is missing`},
		{"with a value that is refused", `{"id":"a","body":[]}`, `id "a": not a JSON object`},
		{"not an object", `["id","a"]`, "not a JSON object"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			id, value, err := parseEntry([]byte(tt.line), "body", parseObject)
			got := id + " " + string(value)
			if err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func parseObject(text []byte) (json.RawMessage, error) {
	if _, err := objectFields(text); err != nil {
		return nil, err
	}
	return text, nil
}

func TestALineThatIsTooLongIsSkipped(t *testing.T) {
	long := `{"id":"long","body":{"x":"` + strings.Repeat("x", 3*maxLineBytes) + `"}}`
	lines, err := openLines("-", strings.NewReader(long+"\n\n"+`{"id":"a","body":{}}`+"\n"+long))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for {
		id, _, err := nextEntry(lines, "body", parseObject)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			id = err.Error()
		}
		got = append(got, id)
	}
	want := []string{`line 1: id "long": has more than 1048576 bytes`, "a", `line 4: id "long": has more than 1048576 bytes`}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What is answered does not wait for what is asked next.
func TestMatchAnswersWhatItHasRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "filters.ndjson")
	if err := os.WriteFile(file, []byte(`{"id":"f","filter":{}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	stdin, ask := io.Pipe()
	answered, stdout := io.Pipe()
	ended := make(chan int)
	go func() {
		ended <- run(t.Context(), []string{"match", "--filters", file, "--docs", "-"}, stdin, stdout, io.Discard)
	}()
	for i := range 3 {
		fmt.Fprintf(ask, `{"id":"%d","body":{}}`+"\n", i)
		var answer struct{ ID string }
		if err := json.NewDecoder(answered).Decode(&answer); err != nil || answer.ID != fmt.Sprint(i) {
			t.Fatalf("asked %d, got %v, %v", i, answer, err)
		}
	}
	if err := ask.Close(); err != nil {
		t.Fatal(err)
	}
	if code := <-ended; code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestWhatCannotBeReadFurtherIsAFailure(t *testing.T) {
	var stdout, stderr bytes.Buffer
	fault := errors.New("the disk is gone")
	in := io.MultiReader(strings.NewReader(`{"id":"f","filter":{}}`+"\n"+`{"id":"g"`), &faulty{fault})
	code := run(t.Context(), []string{"match", "--filters", "-", "--docs", os.DevNull}, in, &stdout, &stderr)
	if want := "ambit: -: line 2: the disk is gone\n"; code != exitFailed || stderr.String() != want {
		t.Errorf("exit code %d, %s, want %s", code, &stderr, want)
	}
}

type faulty struct{ err error }

func (f *faulty) Read([]byte) (int, error) { return 0, f.err }

// Target: as long as filter.ParseDocument takes, and a quarter.
func BenchmarkReadDocument(b *testing.B) {
	line := `{"id":"truck-17","body":{"type":"truck","speed":57.25,"heading":181,"position":{"lat":48.137412,"lon":11.575493},` +
		`"driver":"A. Beispiel","tags":["cold","express"],"fuel":0.63,"ignition":true,"route":{"from":"HAM","to":"MUC"}}}` + "\n"
	lines, err := openLines("-", &endless{text: line})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("line", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := nextEntry(lines, "body", parseBody); err != nil {
				b.Fatal(err)
			}
		}
	})
	_, body, _ := cutEntry([]byte(strings.TrimSpace(line)), "body")
	b.Run("body", func(b *testing.B) {
		for b.Loop() {
			if _, err := filter.ParseDocument(body, filter.DocumentLimits{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// An endless reader repeats a text.
type endless struct {
	text string
	at   int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.text[e.at:])
	e.at = (e.at + n) % len(e.text)
	return n, nil
}
