package filter

import (
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// ErrNotObject says that a document is not JSON, or not a JSON object.
var ErrNotObject = errors.New("not a JSON object")

// A LimitError says which limit a document breaks, and where.
type LimitError struct {
	Limit string // "depth", "members", "elements", "digits" or "duplicate key"
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
	// 1,000.
	Members int
	// Elements is how many elements all arrays may have together. Defaults to
	// 10,000.
	Elements int
	// Digits is how long a number may be, as it is written and with the zeros that
	// its exponent stands for: 1e999 has 1,000. What is beyond it is a document that
	// others may need hours to read. Defaults to 1,000.
	Digits int
}

func (l DocumentLimits) withDefaults() DocumentLimits {
	if l.Depth == 0 {
		l.Depth = 32
	}
	if l.Members == 0 {
		l.Members = 1000
	}
	if l.Elements == 0 {
		l.Elements = 10_000
	}
	if l.Digits == 0 {
		l.Digits = 1000
	}
	return l
}

// A Document is a JSON object, prepared for matching. After the first Match it
// may be used by many goroutines at once.
//
// Every value has its path: of {"a":{"b":[1]}} there is an object under "a" and
// an array under "a.b". What is in an array has no path of its own. Of values
// with the same path, such as "a.b" and the b of "a", the last one stands; the
// members of a member named "" have the paths of their siblings. Koncorde does
// so.
type Document struct {
	text  strings.Builder // the body, then what is not in it as it reads
	cells []cell          // every value, in the order of the text

	previous *Document                // see Follow
	where    func(Neighbour) Position // see Among
}

// A cell is a value of a document. It holds no pointers: a document is three
// pieces of memory, however many values it has.
type cell struct {
	hash  uint64 // of the path
	bits  uint64 // of a number; of a string, where it is in the text
	path  span   // of a member within an array, its name
	end   uint32 // the cell after those that are in this one
	kind  kind
	field bool // whether path leads here from the document
}

// maxPathBytes is how long the path of a field may be.
const maxPathBytes = 16 << 10

// A span is a part of the text of a document.
type span struct{ from, size uint32 }

func (s span) bits() uint64    { return uint64(s.from)<<32 | uint64(s.size) }
func spanOf(bits uint64) span  { return span{uint32(bits >> 32), uint32(bits)} }
func hashPath(p string) uint64 { return maphash.String(pathSeed, p) }

var pathSeed = maphash.MakeSeed()

// ParseDocument prepares a JSON object for matching. The error is ErrNotObject
// if body is not JSON or not an object, and a *LimitError if it is nested too
// deep, has too many members or elements, a number of too many digits, or a member twice.
func ParseDocument(body []byte, lim DocumentLimits) (*Document, error) {
	lim = lim.withDefaults()
	if !exceeds(body, lim) {
		if d, ok := scan(body, lim); ok && d.cells[0].kind == objectKind {
			return d, nil
		}
	}
	return decodeDocument(body, lim)
}

// decodeDocument is what ParseDocument means. It takes five times as long as
// scan, and knows what is wrong.
func decodeDocument(body []byte, lim DocumentLimits) (*Document, error) {
	v, err := decodeWithin(body, lim)
	if err != nil {
		return nil, err
	}
	o, ok := v.(object)
	if !ok {
		return nil, ErrNotObject
	}
	return documentOf(o), nil
}

// CheckJSON says whether a text is a JSON value, of any kind, within the limits. The errors
// are those of ParseDocument.
func CheckJSON(text []byte, lim DocumentLimits) error {
	lim = lim.withDefaults()
	if !exceeds(text, lim) {
		if _, ok := scan(text, lim); ok {
			return nil
		}
	}
	_, err := decodeWithin(text, lim)
	return err
}

// decodeWithin reads a JSON value.
func decodeWithin(body []byte, lim DocumentLimits) (any, error) {
	dec := newDecoder(body)
	dec.depth, dec.members, dec.elements, dec.digits = lim.Depth, lim.Members, lim.Elements, lim.Digits
	v, err := dec.whole()
	switch {
	case errors.Is(err, errDepth):
		return nil, &LimitError{Limit: "depth", Max: lim.Depth, Path: dec.path(err)}
	case errors.Is(err, errMembers):
		return nil, &LimitError{Limit: "members", Max: lim.Members, Path: dec.path(err)}
	case errors.Is(err, errElements):
		return nil, &LimitError{Limit: "elements", Max: lim.Elements, Path: dec.path(err)}
	case errors.Is(err, errDigits):
		return nil, &LimitError{Limit: "digits", Max: lim.Digits, Path: dec.path(err)}
	case errors.Is(err, jsontext.ErrDuplicateName):
		return nil, &LimitError{Limit: "duplicate key", Path: dec.path(err)}
	case err != nil:
		return nil, fmt.Errorf("%w: %s", ErrNotObject, jsonFault(err))
	}
	return v, nil
}

// documentOf returns the document that an object is.
func documentOf(o object) *Document {
	d := new(Document)
	root := d.add(cell{})
	d.fill(root, o)
	return d
}

// fill makes v the value of the cell at i, which is the last one.
func (d *Document) fill(i int, v any) {
	switch v := v.(type) {
	case object:
		d.cells[i].kind = objectKind
		for _, m := range v {
			d.fill(d.member(i, m.name, d.append(m.name)), m.value)
		}
	case []any:
		d.cells[i].kind = arrayKind
		for _, elem := range v {
			d.fill(d.add(cell{}), elem)
		}
	default:
		d.setScalar(i, v)
	}
	d.cells[i].end = uint32(len(d.cells))
}

func (d *Document) setScalar(i int, v any) {
	c := &d.cells[i]
	switch v := v.(type) {
	case nil:
		c.kind = nullKind
	case bool:
		c.kind = falseKind
		if v {
			c.kind = trueKind
		}
	case float64:
		c.kind, c.bits = numberKind, math.Float64bits(v)
	case string:
		c.kind, c.bits = stringKind, d.append(v).bits()
	default:
		panic(fmt.Sprintf("filter: a field cannot be set to a %T", v))
	}
}

// Set adds or replaces the field of a dotted path, as "_id" or
// "_kuzzle_info.author". The value is a string, a float64, a bool or nil. It
// may not be called after the first Match.
func (d *Document) Set(path string, v any) {
	i := d.add(cell{field: true, path: d.append(path), hash: hashPath(path)})
	d.setScalar(i, v)
	d.cells[i].end = uint32(len(d.cells))
}

// member adds a cell for a member of the object at i.
func (d *Document) member(i int, name string, at span) int {
	// A cell is filled where it is: a copy takes a twentieth of the whole scan.
	m := d.add(cell{})
	c, parent := &d.cells[m], &d.cells[i]
	c.path, c.field = at, i == 0 || parent.field
	switch {
	case !c.field || parent.path.size == 0:
	case parent.path.size+1+at.size > maxPathBytes:
		// No filter is long enough to name it, by default. So a long name with a thousand
		// members does not make a thousand long paths.
		c.field = false
	default:
		c.path = d.join(parent.path, at)
		name = d.string(c.path)
	}
	c.hash = hashPath(name)
	return m
}

func (d *Document) add(c cell) int {
	d.cells = append(d.cells, c)
	return len(d.cells) - 1
}

func (d *Document) append(s string) span {
	from := d.text.Len()
	d.text.WriteString(s)
	return span{uint32(from), uint32(len(s))}
}

func (d *Document) join(prefix, name span) span {
	from := d.text.Len()
	d.text.WriteString(d.string(prefix))
	d.text.WriteByte('.')
	d.text.WriteString(d.string(name))
	return span{uint32(from), prefix.size + 1 + name.size}
}

func (d *Document) string(s span) string { return d.text.String()[s.from:][:s.size] }

// lookup returns the value of a path.
func (d *Document) lookup(path string) (value, bool) { return d.find(path, hashPath(path)) }

// find is lookup for a path whose hash is known. Documents have a dozen fields:
// comparing that many numbers is faster than a map.
func (d *Document) find(path string, hash uint64) (value, bool) {
	for i := len(d.cells) - 1; i >= 0; i-- {
		if c := &d.cells[i]; c.hash == hash && c.field && d.string(c.path) == path {
			return value{d, i}, true
		}
	}
	return value{}, false
}
