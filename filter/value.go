package filter

import (
	"iter"
	"math"

	"github.com/ambitmq/ambit/geofilter"
)

type kind uint8

const (
	nullKind kind = iota
	falseKind
	trueKind
	numberKind
	stringKind
	arrayKind
	objectKind
)

// A value is a JSON value in a document.
type value struct {
	d *Document
	i int // of its cell
}

func (v value) kind() kind { return v.d.cells[v.i].kind }

// number returns the value of a number.
func (v value) number() (float64, bool) {
	c := &v.d.cells[v.i]
	return math.Float64frombits(c.bits), c.kind == numberKind
}

// string returns the value of a string.
func (v value) string() (string, bool) {
	c := &v.d.cells[v.i]
	if c.kind != stringKind {
		return "", false
	}
	return v.d.string(spanOf(c.bits)), true
}

// is reports whether v is that scalar. Types count.
func (v value) is(scalar any) bool {
	switch scalar := scalar.(type) {
	case nil:
		return v.kind() == nullKind
	case bool:
		return scalar && v.kind() == trueKind || !scalar && v.kind() == falseKind
	case float64:
		n, ok := v.number()
		return ok && n == scalar
	case string:
		s, ok := v.string()
		return ok && s == scalar
	}
	return false
}

// children are the elements of an array, or the values of an object's members.
func (v value) children() iter.Seq[value] {
	return func(yield func(value) bool) {
		cells := v.d.cells
		for i := v.i + 1; i < int(cells[v.i].end); i = int(cells[i].end) {
			if !yield(value{v.d, i}) {
				return
			}
		}
	}
}

// len returns how many children there are.
func (v value) len() int {
	n := 0
	for range v.children() {
		n++
	}
	return n
}

// name returns the name of m, a member of the object v: where the path of v is
// not empty, what follows it in the path of m.
func (v value) name(m value) string {
	object, c := &v.d.cells[v.i], &v.d.cells[m.i]
	path := v.d.string(c.path)
	if c.field && object.path.size > 0 {
		return path[object.path.size+1:]
	}
	return path
}

// get returns the member of an object.
func (v value) get(name string) (value, bool) {
	for m := range v.children() {
		if v.name(m) == name {
			return m, true
		}
	}
	return value{}, false
}

// elements returns the elements of an array, and nothing of anything else.
func (v value) elements() []value {
	var elements []value
	if v.kind() == arrayKind {
		for e := range v.children() {
			elements = append(elements, e)
		}
	}
	return elements
}

// decoded returns the value as the decoder of filters would.
func (v value) decoded() any {
	switch v.kind() {
	case falseKind, trueKind:
		return v.kind() == trueKind
	case numberKind:
		n, _ := v.number()
		return n
	case stringKind:
		s, _ := v.string()
		return s
	case arrayKind:
		array := []any{}
		for e := range v.children() {
			array = append(array, e.decoded())
		}
		return array
	case objectKind:
		o := object{}
		for m := range v.children() {
			o = append(o, member{v.name(m), m.decoded()})
		}
		return o
	default:
		return nil
	}
}

// geopoint reads a position. The two formats that devices send are read where
// they are, which takes a tenth of the time.
func (v value) geopoint() (geofilter.Point, bool) {
	var pair [2]float64
	n := 0
	for c := range v.children() {
		f, ok := c.number()
		if !ok || n == 2 {
			return geopointOf(v.decoded())
		}
		pair[n] = f
		n++
	}
	if n != 2 {
		return geopointOf(v.decoded())
	}
	p := geofilter.Point{Lat: pair[0], Lon: pair[1]}
	if v.kind() == objectKind {
		first, second := v.name(value{v.d, v.i + 1}), v.name(value{v.d, v.i + 2})
		switch {
		case first == "lon" && second == "lat":
			p.Lat, p.Lon = p.Lon, p.Lat
		case first != "lat" || second != "lon":
			return geopointOf(v.decoded())
		}
	}
	return p, p.Valid()
}
