package filter

import (
	"slices"
	"strings"
)

// The checks of arguments: each returns the value in its type, or Koncorde's
// error.

// A form is what is asked of an object. Its zero value asks nothing.
type form struct {
	nonEmpty bool
	members  int      // exactly so many, if not 0
	required []string // names that must be there
	allowed  []string // names that may be there, if any are given
}

func objectOf(at place, v any, want form) (object, error) {
	o, ok := v.(object)
	if !ok {
		return nil, at.errorf("must be an object")
	}
	if want.nonEmpty && len(o) == 0 {
		return nil, at.errorf("must be a non-empty object")
	}
	if want.members != 0 && len(o) != want.members {
		noun := "property"
		if want.members > 1 {
			noun = "properties"
		}
		return nil, at.errorf("expected object to have exactly %d %s, got %d", want.members, noun, len(o))
	}
	for _, name := range want.required {
		if _, ok := o.get(name); !ok {
			return nil, at.errorf(`the property "%s" is missing`, name)
		}
	}
	for _, name := range o.names() {
		if want.allowed != nil && !slices.Contains(want.allowed, name) {
			return nil, at.errorf(`"%s" is not an allowed attribute (allowed: %s)`, name, strings.Join(want.allowed, ","))
		}
	}
	return o, nil
}

func arrayOf(at place, v any) ([]any, error) {
	a, ok := v.([]any)
	if !ok {
		return nil, at.errorf("must be an array")
	}
	if len(a) == 0 {
		return nil, at.errorf("cannot be empty")
	}
	return a, nil
}

func stringOf(at place, v any) (string, error) {
	s, ok := v.(string)
	if !ok {
		return "", at.errorf("must be a string")
	}
	if s == "" {
		return "", at.errorf("cannot be empty")
	}
	return s, nil
}

func numberOf(at place, v any) (float64, error) {
	n, ok := v.(float64)
	if !ok {
		return 0, at.errorf("must be a number")
	}
	return n, nil
}

func scalarOf(at place, v any) (any, error) {
	if !isScalar(v) {
		return nil, at.errorf("must either be a string, a number, a boolean, or null")
	}
	return v, nil
}
