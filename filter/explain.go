package filter

import (
	"encoding/json"
	"math"
)

// An Explanation says why a filter matches a document, or does not. It has the
// shape of the canonical form: an and or an or with its members, or a condition.
// Its JSON text is meant to be read:
//
//	{"holds":false,"and":[
//	  {"holds":true,"clause":{"equals":{"type":"van"}},"value":"van"},
//	  {"holds":false,"clause":{"range":{"speed":{"gt":50}}},"value":30}]}
type Explanation struct {
	Holds bool `json:"holds"`

	// Clause is a condition, as a filter of its own: a keyword, or the not of one.
	Clause json.RawMessage `json:"clause,omitempty"`
	// Value is what the document has in the field of the condition. It is nil if
	// the document has no such field, or the condition is not about one.
	Value json.RawMessage `json:"value,omitempty"`
	// Previous is what the version before had in the field of a changed or
	// crossed, and Other the position with which a near compares. They are nil if
	// there is none.
	Previous json.RawMessage `json:"previous,omitempty"`
	Other    json.RawMessage `json:"other,omitempty"`

	// And and Or are the members, in the order of the canonical form. All of them
	// are explained, though Match stops at the first that decides.
	And []Explanation `json:"and,omitempty"`
	Or  []Explanation `json:"or,omitempty"`
}

// Explain says clause by clause what Match says in a word: Holds is its answer.
func (f *Filter) Explain(d *Document) Explanation { return explain(f.root, d) }

func explain(n node, d *Document) Explanation {
	switch n := n.(type) {
	case and:
		e := Explanation{Holds: true, And: explainAll(n, d)}
		for _, member := range e.And {
			e.Holds = e.Holds && member.Holds
		}
		return e
	case or:
		e := Explanation{Or: explainAll(n, d)}
		for _, member := range e.Or {
			e.Holds = e.Holds || member.Holds
		}
		return e
	}
	e := Explanation{Holds: n.match(d), Clause: n.appendText(nil)}
	if negation, ok := n.(not); ok {
		n = negation.filter
	}
	if l, ok := n.(leaf); ok {
		e.Value = textAt(l.path(), d)
	}
	if m, ok := n.(moment); ok {
		m.evidence(&e, d)
	}
	return e
}

func explainAll(nodes []node, d *Document) []Explanation {
	all := make([]Explanation, len(nodes))
	for i, n := range nodes {
		all[i] = explain(n, d)
	}
	return all
}

// textAt returns the JSON text of the value that a document has at a path, or
// nil. A document may be nil, too.
func textAt(path string, d *Document) []byte {
	if d == nil {
		return nil
	}
	v, ok := d.lookup(path)
	if !ok {
		return nil
	}
	return appendValue(nil, finite(v.decoded()))
}

// finite returns v with the greatest numbers in place of infinite ones, which
// are what is read of 1e400, and for which JSON has no text.
func finite(v any) any {
	switch v := v.(type) {
	case float64:
		return max(-math.MaxFloat64, min(math.MaxFloat64, v))
	case []any:
		for i := range v {
			v[i] = finite(v[i])
		}
	case object:
		for i := range v {
			v[i].value = finite(v[i].value)
		}
	}
	return v
}
