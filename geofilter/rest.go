package geofilter

import "sync/atomic"

// A rest is what a node knows besides chips. It never changes, but for an ID
// that becomes gone: its lists may only grow beyond their lengths.
type rest struct {
	within []uint32 // shapes that hold the cell
	disks  []disk   // that do not fit a chip
	crates []crate
	hoops  []hoop
	clips  []tagged
}

type tagged struct {
	id   uint32
	clip *clip
}

// The IDs in the lists, by which they are removed.
func idOfWithin(id *uint32) *uint32 { return id }
func idOfDisk(d *disk) *uint32      { return &d.id }
func idOfCrate(c *crate) *uint32    { return &c.id }
func idOfHoop(h *hoop) *uint32      { return &h.outer.id }
func idOfClip(t *tagged) *uint32    { return &t.id }

// add adds an entry to the list that the relation means.
func (r *rest) add(e *entry, how relation, o outline) {
	switch how {
	case within:
		r.within = grow(r.within, e.id)
	case byDisk:
		r.disks = grow(r.disks, e.disk)
	case byBox:
		r.crates = grow(r.crates, e.crate)
	case byClip:
		r.clips = grow(r.clips, tagged{e.id, o.(*clip)})
	case byHoop:
		r.hoops = grow(r.hoops, e.hoop)
	case apart:
	}
}

// remove removes an ID from the list that the relation means.
func (r *rest) remove(id uint32, how relation) {
	switch how {
	case within:
		r.within = drop(r.within, id, idOfWithin)
	case byDisk:
		r.disks = drop(r.disks, id, idOfDisk)
	case byBox:
		r.crates = drop(r.crates, id, idOfCrate)
	case byClip:
		r.clips = drop(r.clips, id, idOfClip)
	case byHoop:
		r.hoops = drop(r.hoops, id, idOfHoop)
	case apart:
	}
}

func (r *rest) empty() bool {
	return len(r.within)+len(r.disks)+len(r.crates)+len(r.hoops)+len(r.clips) == 0
}

// each calls f with the shapes, but for clips, that have an edge in the cell.
func (r *rest) each(f func(id uint32)) {
	each(r.disks, idOfDisk, f)
	each(r.crates, idOfCrate, f)
	each(r.hoops, idOfHoop, f)
}

func each[T any](list []T, idOf func(*T) *uint32, f func(id uint32)) {
	for i := range list {
		if id := *idOf(&list[i]); id != gone {
			f(id)
		}
	}
}

// full reports whether list has to move to become longer.
func full[T any](list []T) bool { return len(list) > 0 && len(list) == cap(list) }

// grow returns list with v at its end. Readers of list do not see it.
func grow[T any](list []T, v T) []T {
	if len(list) == cap(list) {
		// Lists are many and short: they get little to spare.
		list = append(make([]T, 0, len(list)+1+len(list)/8), list...)
	}
	return append(list, v)
}

// drop marks what has an ID as gone. Once more than half of a list is gone, it
// returns a copy of the rest, so that in the long run that costs nothing.
func drop[T any](list []T, id uint32, idOf func(*T) *uint32) []T {
	left := 0
	for i := range list {
		switch at := idOf(&list[i]); *at {
		case id:
			atomic.StoreUint32(at, gone)
		case gone:
		default:
			left++
		}
	}
	switch {
	case left == 0:
		return nil
	case left >= len(list)/2:
		return list
	}
	rest := make([]T, 0, left)
	for i := range list {
		if *idOf(&list[i]) != gone {
			rest = append(rest, list[i])
		}
	}
	return rest
}
