package filter

import (
	"slices"
	"unsafe"

	"github.com/ambitmq/ambit/geofilter"
)

// A Standing is what a Matcher remembers of one version of a document: a
// fingerprint of each field that filters read, how far a position may move, and
// the filters that match, with their keys. With it Update need not see that
// version again. The zero value remembers nothing. A Standing may be used by one
// goroutine at a time; what one Matcher has remembered another does not believe.
type Standing struct {
	index      *index
	generation uint64 // in which the numbers below mean what they do
	added      uint64 // how many additions are taken into account
	opened     uint64 // how many fields had been opened
	layout     uint64 // of the document
	rekeyed    uint64 // how often filters had got and lost keys besides

	values []seen
	trails []trail
	held   []uint32 // entries of geo clauses that hold, of all trails
	inside []uint32 // entries of filters that match, sorted; some may not be there any more

	reads     []reading // of inside, one by one
	keys      any       // of inside: a *[]K, for a Matcher of K
	keysBytes int       // which that takes
}

// Seen is what is remembered of the value of a field.
type seen struct {
	print uint64
	field uint32
	cell  uint32 // where the value was
}

// A trail is what is remembered of a position.
type trail struct {
	geofilter.Trail
	field    uint32
	from, to uint32 // in held
}

// Reset makes s remember nothing. It keeps the memory, for another document.
func (s *Standing) Reset() {
	s.index, s.inside, s.keys, s.keysBytes = nil, s.inside[:0], nil, 0
	s.forget()
}

// forget forgets the document, and not what matches it.
func (s *Standing) forget() {
	s.values, s.trails, s.held = s.values[:0], s.trails[:0], s.held[:0]
}

// SizeBytes returns how much memory s takes.
func (s *Standing) SizeBytes() int {
	return int(unsafe.Sizeof(*s)) + cap(s.values)*int(unsafe.Sizeof(seen{})) + cap(s.trails)*int(unsafe.Sizeof(trail{})) +
		4*(cap(s.held)+cap(s.inside)+cap(s.reads)) + s.keysBytes
}

// set makes s remember what next does of the document, but for what it knows of
// positions, if that is still the same.
func (s *Standing) set(next *Standing, samePlaces bool) {
	s.index, s.generation, s.added, s.opened = next.index, next.generation, next.added, next.opened
	s.layout, s.rekeyed = next.layout, next.rekeyed
	s.values = append(s.values[:0], next.values...)
	if !samePlaces {
		s.trails = append(s.trails[:0], next.trails...)
		s.held = append(s.held[:0], next.held...)
	}
}

// setInside makes s remember the filters that match.
func (s *Standing) setInside(inside []uint32) {
	s.inside, s.reads = append(s.inside[:0], inside...), s.reads[:0]
	for _, id := range inside {
		s.reads = append(s.reads, reading(s.index.entries.at(id).reads.bits.Load()))
	}
}

func (s *Standing) trailOf(field uint32) *trail {
	for i := range s.trails {
		if s.trails[i].field == field {
			return &s.trails[i]
		}
	}
	return nil
}

// keep takes a trail over from another standing.
func (s *Standing) keep(from *Standing, t *trail) {
	kept := *t
	kept.from = uint32(len(s.held))
	s.held = append(s.held, from.held[t.from:t.to]...)
	kept.to = uint32(len(s.held))
	s.trails = append(s.trails, kept)
}

// places appends the entries of the geo clauses of a field that hold at a point:
// those that are remembered, if they certainly are the same.
func (s *Standing) places(dst []uint32, field uint32, p *geofilter.Index, at geofilter.Point) []uint32 {
	t := s.trailOf(field)
	if t != nil && p.Same(at, &t.Trail) {
		return append(dst, s.held[t.from:t.to]...)
	}
	if t == nil {
		s.trails = append(s.trails, trail{field: field})
		t = &s.trails[len(s.trails)-1]
	}
	dst = p.Track(dst, at, &t.Trail)
	t.from = uint32(len(s.held))
	s.held = append(s.held, dst...)
	t.to = uint32(len(s.held))
	return dst
}

