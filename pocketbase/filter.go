package pocketbase

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
)

// A FilterError says what of a filter cannot be read, or has no meaning here, and where.
type FilterError struct {
	Offset int // in bytes
	Reason string
}

func (e *FilterError) Error() string {
	return fmt.Sprintf("invalid filter: %s (at position %d)", e.Reason, e.Offset)
}

// maxFilterDepth is how deep parentheses may stand in each other.
const maxFilterDepth = 32

// koncorde returns a filter of PocketBase's as one of Koncorde's.
func koncorde(text string) (any, error) {
	p := &parser{text: text}
	p.next()
	if p.is(end) {
		return object{}, nil
	}
	f, err := p.or(0)
	if err == nil && !p.is(end) {
		err = p.fail("expected && or ||, not %s", p.token)
	}
	return f, err
}

// An object is one of JSON.
type object = map[string]any

// or reads conditions joined by ||, of which those joined by && belong closer together.
func (p *parser) or(depth int) (any, error) { return p.joined("||", "or", depth, p.and) }

func (p *parser) and(depth int) (any, error) { return p.joined("&&", "and", depth, p.condition) }

func (p *parser) joined(by, keyword string, depth int, read func(int) (any, error)) (any, error) {
	f, err := read(depth)
	all := []any{f}
	for err == nil && p.is(operator) && p.token.text == by {
		p.next()
		f, err = read(depth)
		all = append(all, f)
	}
	if err != nil || len(all) == 1 {
		return f, err
	}
	return object{keyword: all}, nil
}

// condition reads what stands in parentheses, or compares a field with a value.
func (p *parser) condition(depth int) (any, error) {
	if p.is(operator) && p.token.text == "(" {
		if depth == maxFilterDepth {
			return nil, p.fail("more than %d parentheses in each other", maxFilterDepth)
		}
		p.next()
		f, err := p.or(depth + 1)
		if err == nil && (!p.is(operator) || p.token.text != ")") {
			err = p.fail("expected ), not %s", p.token)
		}
		p.next()
		return f, err
	}
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	by := p.token
	if turned[by.text] == "" && !strings.HasPrefix(by.text, "?") || by.kind != operator {
		return nil, p.fail("expected an operator, not %s", by)
	}
	p.next()
	right, err := p.operand()
	if err != nil {
		return nil, err
	}
	switch {
	case left.kind == name && right.kind == name:
		return nil, right.fail("two fields cannot be compared")
	case left.kind != name && right.kind != name:
		return nil, left.fail("one side must be a field")
	case left.kind == name:
		return compare(left, by, right)
	}
	if by.text = turned[by.text]; by.text == "" {
		return nil, by.fail("the field must stand on the left")
	}
	return compare(right, by, left)
}

// turned are the operators, and what they are with their sides exchanged.
var turned = map[string]string{
	"=": "=", "!=": "!=", ">": "<", ">=": "<=", "<": ">", "<=": ">=", "~": "~", "!~": "!~",
}

// operand reads a field or a value.
func (p *parser) operand() (token, error) {
	t := p.token
	if t.kind == operator || t.kind == end || t.kind == wrong {
		return t, p.fail("expected a field or a value, not %s", t)
	}
	if t.kind == name {
		if strings.HasPrefix(t.text, "@") {
			return t, p.fail("%s has no meaning here", t)
		}
		if strings.Contains(t.text, ":") {
			return t, p.fail("modifiers of fields have no meaning here")
		}
	}
	p.next()
	return t, nil
}

