package filter

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// What a filter may cost. Every limit is a *SyntaxError that names it.
const (
	maxTextBytes = 16 << 10 // of the text, and of the canonical text
	maxDepth     = 16       // keywords within keywords
	maxJSONDepth = 64       // objects and arrays within each other
	maxCost      = 1000     // conditions; every value of in, ids and anyOf is one
	maxValues    = 1000     // of one in, ids or anyOf
)

// A parser reads one filter.
type parser struct {
	cost int // of what has been read
}

// parse reads a filter into a tree that is not canonical.
func parse(src []byte) (node, error) {
	if len(src) > maxTextBytes {
		return nil, tooLong("the filter", len(src))
	}
	v, err := decodeFilter(src)
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return nil, &SyntaxError{Text: jsonFault(err)}
	}
	if err != nil {
		return nil, &SyntaxError{Text: "not a JSON value: " + jsonFault(err)}
	}
	if isEmpty(v) {
		return constant(true), nil
	}
	o, ok := v.(object)
	if !ok {
		return nil, &SyntaxError{Text: oneKeyword}
	}
	return new(parser).filter(place{}, o)
}

func tooLong(what string, n int) error {
	return &SyntaxError{Text: fmt.Sprintf("%s has %d bytes, the limit is %d", what, n, maxTextBytes)}
}

const oneKeyword = "Invalid filter syntax. Filters must have one keyword only"

// isEmpty reports whether v, as a whole filter, has no keyword. Koncorde takes
// anything without keys for a filter that everything matches.
func isEmpty(v any) bool {
	switch v := v.(type) {
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case object:
		return len(v) == 0
	}
	return true
}

// filter reads a filter that stands in at. It has at least one keyword.
func (p *parser) filter(in place, o object) (node, error) {
	if len(o) > 1 {
		in.keyword = strings.Join(o.names(), ",")
		return nil, in.errorf(oneKeyword)
	}
	return p.condition(in, o[0].name, o[0].value)
}

// condition reads a keyword with its argument.
func (p *parser) condition(in place, name string, arg any) (node, error) {
	at := in.at(name)
	at.keyword = name
	at.depth = in.depth + 1
	read := keyword(name)
	if read == nil {
		return nil, at.errorf("unknown keyword")
	}
	if err := tooDeep(at); err != nil {
		return nil, err
	}
	return read(p, at, arg)
}

func tooDeep(at place) error {
	if at.depth > maxDepth {
		return at.errorf("keywords are nested %d deep, the limit is %d", at.depth, maxDepth)
	}
	return nil
}

// spend adds n conditions to the cost of the filter.
func (p *parser) spend(at place, n int) error {
	p.cost += n
	if p.cost > maxCost {
		return at.errorf("the filter has %d conditions or more, the limit is %d", p.cost, maxCost)
	}
	return nil
}

// field reads the object of a keyword that has one member, which is named
// after a field of documents.
func (p *parser) field(at place, arg any) (member, error) {
	o, err := objectOf(at, arg, form{members: 1})
	if err != nil {
		return member{}, err
	}
	return o[0], p.spend(at, 1)
}

// stringField is field for a member that is a string with something in it.
func (p *parser) stringField(at place, arg any) (field, text string, err error) {
	m, err := p.field(at, arg)
	if err != nil {
		return "", "", err
	}
	text, err = stringOf(at.at(m.name), m.value)
	return m.name, text, err
}
