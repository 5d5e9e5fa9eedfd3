package filter

import "strings"

// substring matches documents whose field is a string that has a text in it, at
// a given place. It is what prefix, suffix and contains mean.
type substring struct {
	field string
	place textPlace
	text  string
}

// A textPlace is where in a string a text stands. It is the keyword that says
// so.
type textPlace string

const (
	atStart  textPlace = "prefix"
	atEnd    textPlace = "suffix"
	anywhere textPlace = "contains"
)

func (n substring) match(d *Document) bool {
	v, ok := d.lookup(n.field)
	return ok && n.holds(v)
}

func (n substring) path() string { return n.field }

func (n substring) holds(v value) bool {
	s, ok := v.string()
	if !ok {
		return false
	}
	switch n.place {
	case atStart:
		return strings.HasPrefix(s, n.text)
	case atEnd:
		return strings.HasSuffix(s, n.text)
	case anywhere:
		return strings.Contains(s, n.text)
	}
	return false
}

func (n substring) appendText(b []byte) []byte {
	b = appendOpen(b, string(n.place), n.field)
	return append(appendString(b, n.text), "}}"...)
}

// literals returns the text, unless it is too short to be found by.
func (n substring) literals() []string {
	if len(n.text) < gramBytes {
		return nil
	}
	return []string{n.text}
}

func parseContains(p *parser, at place, arg any) (node, error) {
	field, text, err := p.stringField(at, arg)
	return substring{field, anywhere, text}, err
}
