package filter

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
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
	if len(source) > p.lim.PatternBytes {
		return nil, at.overf("has %d bytes, the limit is %d", len(source), p.lim.PatternBytes)
	}
	re, err := p.compile(at, source, flags)
	return pattern{m.name, source, effectiveFlags(flags), re}, err
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

// compile makes a pattern ready to match. What that takes is part of the cost
// of the filter, and is spent before.
func (p *parser) compile(at place, source, flags string) (*regexp.Regexp, error) {
	prefix := ""
	if effective := effectiveFlags(flags); effective != "" {
		prefix = "(?" + effective + ")"
	}
	text := prefix + translate(source)
	if err := p.spend(at, costToParse(text)); err != nil {
		return nil, err
	}
	program, err := programOf(text)
	if err != nil {
		return nil, at.errorf(`cannot parse regexp expression "/%s/%s" (%s)`, source, cmp.Or(flags, "undefined"), faultIn(prefix, err))
	}
	n := len(program.Inst)
	if n > p.lim.Instructions {
		return nil, at.overf("has %d instructions, the limit is %d", n, p.lim.Instructions)
	}
	if err := p.spend(at, n/2); err != nil {
		return nil, err
	}
	return regexp.Compile(text)
}

// errDuplicateName is RE2's; Go lets two groups have one name.
var errDuplicateName = errors.New("duplicate capture group name")

func programOf(text string) (*syntax.Prog, error) {
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, err
	}
	names := tree.CapNames()
	slices.Sort(names)
	for i := 1; i < len(names); i++ {
		if names[i] != "" && names[i] == names[i-1] {
			return nil, errDuplicateName
		}
	}
	return syntax.Compile(tree.Simplify())
}

// faultIn returns what is wrong with a pattern, as RE2 says it.
func faultIn(prefix string, err error) string {
	var bad *syntax.Error
	if !errors.As(err, &bad) {
		return err.Error()
	}
	expr := strings.TrimPrefix(bad.Expr, prefix)
	if bad.Code == syntax.ErrTrailingBackslash {
		return `trailing \`
	}
	if behind := expr[:min(4, len(expr))]; behind == "(?<=" || behind == "(?<!" {
		return re2Text(syntax.ErrInvalidPerlOp) + ": " + behind
	}
	return re2Text(bad.Code) + ": " + expr
}

// costToParse returns what a pattern costs before it is compiled. A few bytes
// can make much work: a class of Unicode has hundreds of ranges, and where the
// case of letters does not matter, each letter of a range is looked up.
func costToParse(text string) int {
	cost := 4 + len(text)/16 + 40*len(unicodeClass.FindAllString(text, -1))
	if foldsCase.MatchString(text) {
		cost += ranged(text) / 20
	}
	return cost
}

var (
	unicodeClass = regexp.MustCompile(`\\[pP]`)
	foldsCase    = regexp.MustCompile(`\(\?[a-zA-Z]*i`)
)

// ranged returns how many characters the ranges of a pattern have, or some more:
// it takes every hyphen for the middle of one.
func ranged(text string) int {
	n, last := 0, rune(0)
	for text != "" {
		c, size := characterIn(text)
		if text[0] == '-' && len(text) > 1 {
			to, _ := characterIn(text[1:])
			n += max(0, int(to-last))
		}
		last, text = c, text[size:]
	}
	return n
}

// characterIn returns the character with which a text begins, be it escaped.
func characterIn(text string) (c rune, size int) {
	const open = `\x{`
	if end := strings.IndexByte(text, '}'); end > 0 && strings.HasPrefix(text, open) {
		if n, err := strconv.ParseInt(text[len(open):end], 16, 32); err == nil {
			return rune(n), end + 1
		}
	}
	if text[0] == '\\' && len(text) > 1 {
		c, size = utf8.DecodeRuneInString(text[1:])
		return c, size + 1
	}
	return utf8.DecodeRuneInString(text)
}

// translate turns the escapes that JavaScript has and RE2 has not, \uXXXX,
// \u{X} and \cX, into RE2's.
func translate(source string) string {
	return jsEscape.ReplaceAllStringFunc(source, func(escape string) string {
		switch {
		case len(escape) == len(`\u`): // nothing of what JavaScript wants follows
			return escape
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
	case syntax.ErrInvalidNamedCapture:
		return "invalid named capture group"
	case syntax.ErrInvalidRepeatSize:
		return "invalid repetition size"
	default:
		return code.String()
	}
}
