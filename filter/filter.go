// Package filter is the Koncorde language: it reads filters, which are JSON,
// and says whether a document, which is JSON too, matches.
//
//	f, err := filter.Parse([]byte(`{"range":{"speed":{"gt":50}}}`))
//	d, err := filter.ParseDocument([]byte(`{"speed":57}`), filter.DocumentLimits{})
//	f.Match(d) // true
//
// FILTERS.md is the manual of the language. Filter.Match is its meaning, in as
// few words as possible; Matcher finds the filters that match a document among
// many, and must always agree with it.
package filter

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// A Filter is a condition on documents, in canonical form: filters that Parse
// finds to be spellings of one another are equal in all they do. It is never
// changed, so it may be used by many goroutines at once.
type Filter struct {
	root node
	text string
	cost int
	// Of a filter under an access rule: see Under.
	own, rule *Filter
	hidden    []string
}

// Parse reads one filter in the Koncorde language, within the default limits.
// Errors are *SyntaxError.
func Parse(src []byte) (*Filter, error) { return ParseWithin(src, Limits{}) }

// ParseWithin is Parse within other limits.
func ParseWithin(src []byte, lim Limits) (*Filter, error) {
	lim = lim.withDefaults()
	root, cost, err := parse(src, lim)
	if err != nil {
		return nil, err
	}
	form, err := canonical(root, lim)
	if err != nil {
		return nil, err
	}
	if err := lim.checkBytes("the filter's canonical form", len(form.text)); err != nil {
		return nil, err
	}
	return &Filter{root: form.tree(), text: form.text, cost: cost}, nil
}

// Match reports whether d matches. It never fails: what a document lacks, or
// holds in another type, does not match.
func (f *Filter) Match(d *Document) bool { return f.root.match(d) }

// String returns the canonical text: a filter that Parse accepts, and that has
// the same hash.
func (f *Filter) String() string { return f.text }

// Cost is what the conditions cost, as they were written: see [Limits]. It is at least 1, and that of an
// access rule does not count.
func (f *Filter) Cost() int { return max(1, f.cost) }

// Hash names the filter within a collection: 32 lower-case hexadecimal digits,
// the same for all spellings, on every node and after every restart.
func (f *Filter) Hash(index, collection string) string {
	// A JSON array keeps its parts apart. The last one is what is hidden by the
	// access rule, whose condition is part of the filter.
	b := appendString([]byte{'['}, index)
	b = appendString(append(b, ','), collection)
	b = append(append(b, ','), f.text...)
	b = appendString(append(b, ','), strings.Join(f.hidden, "\n"))
	sum := sha256.Sum256(append(b, ']'))
	return hex.EncodeToString(sum[:16])
}

// A node is a keyword with its arguments. It is never changed.
type node interface {
	match(d *Document) bool
	appendText(b []byte) []byte // the canonical JSON text of the node alone
}

// partsOf returns the nodes that an and, an or or a not is made of, and none of others.
func partsOf(n node) []node {
	switch n := n.(type) {
	case and:
		return n
	case or:
		return n
	case not:
		return []node{n.filter}
	}
	return nil
}

// A leaf is a condition on the value of one field. Without the field it does
// not match; what is common to them is said in each, for a shared method would
// have to allocate the node.
type leaf interface {
	node
	path() string
	holds(v value) bool // whether the value of the field is as it should be
}

// constant matches everything or nothing.
type constant bool

func (c constant) match(*Document) bool { return bool(c) }

func (c constant) appendText(b []byte) []byte {
	if c {
		return append(b, `{}`...)
	}
	return append(b, `{"nothing":true}`...)
}

// appendOpen opens the object of a keyword and the name of what follows in it.
func appendOpen(b []byte, keyword, name string) []byte {
	b = append(b, `{"`...)
	b = append(b, keyword...)
	b = append(b, `":{`...)
	return append(appendString(b, name), ':')
}

func appendString(b []byte, s string) []byte {
	// AppendQuote reports invalid UTF-8 and appends a mended string. Only an
	// index or collection could hold any: JSON strings have been checked.
	b, _ = jsontext.AppendQuote(b, s)
	return b
}

func appendNumber(b []byte, v float64) []byte { return jsontext.AppendFloat(b, v, 64) }
