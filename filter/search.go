package filter

import "github.com/ambitmq/ambit/geofilter"

// A search is one look for the filters that match a document. It is used again
// for the next.
type search struct {
	x *index
	d *Document

	changed reading // what is looked for reads some of it
	added   uint64  // how many defaults there were when the search began

	stamp  uint32
	slots  []slot   // by the number of a field
	fields []*field // that the document has, each once
	probes []probe

	matched  uint64          // documents, so far
	refused  int             // candidates that do not match
	blame    func(id uint32) // is told of each, if it is set
	found    []uint32        // filters that match
	excepted []uint32        // defaults that do not hold
	parts    []uint32        // of strings and arrays, which may come several times, as may
	later    []uint32        // conditions, and
	several  []uint32        // filters

	// Room for what the index of one field finds.
	ids, noted []uint32
	states     []state
	programs   []*program

	// Of an update: what matched and matches, which is not written to, and room
	// for both; what will be remembered; and whether positions are.
	was, is []uint32
	room    struct {
		was, rest, is []uint32
		changes       Changes[uint32]
	}
	next   Standing
	tracks bool
	unread bool     // whether nothing that filters read has changed
	kept   []*trail // of positions that are in the same shapes as before
}

// A slot is what is known of a field in the document of the stamp.
type slot struct {
	stamp  uint32
	cell   int32 // of the value, or -1
	placed int8  // whether point is: 0 is unknown, 1 yes, -1 there is none
	point  geofilter.Point

	compared bool // with the version before
}

// look finds the entries of the filters that match d.
func (s *search) look(x *index, d *Document) {
	s.begin(x, d)
	s.resolve()
	s.find(everything)
}

func (s *search) begin(x *index, d *Document) {
	s.x, s.d, s.refused, s.added = x, d, 0, x.defaultsAdded.Load()
	s.found, s.excepted, s.parts, s.later, s.several = s.found[:0], s.excepted[:0], s.parts[:0], s.later[:0], s.several[:0]
}

// find finds the entries of the filters that match, of those that read something
// of what changed; there may be others among them.
func (s *search) find(changed reading) {
	s.changed = changed
	s.equals()
	for _, f := range s.fields {
		if f.besides.Load() > 0 && f.reach.meets(changed) {
			s.field(f)
		}
	}
	s.moments()
	s.outsides()
	s.settle()
	s.defaults()
	for _, id := range unique(s.several) {
		s.verify(id)
	}
}

// track is find for the version that s.next remembers.
func (s *search) track(changed reading) {
	s.tracks = true
	s.find(changed)
	s.tracks = false
}

// resolve finds the fields of the document that filters ask for.
func (s *search) resolve() {
	s.fields = s.fields[:0]
	if s.stamp++; s.stamp == 0 {
		clear(s.slots)
		s.stamp = 1
	}
	for i := range s.d.cells {
		c := &s.d.cells[i]
		if !c.field {
			continue
		}
		var f *field
		number := s.x.fieldNumbers.find(c.hash, func(number uint32) bool {
			f = s.x.fields.at(number).Load()
			return f != nil && f.path == s.d.string(c.path)
		})
		if number == 0 {
			continue
		}
		slot := s.slot(number)
		if slot.stamp != s.stamp {
			s.fields = append(s.fields, f)
		}
		slot.stamp, slot.cell, slot.placed, slot.compared = s.stamp, int32(i), 0, false // of several, the last one
	}
}

func (s *search) slot(number uint32) *slot {
	if int(number) >= len(s.slots) {
		s.slots = append(s.slots, make([]slot, int(number)+1-len(s.slots))...)
	}
	return &s.slots[number]
}

// value returns the value of a field that the document has.
func (s *search) value(f *field) value { return value{s.d, int(s.slots[f.number].cell)} }

// valueOf returns the value of any field. One that came after resolve is looked
// for now.
func (s *search) valueOf(f *field) (value, bool) {
	slot := s.slot(f.number)
	if slot.stamp != s.stamp {
		slot.stamp, slot.cell, slot.placed = s.stamp, -1, 0
		if v, ok := s.d.find(f.path, f.print[0]); ok {
			slot.cell = int32(v.i)
		}
	}
	return value{s.d, int(slot.cell)}, slot.cell >= 0
}

// pointOf returns the position that a field holds, which is read once.
func (s *search) pointOf(f *field, v value) (geofilter.Point, bool) {
	slot := s.slot(f.number)
	if slot.placed == 0 {
		slot.placed = -1
		var ok bool
		if slot.point, ok = v.geopoint(); ok {
			slot.placed = 1
		}
	}
	return slot.point, slot.placed > 0
}
