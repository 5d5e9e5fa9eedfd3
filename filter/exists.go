package filter

import "strings"

// existence matches documents that have a field, be it null.
type existence struct{ field string }

func (n existence) match(d *Document) bool {
	v, ok := d.lookup(n.field)
	return ok && n.holds(v)
}

func (n existence) path() string     { return n.field }
func (n existence) holds(value) bool { return true }

func (n existence) appendText(b []byte) []byte {
	return appendExistence(b, "exists", escapeBrackets(n.field))
}

// appendExistence appends exists or missing.
func appendExistence(b []byte, keyword, path string) []byte {
	return append(appendString(append(b, `{"`+keyword+`":`...), path), '}')
}

// parseExists reads "path", "path[<JSON value>]", or either of them as the
// property field of an object.
func parseExists(p *parser, at place, arg any) (node, error) {
	at, path, err := p.path(at, arg)
	if err != nil {
		return nil, err
	}
	return p.existence(at, path)
}

// path reads a string, or one that is the property field of an object, and
// returns where it stands.
func (p *parser) path(at place, arg any) (place, string, error) {
	if err := p.spend(at, 1); err != nil {
		return at, "", err
	}
	if arg == "" {
		return at, "", at.errorf("cannot test empty field name")
	}
	if path, ok := arg.(string); ok {
		return at, path, nil
	}
	o, err := objectOf(at, arg, form{members: 1, required: []string{"field"}})
	if err != nil {
		return at, "", err
	}
	at = at.at("field")
	path, err := stringOf(at, o[0].value)
	return at, path, err
}

func (p *parser) existence(at place, path string) (node, error) {
	field, value, ok := cutElement(path)
	if !ok {
		return existence{unescapeBrackets(path)}, nil
	}
	v, err := decodeFilter([]byte(value), p.lim.nesting())
	if err != nil {
		return nil, at.errorf(`contains an invalid array value ("%s")`, value)
	}
	if !isScalar(v) {
		// An array never holds the very object or array that a filter does.
		return constant(false), nil
	}
	return newElement(unescapeBrackets(field), []any{v}), nil
}

// cutElement cuts path[value] at the first bracket that neither comes first
// nor follows a backslash.
func cutElement(path string) (field, value string, ok bool) {
	if !strings.HasSuffix(path, "]") {
		return "", "", false
	}
	for i := 1; i < len(path); i++ {
		if path[i] == '[' && path[i-1] != '\\' {
			return path[:i], path[i+1 : len(path)-1], true
		}
	}
	return "", "", false
}

// A backslash before a bracket makes it a part of the field's name.
func escapeBrackets(field string) string {
	if !strings.ContainsAny(field, "[]") {
		return field // a Replacer costs a hundred times as much
	}
	return strings.NewReplacer(`[`, `\[`, `]`, `\]`).Replace(field)
}

func unescapeBrackets(path string) string {
	if !strings.Contains(path, `\`) {
		return path
	}
	return strings.NewReplacer(`\[`, `[`, `\]`, `]`).Replace(path)
}
