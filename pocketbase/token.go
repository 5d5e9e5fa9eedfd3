package pocketbase

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A kind is what a token is.
type kind int

const (
	end kind = iota
	wrong
	operator
	name
	literal
)

// A token is a word of a filter. A literal has a value: a text, a [json.Number], a boolean or nil.
type token struct {
	kind  kind
	at    int
	text  string
	value any
}

func (t token) String() string {
	switch t.kind {
	case end:
		return "the end"
	case wrong:
		return t.text
	case operator, name, literal:
	}
	return strconv.Quote(t.text)
}

func (t token) fail(format string, args ...any) error {
	return &FilterError{Offset: t.at, Reason: fmt.Sprintf(format, args...)}
}

// A parser reads a filter, one token ahead.
type parser struct {
	text  string
	at    int
	token token
}

func (p *parser) is(k kind) bool { return p.token.kind == k }

func (p *parser) fail(format string, args ...any) error { return p.token.fail(format, args...) }

// operators are those of PocketBase, the longer ones first.
var operators = []string{
	"?!=", "?>=", "?<=", "?!~", "?=", "?~", "?>", "?<", "!=", "!~", ">=", "<=", "&&", "||", "=", "~", ">", "<", "(", ")",
}

// next reads the next token.
func (p *parser) next() {
	p.skip()
	rest := p.text[p.at:]
	t := token{at: p.at}
	size := 0
	switch r, _ := utf8.DecodeRuneInString(rest); {
	case rest == "":
	case r == '\'' || r == '"':
		t, size = p.quoted(byte(r))
	case r >= '0' && r <= '9' || (r == '-' || r == '.') && len(rest) > 1:
		t, size = p.number()
	case isNameRune(r):
		size = strings.IndexFunc(rest, func(r rune) bool { return !isNameRune(r) })
		if size < 0 {
			size = len(rest)
		}
		t.kind, t.text = name, rest[:size]
		t = wordOf(t)
	default:
		t.kind, t.text = wrong, strconv.QuoteRune(r)
		for _, o := range operators {
			if strings.HasPrefix(rest, o) {
				t.kind, t.text, size = operator, o, len(o)
				break
			}
		}
	}
	p.token = t
	p.at += size
}

// wordOf returns a word as what it means: true, false and null are values.
func wordOf(t token) token {
	switch t.text {
	case "true", "false":
		t.kind, t.value = literal, t.text == "true"
	case "null":
		t.kind = literal
	}
	return t
}

// skip passes over spaces and comments.
func (p *parser) skip() {
	for {
		p.at = len(p.text) - len(strings.TrimLeftFunc(p.text[p.at:], unicode.IsSpace))
		if !strings.HasPrefix(p.text[p.at:], "//") {
			return
		}
		line, _, _ := strings.Cut(p.text[p.at:], "\n")
		p.at += len(line)
	}
}

// quoted reads a text between quotes, in which a backslash stands before a quote.
func (p *parser) quoted(quote byte) (token, int) {
	rest := p.text[p.at:]
	t := token{at: p.at, kind: literal}
	var b strings.Builder
	for i := 1; i < len(rest); i++ {
		switch {
		case rest[i] == '\\' && i+1 < len(rest) && rest[i+1] == quote:
			i++
			b.WriteByte(quote)
		case rest[i] == quote:
			t.value, t.text = b.String(), rest[:i+1]
			if !utf8.ValidString(b.String()) {
				return token{at: p.at, kind: wrong, text: "a text that is not UTF-8"}, 0
			}
			return t, i + 1
		default:
			b.WriteByte(rest[i])
		}
	}
	return token{at: p.at, kind: wrong, text: "a text without its closing quote"}, 0
}

// number reads a number as JSON has it.
func (p *parser) number() (token, int) {
	rest := p.text[p.at:]
	size := strings.IndexFunc(rest, func(r rune) bool { return !strings.ContainsRune("0123456789.eE+-", r) })
	if size < 0 {
		size = len(rest)
	}
	t := token{at: p.at, kind: literal, text: rest[:size]}
	n, err := strconv.ParseFloat(t.text, 64)
	if err != nil || math.IsInf(n, 0) || !json.Valid([]byte(t.text)) {
		return token{at: p.at, kind: wrong, text: strconv.Quote(rest[:max(size, 1)]) + ", which is no number"}, 0
	}
	t.value = json.Number(t.text)
	return t, size
}