// changes returns what differs from what st remembers, and makes s.next
// remember the document.
func (s *search) changes(st *Standing) reading {
	layout, opened := s.d.layout(), s.x.fieldsOpened.Load()
	s.next.layout, s.next.opened = layout, opened
	changed := reading(0)
	if layout == st.layout && opened == st.opened {
		for i := range st.values {
			changed |= s.compare(st, &st.values[i], st.values[i].cell)
		}
		return changed
	}
	s.resolve()
	for i := range st.values {
		was := &st.values[i]
		slot := s.slot(was.field)
		if slot.stamp != s.stamp {
			changed |= valueRead(was.field) | placeRead(was.field)
			continue
		}
		slot.compared = true
		changed |= s.compare(st, was, uint32(slot.cell))
	}
	for _, f := range s.fields {
		if !s.slots[f.number].compared {
			changed |= valueRead(f.number) | placeRead(f.number)
			s.remember(f.number, uint32(s.slots[f.number].cell))
		}
	}
	return changed
}

// rememberAll makes s.next remember a document of which nothing is known.
func (s *search) rememberAll() {
	s.next.layout, s.next.opened = s.d.layout(), s.x.fieldsOpened.Load()
	s.resolve()
	for _, f := range s.fields {
		s.remember(f.number, uint32(s.slots[f.number].cell))
	}
}

func (s *search) remember(field, cell uint32) uint64 {
	print := value{s.d, int(cell)}.print()
	s.next.values = append(s.next.values, seen{print, field, cell})
	return print
}

// compare returns what differs in a field whose value is in a cell.
func (s *search) compare(st *Standing, was *seen, cell uint32) reading {
	changed := reading(0)
	t := st.trailOf(was.field)
	if s.remember(was.field, cell) != was.print {
		changed = valueRead(was.field)
		if t == nil || !s.stays(t, value{s.d, int(cell)}) {
			return changed | placeRead(was.field)
		}
	}
	if t != nil {
		s.kept = append(s.kept, t)
	}
	return changed
}

// stays reports whether the position v certainly is in the same shapes as
// before.
func (s *search) stays(t *trail, v value) bool {
	f := s.x.fields.at(t.field).Load()
	if f == nil {
		return false
	}
	at, ok := v.geopoint()
	return ok && f.places.Load().Same(at, &t.Trail)
}

// layout returns a fingerprint of where in d the fields are.
func (d *Document) layout() uint64 {
	print := uint64(len(d.cells))
	for i := range d.cells {
		c := &d.cells[i]
		path := c.hash ^ salts[1]
		if c.field {
			path++
		}
		print = mix(print^salts[0], path)
	}
	return print
}

// print returns a number itself, and a fingerprint of any other value. Different
// values with the same one cannot be made on purpose: salts are secret.
func (v value) print() uint64 {
	cells := v.d.cells
	print := v.d.printOfCell(v.i)
	for i := v.i + 1; i < int(cells[v.i].end); i++ {
		print = mix(print^salts[0], v.d.printOfCell(i)^cells[i].hash^salts[1])
	}
	return print
}

// printOfCell is the print of a value without what is in it.
func (d *Document) printOfCell(i int) uint64 {
	c := &d.cells[i]
	switch c.kind {
	case numberKind:
		return c.bits
	case stringKind:
		return hashString(d.string(spanOf(c.bits)), 0)
	default:
		return mix(uint64(c.end-uint32(i))<<8|uint64(c.kind)^salts[0], salts[1])
	}
}

// insert adds a number to a sorted list, which it does not write to.
func insert(list []uint32, number uint32) []uint32 {
	i, found := slices.BinarySearch(list, number)
	if found {
		return list
	}
	return slices.Concat(list[:i], []uint32{number}, list[i:])
}