// compare returns the condition that a field has a relation to a value.
func compare(field, by, value token) (any, error) {
	path := field.text
	if path == "created" || path == "updated" {
		return compareTime(path, by, value)
	}
	if path == "id" {
		path = "_id"
	}
	switch by.text {
	case "=":
		return equals(path, value), nil
	case "!=":
		return object{"not": equals(path, value)}, nil
	case "~", "!~":
		f, err := like(path, by, value)
		if err == nil && by.text == "!~" {
			f = object{"not": f}
		}
		return f, err
	case "?=":
		if _, ok := value.value.(bool); ok || value.value == nil {
			return nil, by.fail("?= is for texts and numbers in an array")
		}
		return object{"anyOf": object{path: []any{value.value}}}, nil
	case ">", ">=", "<", "<=":
		return order(path, by, value)
	}
	return nil, by.fail("%s has no meaning here", by)
}

// equals says that a field has a value. As with PocketBase, a field that is not there, null and
// the empty text are the same.
func equals(path string, value token) any {
	if value.value == nil || value.value == "" {
		return object{"or": []any{
			object{"missing": path}, object{"equals": object{path: nil}}, object{"equals": object{path: ""}},
		}}
	}
	return object{"equals": object{path: value.value}}
}

// like says that a field contains a text, with % for any text if it has one, letter case aside.
func like(path string, by, value token) (any, error) {
	text, ok := value.value.(string)
	if !ok || text == "" {
		return nil, by.fail("%s is for a text that is not empty", by)
	}
	if !strings.Contains(text, "%") {
		text = "%" + text + "%"
	}
	parts := strings.Split(text, "%")
	for i, part := range parts {
		parts[i] = regexp.QuoteMeta(part)
	}
	pattern := "^" + strings.Join(parts, ".*") + "$"
	return object{"regexp": object{path: object{"value": pattern, "flags": "is"}}}, nil
}

// bounds are what range calls the operators.
var bounds = map[string]string{">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}

// order says that a field comes before or after a number or a time.
func order(path string, by, value token) (any, error) {
	if n, ok := value.value.(json.Number); ok {
		return object{"range": object{path: object{bounds[by.text]: n}}}, nil
	}
	at, ok := timeOf(value)
	if !ok {
		return nil, by.fail("%s is for numbers and times", by)
	}
	switch by.text {
	case ">=":
		at = at.Add(-1)
	case "<=":
		at = at.Add(1)
	}
	keyword := "after"
	if by.text[0] == '<' {
		keyword = "before"
	}
	return object{keyword: object{path: at.Format(time.RFC3339Nano)}}, nil
}

// compareTime compares when a document was created, or changed last, which for one that has not
// changed is the same. Those are whole milliseconds.
func compareTime(field string, by, value token) (any, error) {
	at, ok := timeOf(value)
	if !ok {
		return nil, value.fail("%s is compared with a time, such as \"2026-01-31 12:00:00.000Z\"", field)
	}
	ms := at.UnixMilli()
	var is func(path string) any
	switch {
	case bounds[by.text] != "":
		is = func(path string) any { return object{"range": object{path: object{bounds[by.text]: ms}}} }
	case by.text == "=":
		is = func(path string) any { return object{"equals": object{path: ms}} }
	default:
		return nil, by.fail("%s has no meaning with a time", by)
	}
	created := is("_kuzzle_info.createdAt")
	if field == "created" {
		return created, nil
	}
	unchanged := object{"equals": object{"_kuzzle_info.updatedAt": nil}}
	return object{"or": []any{is("_kuzzle_info.updatedAt"), object{"and": []any{unchanged, created}}}}, nil
}

// timeOf reads a time as PocketBase writes it, or as RFC 3339 has it.
func timeOf(value token) (time.Time, bool) {
	text, ok := value.value.(string)
	if !ok {
		return time.Time{}, false
	}
	for _, layout := range []string{"2006-01-02 15:04:05Z07:00", time.RFC3339, "2006-01-02 15:04:05", time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil && at.Year() > 0 {
			return at.UTC(), true
		}
	}
	return time.Time{}, false
}

func isNameRune(r rune) bool {
	return r == '_' || r == '.' || r == '@' || r == ':' || unicode.IsLetter(r) || unicode.IsDigit(r)
}
