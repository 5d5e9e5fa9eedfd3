package filter

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// ErrNotObject says that a document is not JSON, or not a JSON object.
var ErrNotObject = errors.New("not a JSON object")

// A LimitError says which limit a document breaks, and where.
type LimitError struct {
	Limit string // "depth", "members" or "duplicate key"
	Max   int    // the limit; 0 for a duplicate key
	Path  string // the dotted path where it is broken
}

func (e *LimitError) Error() string {
	if e.Max == 0 {
		return fmt.Sprintf("%s %q", e.Limit, e.Path)
	}
	return fmt.Sprintf("the limit of %s, %d, is exceeded at %q", e.Limit, e.Max, e.Path)
}

// DocumentLimits bound what ParseDocument accepts.
type DocumentLimits struct {
	// Depth is how many objects and arrays may be nested, the document
	// included. Defaults to 32.
	Depth int
	// Members is how many members all objects may have together. Defaults to
	// 1,000. The elements of arrays are not counted.
	Members int
}

func (l DocumentLimits) withDefaults() DocumentLimits {
	if l.Depth == 0 {
		l.Depth = 32
	}
	if l.Members == 0 {
		l.Members = 1000
	}
	return l
}

// A Document is a JSON object, prepared for matching. After the first Match it
// may be used by many goroutines at once.
type Document struct {
	// fields holds every value under its dotted path, objects included: of
	// {"a":{"b":[1]}} an object under "a" and an array under "a.b". What is
	// in an array has no path of its own.
	fields map[string]any
}

// ParseDocument prepares a JSON object for matching. The error is ErrNotObject
// if body is not JSON or not an object, and a *LimitError if it is nested too
// deep, has too many members or has one twice.
func ParseDocument(body []byte, lim DocumentLimits) (*Document, error) {
	lim = lim.withDefaults()
	dec := newDecoder(body)
	dec.depth, dec.members = lim.Depth, lim.Members
	v, err := dec.whole()
	switch {
	case errors.Is(err, errDepth):
		return nil, &LimitError{Limit: "depth", Max: lim.Depth, Path: dec.path(err)}
	case errors.Is(err, errMembers):
		return nil, &LimitError{Limit: "members", Max: lim.Members, Path: dec.path(err)}
	case errors.Is(err, jsontext.ErrDuplicateName):
		return nil, &LimitError{Limit: "duplicate key", Path: dec.path(err)}
	case err != nil:
		return nil, fmt.Errorf("%w: %s", ErrNotObject, jsonFault(err))
	}
	o, ok := v.(object)
	if !ok {
		return nil, ErrNotObject
	}
	d := &Document{fields: make(map[string]any, lim.Members-dec.members)}
	d.flatten("", o)
	return d, nil
}

// flatten adds the members of o under prefix. Of members with the same path,
// such as "a.b" and the b of "a", the last one stands. The members of a member
// named "" have the paths of their siblings. Koncorde does so.
func (d *Document) flatten(prefix string, o object) {
	for _, m := range o {
		path := m.name
		if prefix != "" {
			path = prefix + "." + m.name
		}
		d.fields[path] = m.value
		if inner, ok := m.value.(object); ok {
			d.flatten(path, inner)
		}
	}
}

// Set adds or replaces the field of a dotted path, as "_id" or
// "_kuzzle_info.author". The value is a string, a float64, a bool or nil. It
// may not be called after the first Match.
func (d *Document) Set(path string, v any) {
	if !isScalar(v) {
		panic(fmt.Sprintf("filter: a field cannot be set to a %T", v))
	}
	d.fields[path] = v
}
