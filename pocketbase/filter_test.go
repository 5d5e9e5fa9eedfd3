package pocketbase

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ambitmq/ambit/filter"
)

func TestFiltersAreTranslated(t *testing.T) {
	for in, want := range map[string]string{
		"":                                  `{}`,
		"speed = 50":                        `{"equals":{"speed":50}}`,
		"speed>=50.5":                       `{"range":{"speed":{"gte":50.5}}}`,
		"50 < speed":                        `{"range":{"speed":{"gt":50}}}`,
		"a != 'x\\'y'":                      `{"not":{"equals":{"a":"x'y"}}}`,
		`id = "42"`:                         `{"equals":{"_id":"42"}}`,
		"a.b = true // why\n && c = null":   `{"and":[{"equals":{"a.b":true}},{"or":[{"missing":"c"},{"equals":{"c":null}},{"equals":{"c":""}}]}]}`,
		"a=1 || b=2 && c=3":                 `{"or":[{"equals":{"a":1}},{"and":[{"equals":{"b":2}},{"equals":{"c":3}}]}]}`,
		"(a=1||b=2)&&c=3":                   `{"and":[{"or":[{"equals":{"a":1}},{"equals":{"b":2}}]},{"equals":{"c":3}}]}`,
		`n ~ "a.b"`:                         `{"regexp":{"n":{"flags":"is","value":"^.*a\\.b.*$"}}}`,
		`n !~ "a%"`:                         `{"not":{"regexp":{"n":{"flags":"is","value":"^a.*$"}}}}`,
		`tags ?= "x"`:                       `{"anyOf":{"tags":["x"]}}`,
		`seen > "2026-01-31 12:00:00.000Z"`: `{"after":{"seen":"2026-01-31T12:00:00Z"}}`,
		`seen <= "2026-01-31"`:              `{"before":{"seen":"2026-01-31T00:00:00.000000001Z"}}`,
		`created >= "1970-01-01 00:00:01Z"`: `{"range":{"_kuzzle_info.createdAt":{"gte":1000}}}`,
		`updated < "1970-01-01 00:00:01Z"`:  `{"or":[{"range":{"_kuzzle_info.updatedAt":{"lt":1000}}},{"and":[{"equals":{"_kuzzle_info.updatedAt":null}},{"range":{"_kuzzle_info.createdAt":{"lt":1000}}}]}]}`,
	} {
		f, err := koncorde(in)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		got := encoded(t, f)
		if string(got) != want {
			t.Errorf("%s\ngot  %s\nwant %s", in, got, want)
		}
		if _, err := filter.Parse(got); err != nil {
			t.Errorf("%s: %v", in, err)
		}
	}
}

func TestWhatFiltersAreRefusedSaysWhere(t *testing.T) {
	for in, want := range map[string]string{
		"speed":                         `expected an operator, not the end (at position 5)`,
		"speed > ":                      `expected a field or a value, not the end (at position 8)`,
		"a = b":                         `two fields cannot be compared (at position 4)`,
		"1 = 2":                         `one side must be a field (at position 0)`,
		"a = 1 b = 2":                   `expected && or ||, not "b" (at position 6)`,
		"(a = 1":                        `expected ), not the end (at position 6)`,
		"a = 'x":                        `a text without its closing quote (at position 4)`,
		"a = 1.2.3":                     `"1.2.3", which is no number (at position 4)`,
		"a # 1":                         `not '#' (at position 2)`,
		"a > 'x'":                       `">" is for numbers and times (at position 2)`,
		"a ~ 5":                         `"~" is for a text that is not empty (at position 2)`,
		"a ?> 5":                        `"?>" has no meaning here (at position 2)`,
		"'x' ?= a":                      `the field must stand on the left (at position 4)`,
		"a > @now":                      `"@now" has no meaning here (at position 4)`,
		"a:lower = 'x'":                 `modifiers of fields have no meaning here (at position 0)`,
		"created = 5":                   `created is compared with a time`,
		`created ~ "2026"`:              `created is compared with a time`,
		"a = 1e999":                     `which is no number (at position 4)`,
		"@request.auth.id!=''":          `"@request.auth.id" has no meaning here (at position 0)`,
		strings.Repeat("(", 40) + "a=1": `more than 32 parentheses in each other (at position 32)`,
	} {
		_, err := koncorde(in)
		var fault *FilterError
		if !errors.As(err, &fault) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngot  %v\nwant %s", in, err, want)
		}
	}
}

