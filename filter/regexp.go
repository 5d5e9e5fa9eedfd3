package filter

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// The limits of a regular expression.
const (
	maxPatternBytes = 256
	maxInstructions = 500
)

// pattern matches documents whose field is a string in which a regular
// expression finds something.
type pattern struct {
	field  string
	source string
	flags  string // some of "ims", in this order
	regexp *regexp.Regexp
}

func (n pattern) match(d *Document) bool {
	v, ok := d.lookup(n.field)
	return ok && n.holds(v)
}

func (n pattern) path() string { return n.field }

func (n pattern) holds(v value) bool {
	s, ok := v.string()
	return ok && n.regexp.MatchString(s)
}

func (n pattern) appendText(b []byte) []byte {
	b = appendOpen(b, "regexp", n.field)
	if n.flags == "" {
		return append(appendString(b, n.source), "}}"...)
	}
	b = appendString(append(b, `{"flags":`...), n.flags)
	b = appendString(append(b, `,"value":`...), n.source)
	return append(b, "}}}"...)
}

func parseRegexp(p *parser, at place, arg any) (node, error) {
	m, err := p.field(at, arg)
	if err != nil {
		return nil, err
	}
	at = at.at(m.name)
	source, flags := "", ""
	switch v := m.value.(type) {
	case string:
		source = v
	case object:
		if source, flags, err = sourceAndFlags(at, v); err != nil {
			return nil, err
		}
	default:
		return nil, at.errorf("must be either a string or a non-empty object")
	}
	if len(source) > maxPatternBytes {
		return nil, at.errorf("has %d bytes, the limit is %d", len(source), maxPatternBytes)
	}
	effective := effectiveFlags(flags)
	re, err := compile(source, effective)
	if errors.Is(err, errInstructions) {
		return nil, at.errorf("%s", err)
	}
	if err != nil {
		return nil, at.errorf(`cannot parse regexp expression "/%s/%s" (%s)`, source, cmp.Or(flags, "undefined"), err)
	}
	return pattern{m.name, source, effective, re}, nil
}

func sourceAndFlags(at place, o object) (source, flags string, err error) {
	if _, err := objectOf(at, o, form{nonEmpty: true, required: []string{"value"}, allowed: []string{"flags", "value"}}); err != nil {
		return "", "", err
	}
	v, _ := o.get("value")
	source, ok := v.(string)
	if !ok {
		return "", "", at.at("value").errorf("must be a string")
	}
	v, _ = o.get("flags")
	if !truthy(v) {
		return source, "", nil
	}
	flags, err = stringOf(at.at("flags"), v)
	return source, flags, err
}

// effectiveFlags keeps the flags that change what a test finds. The others of
// JavaScript say where to start and what to remember; Koncorde takes any.
func effectiveFlags(flags string) string {
	kept := ""
	for _, flag := range []string{"i", "m", "s"} {
		if strings.Contains(flags, flag) {
			kept += flag
		}
	}
	return kept
}

var errInstructions = fmt.Errorf("is too complex, the limit is %d instructions", maxInstructions)

func compile(source, flags string) (*regexp.Regexp, error) {
	prefix := ""
	if flags != "" {
		prefix = "(?" + flags + ")"
	}
	text := prefix + translate(source)
	tree, err := syntax.Parse(text, syntax.Perl)
	var bad *syntax.Error
	if errors.As(err, &bad) {
		return nil, fmt.Errorf("%s: %s", re2Text(bad.Code), strings.TrimPrefix(bad.Expr, prefix))
	}
	if err != nil {
		return nil, err
	}
	program, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, err
	}
	if len(program.Inst) > maxInstructions {
		return nil, errInstructions
	}
	return regexp.Compile(text)
}

// translate turns the escapes that JavaScript has and RE2 has not, \uXXXX,
// \u{X} and \cX, into RE2's.
func translate(source string) string {
	return jsEscape.ReplaceAllStringFunc(source, func(escape string) string {
		switch {
		case strings.HasPrefix(escape, `\u{`):
			return `\x` + escape[2:]
		case strings.HasPrefix(escape, `\u`):
			return `\x{` + escape[2:] + `}`
		case strings.HasPrefix(escape, `\c`):
			return fmt.Sprintf(`\x{%02x}`, escape[2]&31)
		}
		return escape
	})
}

// jsEscape finds every escape, so that the u of an escaped backslash before a u
// is not taken for one.
var jsEscape = regexp.MustCompile(`\\(?:u[0-9A-Fa-f]{4}|u\{[0-9A-Fa-f]+\}|c[A-Za-z]|.)`)

// re2Text returns the text of RE2, which Koncorde uses, for an error that Go
// words differently.
func re2Text(code syntax.ErrorCode) string {
	switch code {
	case syntax.ErrMissingParen:
		return "missing )"
	case syntax.ErrMissingBracket:
		return "missing ]"
	case syntax.ErrMissingRepeatArgument:
		return "no argument for repetition operator"
	case syntax.ErrInvalidRepeatOp:
		return "bad repetition operator"
	case syntax.ErrInvalidPerlOp:
		return "invalid perl operator"
	default:
		return code.String()
	}
}
