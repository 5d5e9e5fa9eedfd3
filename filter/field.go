package filter

import (
	"math"
	"sync/atomic"

	"github.com/ambitmq/ambit/geofilter"
)

// A field is what filters ask of one path: an index for each kind of condition.
type field struct {
	path   string
	number uint32
	print  fingerprint // of the path
	users  int         // entries and tests that are about it

	scalars  atomic.Int32  // how many entries index.values has for its values
	besides  atomic.Int32  // how many entries there are besides
	elements atomic.Int32  // how many for the elements of its arrays
	present  atomic.Uint32 // the entry that holds if the field is there, or 0
	ranges   intervals
	outside  set                             // entries that hold unless the field is a number, besides those in ranges
	grams    table                           // entries of parts of strings that a literate condition needs
	places   atomic.Pointer[geofilter.Index] // of the geo clauses, by their entries
	scales   [scales]intervals
	others   set // entries that each document with the field is tested for
	moments  atomic.Pointer[moments]
	reach    reach // of what these lead to

	spread // of the numbers in ranges
}

// openField returns the field of a path, for one more user.
func (x *index) openField(path string) *field {
	if f := x.fieldOf(path); f != nil {
		f.users++
		return f
	}
	f := &field{path: path, number: x.fieldPool.take(&x.generation), print: fingerprintOf(path), users: 1}
	x.fields.reserve(f.number)
	x.fields.at(f.number).Store(f)
	x.fieldNumbers.insert(f.print[0], f.number)
	x.fieldsOpened.Add(1)
	return f
}

func (x *index) closeField(f *field) {
	if f.users--; f.users > 0 {
		return
	}
	x.fieldNumbers.remove(f.print[0], f.number)
	x.fields.at(f.number).Store(nil)
	x.fieldPool.giveBack(f.number)
}

// elementPrint is the fingerprint of a field's elements, given the field's.
func elementPrint(field fingerprint) fingerprint { return field.with(fingerprint{1, 1}) }

// gramPrint is the fingerprint of three bytes in a field. No value of the field
// has it.
func (f *field) gramPrint(gram uint32) fingerprint {
	return f.print.with(fingerprint{gramHash(gram), gramHash(gram)})
}

// gramHash returns a number that is none of a kind, which stand for null, false
// and true.
func gramHash(gram uint32) uint64 { return 1<<32 | uint64(gram) }

// gramEntry returns the entry of three bytes in a field, or 0.
func (x *index) gramEntry(f *field, gram uint32) uint32 {
	return f.grams.find(mix(f.print[0], gramHash(gram)), func(id uint32) bool {
		return x.entries.at(id).is(f.gramPrint(gram))
	})
}

// hash returns half of the fingerprint of a scalar.
func (v value) hash(half int) uint64 {
	c := &v.d.cells[v.i]
	switch c.kind {
	case numberKind:
		return hashNumber(math.Float64frombits(c.bits), half)
	case stringKind:
		return hashString(v.d.string(spanOf(c.bits)), half)
	default:
		return uint64(c.kind)
	}
}

func printOfScalar(v any) fingerprint {
	var f fingerprint
	for half := range f {
		switch v := v.(type) {
		case nil:
			f[half] = uint64(nullKind)
		case bool:
			f[half] = uint64(falseKind)
			if v {
				f[half] = uint64(trueKind)
			}
		case float64:
			f[half] = hashNumber(v, half)
		case string:
			f[half] = hashString(v, half)
		}
	}
	return f
}

// fieldOf returns the field of a path, or nil.
func (x *index) fieldOf(path string) *field {
	number := x.fieldNumbers.find(hashPath(path), func(number uint32) bool {
		f := x.fields.at(number).Load()
		return f != nil && f.path == path
	})
	if number == 0 {
		return nil
	}
	return x.fields.at(number).Load()
}
