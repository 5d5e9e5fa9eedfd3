package filter

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// A JSON value is nil, bool, float64, string, []any or object. Numbers are
// what JavaScript makes of them: 1.0 is 1, -0 is 0.
type object []member

// A member is a name and its value. Names are unique within an object, and in
// the order of the text.
type member struct {
	name  string
	value any
}

// get returns the member of that name.
func (o object) get(name string) (any, bool) {
	for _, m := range o {
		if m.name == name {
			return m.value, true
		}
	}
	return nil, false
}

// without returns the members of other names.
func (o object) without(name string) object {
	return slices.DeleteFunc(slices.Clone(o), func(m member) bool { return m.name == name })
}

// names returns the names in the order of the text.
func (o object) names() []string {
	names := make([]string, len(o))
	for i, m := range o {
		names[i] = m.name
	}
	return names
}

var (
	errDepth    = errors.New("nested too deep")
	errMembers  = errors.New("too many members")
	errElements = errors.New("too many elements")
	errDigits   = errors.New("too many digits")
	errRange    = errors.New("a number is out of range")
)

// A decoder reads one JSON value within limits.
type decoder struct {
	*jsontext.Decoder
	depth    int  // nested objects and arrays that are still allowed
	members  int  // members of objects that are still allowed, all together
	elements int  // elements of arrays, likewise
	digits   int  // that a number may have; 0 is no limit
	finite   bool // whether a number beyond the range of a float64 is an error
}

// decodeFilter reads src, a JSON value of a filter, with at most so many objects
// and arrays within each other. The error is a *SyntaxError.
func decodeFilter(src []byte, nesting int) (any, error) {
	if d, ok := scan(src, DocumentLimits{Depth: nesting, Members: len(src), Elements: len(src), Digits: math.MaxInt}); ok {
		if v, ok := ownCopy(value{d, 0}); ok {
			return v, nil
		}
	}
	d := newDecoder(src)
	d.depth, d.members, d.elements, d.finite = nesting, len(src), len(src), true
	v, err := d.whole()
	switch {
	case err == nil:
		return v, nil
	case errors.Is(err, errDepth):
		text := fmt.Sprintf("objects and arrays are nested %d deep or more, the limit is %d", nesting+1, nesting)
		return nil, &SyntaxError{Path: d.path(err), Text: text, Limit: true}
	case errors.Is(err, jsontext.ErrDuplicateName):
		return nil, &SyntaxError{Text: jsonFault(err)}
	}
	return nil, &SyntaxError{Text: "not a JSON value: " + jsonFault(err)}
}

// ownCopy returns a value that has been scanned, which no longer holds the text
// in memory, unless there is an infinite number in it.
func ownCopy(v value) (copied any, ok bool) {
	switch v.kind() {
	case numberKind:
		n, _ := v.number()
		return n, !math.IsInf(n, 0)
	case stringKind:
		s, _ := v.string()
		return strings.Clone(s), true
	case arrayKind:
		array := make([]any, 0, v.len())
		for e := range v.children() {
			elem, ok := ownCopy(e)
			if !ok {
				return nil, false
			}
			array = append(array, elem)
		}
		return array, true
	case objectKind:
		o := make(object, 0, v.len())
		for m := range v.children() {
			inner, ok := ownCopy(m)
			if !ok {
				return nil, false
			}
			o = append(o, member{strings.Clone(v.name(m)), inner})
		}
		return o, true
	default:
		return v.decoded(), true
	}
}

// jsonFault says what is wrong with a JSON text.
func jsonFault(err error) string {
	if errors.Is(err, io.EOF) {
		return "it is empty"
	}
	return strings.TrimPrefix(err.Error(), "jsontext: ")
}

func newDecoder(src []byte) *decoder {
	// A Decoder reads a Buffer in place, without a copy.
	return &decoder{Decoder: jsontext.NewDecoder(bytes.NewBuffer(src))}
}

// whole reads a value after which nothing may follow.
func (d *decoder) whole() (any, error) {
	v, err := d.value()
	if err != nil {
		return nil, err
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON value")
	}
	return v, nil
}

