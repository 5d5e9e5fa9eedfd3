package filter

import (
	"encoding/binary"
	"math"
	"strings"

	"github.com/ambitmq/ambit/geofilter"
)

// An Index says by which field documents can be found, without a look at all of
// them: by its value, or as a position.
type Index struct {
	Path string
	Geo  bool
}

// idIndex stands for the id, by which documents are kept.
func idIndex() Index { return Index{Path: idField} }

// The names of indexes on disks. If other terms become right, they need others.
const (
	valueIndexes = "value:"
	geoIndexes   = "geo:"
)

// Name names the index, and what its terms are, among those of a collection.
func (x Index) Name() string {
	if x.Geo {
		return geoIndexes + x.Path
	}
	return valueIndexes + x.Path
}

// IndexNamed is the inverse of Name.
func IndexNamed(name string) (x Index, ok bool) {
	if x.Path, ok = strings.CutPrefix(name, valueIndexes); ok {
		return x, true
	}
	x.Path, x.Geo = strings.CutPrefix(name, geoIndexes)
	return x, x.Geo
}

// The first bytes of terms.
const (
	termOfValue    byte = 'v' // a scalar follows
	termOfElement  byte = 'e' // of an array; a scalar follows
	termOfInner    byte = 'i' // the field is an object or an array
	termOfMany     byte = 'm' // the array has so many elements that they have no terms
	termOfPosition byte = 'p' // a leaf follows
)

// The first bytes of scalars in terms.
const (
	termNull   byte = '0'
	termFalse  byte = '1'
	termTrue   byte = '2'
	termNumber byte = '3'
	termString byte = '4'
)

const (
	// maxTermBytes is how much of a string is in a term.
	maxTermBytes = 128
	// maxElements is how many elements of an array are terms of their own. A write
	// that changes them all costs as much as that many.
	maxElements = 256
)

// Terms calls add with each term under which d is in the index, which add must not
// keep; some may come twice.
func (x Index) Terms(d *Document, add func(term []byte)) {
	v, ok := d.lookup(x.Path)
	switch {
	case !ok:
	case x.Geo:
		if p, ok := v.geopoint(); ok {
			add(positionTerm(geofilter.Leaf(p)))
		}
	case v.kind() == objectKind:
		add([]byte{termOfInner})
	case v.kind() == arrayKind:
		add([]byte{termOfInner})
		if v.len() > maxElements {
			add([]byte{termOfMany})
			return
		}
		for e := range v.children() {
			if e.kind() <= stringKind {
				add(scalarTerm(termOfElement, e.decoded()))
			}
		}
	default:
		add(scalarTerm(termOfValue, v.decoded()))
	}
}

// scalarTerm returns the term of a scalar. Those of numbers, and of strings, are in
// their order.
func scalarTerm(first byte, scalar any) []byte {
	switch v := scalar.(type) {
	case bool:
		if v {
			return []byte{first, termTrue}
		}
		return []byte{first, termFalse}
	case float64:
		return binary.BigEndian.AppendUint64([]byte{first, termNumber}, orderedBits(v))
	case string:
		return append([]byte{first, termString}, v[:min(len(v), maxTermBytes)]...)
	}
	return []byte{first, termNull}
}

// orderedBits returns a number for each float, in their order; of both zeros the
// same.
func orderedBits(v float64) uint64 {
	bits := math.Float64bits(v)
	if v == 0 {
		bits = 0
	}
	if bits>>63 == 1 {
		return ^bits
	}
	return bits | 1<<63
}

func positionTerm(leaf uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{termOfPosition}, leaf)
}
