package filter

import "strings"

// A parser reads one filter.
type parser struct {
	lim  Limits
	cost int // of what has been read
}

// parse reads a filter into a tree that is not canonical.
func parse(src []byte, lim Limits) (root node, cost int, err error) {
	if err := lim.checkBytes("the filter", len(src)); err != nil {
		return nil, 0, err
	}
	v, err := decodeFilter(src, lim.nesting())
	if err != nil {
		return nil, 0, err
	}
	if isEmpty(v) {
		return constant(true), 0, nil
	}
	o, ok := v.(object)
	if !ok {
		return nil, 0, &SyntaxError{Text: oneKeyword}
	}
	p := &parser{lim: lim}
	root, err = p.filter(place{}, o)
	return root, p.cost, err
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
	if err := p.checkDepth(at); err != nil {
		return nil, err
	}
	return read(p, at, arg)
}

func (p *parser) checkDepth(at place) error {
	if at.depth > p.lim.Depth {
		return at.overf("keywords are nested %d deep, the limit is %d", at.depth, p.lim.Depth)
	}
	return nil
}

// spend adds to the cost of the filter.
func (p *parser) spend(at place, cost int) error {
	p.cost += cost
	if p.cost > p.lim.Cost {
		return at.overf("the filter costs %d conditions or more, the limit is %d", p.cost, p.lim.Cost)
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