func (d *decoder) value() (any, error) {
	token, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case jsontext.KindTrue, jsontext.KindFalse:
		return token.Bool(), nil
	case jsontext.KindString:
		return token.String(), nil
	case jsontext.KindNumber:
		return d.number(token)
	case jsontext.KindBeginArray:
		return d.nested(d.array)
	case jsontext.KindBeginObject:
		return d.nested(d.object)
	default: // an end would have been an error
		return nil, nil
	}
}

// nested reads an array or an object one level deeper.
func (d *decoder) nested(read func() (any, error)) (any, error) {
	if d.depth == 0 {
		return nil, errDepth
	}
	d.depth--
	v, err := read()
	d.depth++
	return v, err
}

// number returns the number of a token. Beyond the range of a float64 it is
// infinite, as in JavaScript.
func (d *decoder) number(token jsontext.Token) (any, error) {
	if text := token.String(); d.digits > 0 && (len(text) > d.digits || digitsOf(text) > d.digits) {
		return nil, errDigits
	}
	v, err := token.Float()
	if err != nil && d.finite {
		return nil, errRange
	}
	return v + 0, nil // -0 becomes 0
}

// digitsOf returns how long a number is, as it is written or with the zeros that its
// exponent stands for, whichever is more.
func digitsOf(number string) int {
	i := strings.IndexAny(number, "eE")
	if i < 0 {
		return len(number)
	}
	exponent, err := strconv.ParseInt(number[i+1:], 10, 32)
	if err != nil {
		return math.MaxInt
	}
	return max(len(number), i+int(max(exponent, -exponent)))
}

func (d *decoder) array() (any, error) {
	values := []any{}
	for d.PeekKind() != jsontext.KindEndArray {
		v, err := d.value()
		if err != nil {
			return nil, err
		}
		if d.elements == 0 {
			return nil, errElements
		}
		d.elements--
		values = append(values, v)
	}
	_, err := d.ReadToken()
	return values, err
}

func (d *decoder) object() (any, error) {
	o := object{}
	for d.PeekKind() != jsontext.KindEndObject {
		token, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		name := token.String()
		if d.members == 0 {
			return nil, errMembers
		}
		d.members--
		v, err := d.value()
		if err != nil {
			return nil, err
		}
		o = append(o, member{name, v})
	}
	_, err := d.ReadToken()
	return o, err
}

// path returns the dotted path of the member or element where err happened.
func (d *decoder) path(err error) string {
	pointer := d.StackPointer()
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		pointer = syntax.JSONPointer
	}
	return strings.Join(slices.Collect(pointer.Tokens()), ".")
}

// isScalar reports whether v is a string, a number, a boolean or null.
func isScalar(v any) bool {
	switch v.(type) {
	case nil, bool, float64, string:
		return true
	}
	return false
}

// compareScalars orders null, false, true, numbers and strings, in that order.
func compareScalars(a, b any) int {
	if c := cmp.Compare(rank(a), rank(b)); c != 0 {
		return c
	}
	switch a := a.(type) {
	case float64:
		return cmp.Compare(a, b.(float64))
	case string:
		return strings.Compare(a, b.(string))
	}
	return 0
}

func rank(v any) int {
	switch v := v.(type) {
	case nil:
		return 0
	case bool:
		if v {
			return 2
		}
		return 1
	case float64:
		return 3
	}
	return 4
}

// appendValue appends the JSON text of v: no white space, members in their
// order, numbers and strings in their shortest form.
func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		if v {
			return append(b, "true"...)
		}
		return append(b, "false"...)
	case float64:
		return appendNumber(b, v)
	case string:
		return appendString(b, v)
	case []any:
		b = append(b, '[')
		for i, elem := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, elem)
		}
		return append(b, ']')
	case object:
		b = append(b, '{')
		for i, m := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendString(b, m.name), ':')
			b = appendValue(b, m.value)
		}
		return append(b, '}')
	}
	panic(fmt.Sprintf("filter: %T is not a JSON value", v))
}
