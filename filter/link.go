package filter

import (
	"slices"

	"github.com/ambitmq/ambit/geofilter"
)

// link makes an entry be found where its condition holds.
func (x *index) link(id uint32, n node) {
	switch n := n.(type) {
	case constant:
		if n {
			x.linkDefault(id, &detail{node: n})
		}
	case not:
		if r, ok := n.filter.(between); ok {
			x.linkOutside(id, n, r)
			return
		}
		negated := x.intern(n.filter)
		x.entries.at(negated).setNegation(id)
		x.linkDefault(id, &detail{node: n, access: []uint32{negated}})
	case and, or:
		x.linkFilter(id, n)
	case leaf:
		x.linkLeaf(id, n, x.openField(n.path()))
	}
}

// linkDefault makes an entry hold unless it is excepted. What it depends on is
// linked before it is counted, and it is counted before it can be found: a
// reader that finds the count unchanged has seen the exceptions.
func (x *index) linkDefault(id uint32, d *detail) {
	x.entries.at(id).detail.Store(d)
	x.defaultsAdded.Add(1)
	x.defaults.add(id)
}

// linkOutside links the negation of a range: two other ranges, and whatever is
// no number.
func (x *index) linkOutside(id uint32, n not, r between) {
	f := x.openField(r.field)
	x.entries.at(id).detail.Store(&detail{node: n})
	for _, part := range r.complement(id) {
		f.ranges.add(part)
	}
	f.include(r.interval)
	f.besides.Add(1)
	f.outside.add(id)
	if f.outside.n == 1 {
		x.outsides.add(f.number)
	}
}

// linkFilter notes a filter under the conditions of its cover.
func (x *index) linkFilter(id uint32, n node) {
	c := x.cover(n)
	d := new(detail)
	for _, a := range c.access {
		x.access(d, x.intern(a))
	}
	x.linkUnder(id, d, x.compile(c.rest, d.repeats()))
}

// repeats says how a filter is looked at that is noted under several conditions,
// or one.
func (d *detail) repeats() repeats {
	if len(d.access) > 1 {
		return asFilter
	}
	return never
}

// access adds an entry, which has one user more for it, to those of d.
func (x *index) access(d *detail, under uint32) {
	if slices.Contains(d.access, under) {
		x.release(under)
		return
	}
	d.access = append(d.access, under)
}

// linkUnder notes an entry under those that its detail says, with what is to be
// tested then.
func (x *index) linkUnder(id uint32, d *detail, p *program) {
	x.entries.at(id).detail.Store(d)
	x.entries.at(id).program.Store(p)
	for _, under := range d.access {
		x.note(id, under)
	}
}

func (x *index) linkLeaf(id uint32, n leaf, f *field) {
	e := x.entries.at(id)
	switch n := n.(type) {
	case membership:
		if len(n.values) > 1 {
			x.linkValues(id, n, n.values, never)
			return
		}
		e.field = f.number
		x.values.insert(x.hash(id), id)
		f.scalars.Add(1)
		return
	case element:
		if len(n.values) > 1 {
			x.linkValues(id, n, n.values, asCondition)
			return
		}
		e.detail.Store(&detail{node: n})
		x.values.insert(x.hash(id), id)
		f.elements.Add(1)
	case existence:
		e.detail.Store(&detail{node: n})
		f.present.Store(id)
	case between:
		e.detail.Store(&detail{node: n})
		low, high := n.closed()
		f.ranges.add(entryInterval{low, high, id})
		f.include(n.interval)
	case geo:
		e.field, e.isGeo = f.number, true
		f.addShape(id, n)
	case moment, anchor:
		x.linkMoment(id, n, f)
		return
	case literate:
		x.linkLiterate(id, n, f)
	case scaled:
		x.linkScaled(id, n, f)
	default:
		x.linkOther(id, n, f)
	}
	f.besides.Add(1)
}

// An alternative is a condition that holds if it does with only one of its
// values.
type alternative interface {
	leaf
	only(scalar any) node
}

// linkValues notes an in under each of its values, of which a field has at most
// one, or an anyOf, of which it may have several.
func (x *index) linkValues(id uint32, n alternative, values []any, how repeats) {
	d := &detail{node: n}
	for _, v := range values {
		x.access(d, x.intern(n.only(v)))
	}
	x.linkUnder(id, d, x.compile(nil, how))
}

// linkOther makes an entry be tested for every document with the field.
func (x *index) linkOther(id uint32, n leaf, f *field) {
	x.linkUnder(id, &detail{node: n}, x.compile(n, never))
	f.others.add(id)
}

func (f *field) addShape(id uint32, n geo) {
	p := f.places.Load()
	if p == nil {
		p = new(geofilter.Index)
		f.places.Store(p)
	}
	p.Add(id, n.shape)
}

// A gram is a condition that filters have no word for: a string of the field
// holds these bytes.
type gram struct {
	existence
	bytes uint32
}

// linkLiterate notes a condition under a part of each of its literals, the one
// with the fewest conditions.
func (x *index) linkLiterate(id uint32, n literate, f *field) {
	literals := n.literals()
	if literals == nil {
		x.linkOther(id, n, f)
		return
	}
	d := &detail{node: n}
	for _, literal := range literals {
		x.access(d, x.internGram(f, x.rarestGram(f, literal)))
	}
	x.linkUnder(id, d, x.compile(n, asCondition))
}

func (x *index) rarestGram(f *field, literal string) uint32 {
	best, fewest := uint32(0), -1
	for i := range len(literal) - gramBytes + 1 {
		g, users := gramAt(literal, i), 0
		if id := x.gramEntry(f, g); id != 0 {
			users = int(x.entries.at(id).users)
		}
		if fewest < 0 || users < fewest {
			best, fewest = g, users
		}
	}
	return best
}

func (x *index) internGram(f *field, bytes uint32) uint32 {
	if id := x.gramEntry(f, bytes); id != 0 {
		x.entries.at(id).users++
		return id
	}
	print := f.gramPrint(bytes)
	id := x.newEntry(print)
	x.known.insert(id, x.hash)
	x.entries.at(id).detail.Store(&detail{node: gram{existence{f.path}, bytes}})
	f.users++
	f.grams.insert(print[0], id)
	return id
}