func encoded(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// documents have fields of all kinds.
var documents = []string{
	`{}`, `{"a":1}`, `{"a":2,"b":"x"}`, `{"a":"","b":null}`, `{"a":"Xylo","b":["x","y"]}`, `{"a":true,"b":2.5}`, `{"a":false,"b":"xylophone"}`,
	`{"a":"2026-01-31T12:00:00Z","b":-1}`, `{"a":{"b":1},"b":"2026-02-01T00:00:00Z"}`, `{"a":"1","b":"%"}`,
}

// What a filter means here is what its conditions say one by one.
func FuzzFiltersMeanWhatTheySay(f *testing.F) {
	for _, in := range []string{
		"a = 1", "a != 1 && b = 'x'", "a = null || b > 2", "(a = '' || b ~ 'X') && b !~ 'y%'", "b ?= 'x'", "a.b >= 1", `a > "2026-01-31" && !`,
		`a >= "2026-01-31 12:00:00Z"`, `a < "2026-01-31 12:00:00Z" || b <= "2026-02-01"`, "1 < b", "a = true", "a=1||b=2&&a=2", "b ~ '%'",
	} {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		translated, err := koncorde(in)
		if err != nil {
			return
		}
		ours, err := filter.Parse(encoded(t, translated))
		if err != nil {
			t.Skip("beyond what a filter may have: ", err)
		}
		for _, body := range documents {
			d, err := filter.ParseDocument([]byte(body), filter.DocumentLimits{})
			if err != nil {
				t.Fatal(err)
			}
			var members map[string]any
			if err := json.Unmarshal([]byte(body), &members); err != nil {
				t.Fatal(err)
			}
			e := &evaluator{parser: parser{text: in}, document: members}
			e.next()
			if got, want := ours.Match(d), e.all(); !e.beyond && got != want {
				t.Errorf("%q of %s is %v, want %v: %s", in, body, got, want, encoded(t, translated))
			}
		}
	})
}

// An evaluator reads a filter and says at once what it is of a document.
type evaluator struct {
	parser
	document map[string]any
	beyond   bool // it has what is not compared here
}

func (e *evaluator) all() bool {
	if e.is(end) {
		return true
	}
	return e.or()
}

func (e *evaluator) or() bool {
	is := e.and()
	for e.token.text == "||" && e.is(operator) {
		e.next()
		other := e.and()
		is = is || other
	}
	return is
}

func (e *evaluator) and() bool {
	is := e.one()
	for e.token.text == "&&" && e.is(operator) {
		e.next()
		other := e.one()
		is = is && other
	}
	return is
}

func (e *evaluator) one() bool {
	if e.token.text == "(" && e.is(operator) {
		e.next()
		is := e.or()
		e.next()
		return is
	}
	left := e.token
	e.next()
	by := e.token.text
	e.next()
	right := e.token
	e.next()
	if left.kind != name {
		left, right, by = right, left, turned[by]
	}
	if left.text == "id" || left.text == "created" || left.text == "updated" {
		e.beyond = true
		return false
	}
	return holds(e.field(left.text), by, right.value)
}

// field returns what is at a path; a document without it has nil.
func (e *evaluator) field(path string) any {
	if v, ok := e.document[path]; ok {
		return v
	}
	var at any = e.document
	for _, part := range strings.Split(path, ".") {
		o, ok := at.(map[string]any)
		if !ok {
			return nil
		}
		at = o[part]
	}
	return at
}

func holds(have any, by string, want any) bool {
	if n, ok := want.(json.Number); ok {
		want, _ = n.Float64()
	}
	switch by {
	case "=", "!=":
		empty := func(v any) bool { return v == nil || v == "" }
		same := empty(have) && empty(want)
		switch have.(type) {
		case string, float64, bool:
			same = same || have == want
		}
		return same == (by == "=")
	case "~", "!~":
		text, _ := have.(string)
		pattern := want.(string)
		if !strings.Contains(pattern, "%") {
			pattern = "%" + pattern + "%"
		}
		pattern = strings.ReplaceAll(regexp.QuoteMeta(pattern), "%", ".*")
		_, isText := have.(string)
		return (isText && regexp.MustCompile("(?is)^"+pattern+"$").MatchString(text)) == (by == "~")
	case "?=":
		list, _ := have.([]any)
		for _, v := range list {
			if v == want {
				return true
			}
		}
		return false
	}
	order := 0
	if at, isTime := want.(string); isTime {
		there, ok := timeOf(token{value: at})
		text, _ := have.(string)
		here, err := time.Parse(time.RFC3339, text)
		if !ok || err != nil {
			return false
		}
		order = here.Compare(there)
	} else {
		n, ok := have.(float64)
		if !ok {
			return false
		}
		order = 1
		if n == want {
			order = 0
		} else if n < want.(float64) {
			order = -1
		}
	}
	return map[string]bool{">": order > 0, ">=": order >= 0, "<": order < 0, "<=": order <= 0}[by]
}

func ExampleFilterError() {
	_, err := koncorde("speed > @now")
	fmt.Println(err)
	// Output: invalid filter: "@now" has no meaning here (at position 8)
}
