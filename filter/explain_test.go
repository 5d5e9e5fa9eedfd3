package filter

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestExplainNamesEachClauseAndItsValue(t *testing.T) {
	d := document(t, `{"type":"van","speed":30,"tags":["<a>",null],"far":{"x":[1e400,-1e400]}}`)
	for _, tt := range []struct{ name, filter, want string }{
		{"a clause that holds", `{"equals":{"type":"van"}}`, `{"holds":true,"clause":{"equals":{"type":"van"}},"value":"van"}`},
		{"one that does not", `{"range":{"speed":{"gt":50}}}`, `{"holds":false,"clause":{"range":{"speed":{"gt":50}}},"value":30}`},
		{"a field that is not there has no value", `{"exists":"driver"}`, `{"holds":false,"clause":{"exists":"driver"}}`},
		{"a negation is a clause", `{"not":{"equals":{"type":"van"}}}`, `{"holds":false,"clause":{"not":{"equals":{"type":"van"}}},"value":"van"}`},
		{"missing is one, too", `{"missing":"driver"}`, `{"holds":true,"clause":{"missing":"driver"}}`},
		{"an array and what it holds", `{"exists":"tags[null]"}`, `{"holds":true,"clause":{"exists":"tags[null]"},"value":["<a>",null]}`},
		{"what is too large for JSON is as large as can be", `{"exists":"far"}`, `{"holds":true,"clause":{"exists":"far"},"value":{"x":[1.7976931348623157e+308,-1.7976931348623157e+308]}}`},
		{"everything is about no field", `{}`, `{"holds":true,"clause":{}}`},
		{"nothing, neither", `{"nothing":1}`, `{"holds":false,"clause":{"nothing":true}}`},
		{
			"the members of an or, decided or not", `{"or":[{"equals":{"type":"van"}},{"missing":"speed"}]}`,
			`{"holds":true,"or":[{"holds":true,"clause":{"equals":{"type":"van"}},"value":"van"},{"holds":false,"clause":{"missing":"speed"},"value":30}]}`,
		},
		{
			"an or in an and", `{"bool":{"must":[{"exists":"speed"}],"should":[{"equals":{"type":"car"}},{"missing":"speed"}]}}`,
			`{"holds":false,"and":[{"holds":true,"clause":{"exists":"speed"},"value":30},{"holds":false,"or":[` +
				`{"holds":false,"clause":{"equals":{"type":"car"}},"value":"van"},{"holds":false,"clause":{"missing":"speed"},"value":30}]}]}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := explanationText(t, parsed(t, tt.filter).Explain(d)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// Each clause of an explanation is a filter that answers as it says, and the
// whole answers as Match does.
func TestExplainAgreesWithMatch(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	for range 5000 {
		f, d := parsed(t, randomFilter(random, 1+random.IntN(4))), document(t, randomDocument(random))
		e := f.Explain(d)
		if e.Holds != f.Match(d) {
			t.Fatalf("%s of %v: %v\n%s", f, fields(d), f.Match(d), explanationText(t, e))
		}
		checkExplanation(t, e, d)
	}
}

func checkExplanation(t *testing.T, e Explanation, d *Document) {
	t.Helper()
	if e.Clause != nil {
		if f := parsed(t, string(e.Clause)); f.Match(d) != e.Holds || e.And != nil || e.Or != nil {
			t.Fatalf("%s of %v: %s", f, fields(d), explanationText(t, e))
		}
	}
	for _, member := range append(e.And, e.Or...) {
		checkExplanation(t, member, d)
	}
	_ = explanationText(t, e) // fails for what is no JSON text
}

func explanationText(t *testing.T, e Explanation) string {
	t.Helper()
	var text strings.Builder
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(text.String(), "\n")
}
