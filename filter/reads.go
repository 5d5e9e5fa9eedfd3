package filter

import "sync/atomic"

// A reading says what conditions read of a document, field by field: the value,
// or, where a geofilter.Index finds them, only in which shapes the position is.
// Of two dozen fields of a collection it is exact; beyond, fields share bits, so
// that it may say too much, and never too little.
type reading uint32

const (
	valueBits = 24
	placeBits = 7
	// always is in the reading of every entry, so that whoever looks for
	// everything finds also what reads nothing.
	always     reading = 1 << (valueBits + placeBits)
	everything         = ^reading(0)
	anyPlace           = always - 1<<valueBits
)

func valueRead(field uint32) reading { return 1 << (field % valueBits) }
func placeRead(field uint32) reading { return 1 << (valueBits + field%placeBits) }

// A reach is the reading of all that a search comes to from somewhere. It may
// say too much when something was removed.
type reach struct{ bits atomic.Uint32 }

func (r *reach) meets(changed reading) bool { return reading(r.bits.Load())&changed != 0 }

// include reports whether the reach has grown.
func (r *reach) include(what reading) bool {
	before := r.bits.Load()
	r.bits.Store(before | uint32(what))
	return r.bits.Load() != before
}

// noteReads notes what a new entry reads, which stays so, and tells those that
// lead to it.
func (x *index) noteReads(id uint32, n node) {
	e := x.entries.at(id)
	own := always
	if e.isGeo {
		own |= placeRead(e.field)
	} else if f := x.fieldBefore(e, n); f != nil {
		own |= valueRead(f.number)
	}
	if d := e.detail.Load(); d != nil {
		for _, under := range d.access {
			own |= reading(x.entries.at(under).reads.bits.Load())
		}
	}
	if p := e.program.Load(); p != nil {
		for i := range p.tests {
			own |= valueRead(p.tests[i].field.number)
		}
	}
	e.reads.include(own)
	x.reads.include(own)
	x.spread(id, own)
}

// spread adds to the reach of an entry, and of all that leads to it: so that at
// the latest when Add returns, what leads to an entry reaches what it reaches.
func (x *index) spread(id uint32, what reading) {
	e := x.entries.at(id)
	if !e.reach.include(what) {
		return
	}
	var n node
	if d := e.detail.Load(); d != nil {
		n = d.node
		for _, under := range d.access {
			x.spread(under, what)
		}
	}
	if f := x.fieldBefore(e, n); f != nil {
		f.reach.include(what)
	} else if n != nil {
		x.defaultsReach.include(what)
	}
}

// fieldBefore returns the field whose index leads to an entry, or nil.
func (x *index) fieldBefore(e *entry, n node) *field {
	if e.field != 0 {
		return x.fields.at(e.field).Load()
	}
	if negation, ok := n.(not); ok {
		if r, ok := negation.filter.(between); ok {
			return x.fieldOf(r.field)
		}
	}
	if l, ok := n.(leaf); ok {
		return x.fieldOf(l.path())
	}
	return nil
}
