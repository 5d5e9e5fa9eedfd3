package geofilter

// An entry is a shape on its way into the lists of nodes or out of them.
type entry struct {
	id      uint32
	outline outline
	disk    disk
	crate   crate
	hoop    hoop
	finest  int
	isNew   bool // to those who hold a Trail
}

func makeEntry(id uint32, s Shape) entry { return entryOf(id, s.outline()) }

func entryOf(id uint32, o outline) entry {
	e := entry{id: id, outline: o, finest: o.finest()}
	switch o := o.(type) {
	case *round:
		e.disk = makeDisk(id, o)
	case *double:
		e.disk = makeDisk(id, o.outer)
		e.hoop = hoop{makeDisk(id, o.inner), e.disk}
	case *frame:
		e.crate = crate{o.box, id}
	}
	return e
}
