package filter

// unlink undoes link, in the opposite order.
func (x *index) unlink(id uint32) {
	e := x.entries.at(id)
	d := e.detail.Load()
	if d == nil {
		x.unlinkPlain(id, e)
		return
	}
	switch n := d.node.(type) {
	case nil:
		x.unlinkUnder(id, d)
	case constant:
		x.defaults.remove(id)
	case not:
		if r, ok := n.filter.(between); ok {
			x.unlinkOutside(id, r)
			return
		}
		x.defaults.remove(id)
		x.entries.at(d.access[0]).setNegation(0)
		x.release(d.access[0])
	case leaf:
		f := x.fieldOf(n.path())
		x.unlinkLeaf(id, d, f)
		x.closeField(f)
	}
}

// unlinkPlain unlinks an entry without detail: nothing, equals, or a geo
// clause.
func (x *index) unlinkPlain(id uint32, e *entry) {
	if e.field == 0 {
		return
	}
	f := x.fields.at(e.field).Load()
	if !e.isGeo {
		x.values.remove(x.hash(id), id)
		f.scalars.Add(-1)
	} else {
		f.besides.Add(-1)
		f.places.Load().Remove(id)
	}
	x.closeField(f)
}

func (x *index) unlinkUnder(id uint32, d *detail) {
	for _, under := range d.access {
		x.unnote(id, under)
		x.release(under)
	}
}

func (x *index) unlinkOutside(id uint32, r between) {
	f := x.fieldOf(r.field)
	for _, part := range r.complement(id) {
		f.ranges.remove(part)
	}
	f.besides.Add(-1)
	f.outside.remove(id)
	if f.outside.n == 0 {
		x.outsides.remove(f.number)
	}
	x.closeField(f)
}

func (x *index) unlinkLeaf(id uint32, d *detail, f *field) {
	switch n := d.node.(type) {
	case gram:
		f.grams.remove(x.hash(id), id)
		return
	case moment, anchor:
		x.unlinkMoment(id, d, f)
		return
	case membership:
		x.unlinkUnder(id, d)
		return
	case element:
		if len(n.values) > 1 {
			x.unlinkUnder(id, d)
			return
		}
		x.values.remove(x.hash(id), id)
		f.elements.Add(-1)
	case existence:
		f.present.Store(0)
	case between:
		low, high := n.closed()
		f.ranges.remove(entryInterval{low, high, id})
	case scaled:
		f.unlinkScaled(id, n)
	default: // a pattern, or one that is tested for every document with the field
		if d.access == nil {
			f.others.remove(id)
		}
		x.unlinkUnder(id, d)
	}
	f.besides.Add(-1)
}
