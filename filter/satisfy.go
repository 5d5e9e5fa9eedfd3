package filter

import (
	"slices"

	"github.com/ambitmq/ambit/geofilter"
)

// equals finds what is equal to the value of a field.
func (s *search) equals() {
	s.probes = s.probes[:0]
	for i, f := range s.fields {
		if v := s.value(f); f.scalars.Load() > 0 && f.reach.meets(s.changed) && v.kind() <= stringKind {
			s.probes = append(s.probes, probe{field: int32(i), first: mix(f.print[0], v.hash(0))})
		}
	}
	s.x.values.has(s.probes)
	for i := range s.probes {
		if p := &s.probes[i]; p.there {
			f := s.fields[p.field]
			if id := s.equal(f.print, p.first, s.value(f)); id != 0 {
				s.satisfied(id)
			}
		}
	}
}

// equal returns the entry of what is equal to v, given the fingerprint of a
// field or of its elements, and the first half of that with v.
func (s *search) equal(print fingerprint, first uint64, v value) uint32 {
	return s.x.values.find(first, func(id uint32) bool {
		return s.x.entries.at(id).is(fingerprint{first, mix(print[1], v.hash(1))})
	})
}

// field finds what holds for the value of a field, besides equality.
func (s *search) field(f *field) {
	v := s.value(f)
	if id := f.present.Load(); id != 0 {
		s.satisfied(id)
	}
	if n, ok := v.number(); ok {
		s.ids = f.ranges.search(s.ids[:0], n)
		s.follow(s.ids)
	}
	if p := f.places.Load(); p != nil {
		s.place(f, p, v)
	}
	if f.grams.slots.Load() != nil {
		s.text(f, v)
	}
	s.scaled(f, v)
	if f.elements.Load() > 0 && v.kind() == arrayKind {
		print := elementPrint(f.print)
		for e := range v.children() {
			if e.kind() > stringKind {
				continue
			}
			if id := s.equal(print, mix(print[0], e.hash(0)), e); id != 0 {
				s.parts = append(s.parts, id)
			}
		}
	}
	for others, i := f.others.walk(), 0; i < len(others); i++ {
		s.candidate(others[i].Load())
	}
}

func (s *search) place(f *field, p *geofilter.Index, v value) {
	point, ok := s.pointOf(f, v)
	if !ok {
		return
	}
	if s.tracks {
		s.ids = s.next.places(s.ids[:0], f.number, p, point)
	} else {
		s.ids = p.Search(s.ids[:0], point)
	}
	s.follow(s.ids)
}

// text finds the parts of a string of which regular expressions need one.
func (s *search) text(f *field, v value) {
	text, ok := v.string()
	if !ok {
		return
	}
	for i := range len(text) - gramBytes + 1 {
		if id := s.x.gramEntry(f, gramAt(text, i)); id != 0 {
			s.parts = append(s.parts, id)
		}
	}
}

// outsides finds what holds where a field is not there, or is no number.
func (s *search) outsides() {
	fields := s.x.outsides.walk()
	for i := range fields {
		number := fields[i].Load()
		if number == 0 || number == removed {
			continue
		}
		f := s.x.fields.at(number).Load()
		if f == nil || !f.reach.meets(s.changed) {
			continue
		}
		if v, ok := s.valueOf(f); ok && v.kind() == numberKind {
			continue
		}
		entries := f.outside.walk()
		for j := range entries {
			s.satisfied(entries[j].Load())
		}
	}
}

// settle tests what was found under conditions that may repeat.
func (s *search) settle() {
	for _, id := range unique(s.parts) {
		s.satisfied(id)
	}
	for _, id := range unique(s.later) {
		s.verify(id)
	}
}

// defaults finds the defaults without those that are excepted. One that was
// added since the search began may have an exception that was not seen, so it
// is tested itself.
func (s *search) defaults() {
	if !s.x.defaultsReach.meets(s.changed) {
		return
	}
	excepted := unique(s.excepted)
	entries := s.x.defaults.walk()
	for i := range entries {
		id := entries[i].Load()
		if id == 0 || id == removed {
			continue
		}
		if _, found := slices.BinarySearch(excepted, id); found {
			continue
		}
		if s.x.defaultsAdded.Load() != s.added {
			if d := s.x.entries.at(id).detail.Load(); d == nil || !d.node.match(s.d) {
				continue
			}
		}
		s.satisfied(id)
	}
}

// follow is satisfied for many entries, whose states are loaded before any is
// followed up: so that the processor need not wait for them one by one, which
// halves the time among a million.
func (s *search) follow(ids []uint32) {
	ids = s.concerned(ids)
	s.states = s.states[:0]
	for _, id := range ids {
		s.states = append(s.states, s.x.entries.at(id).load())
	}
	s.noted = s.noted[:0]
	for i, id := range ids {
		if s.states[i]&^(1<<32-1) != 0 || s.states[i].noted()&manyUsers != 0 {
			s.satisfied(id)
		} else if id := s.states[i].noted(); id != 0 {
			s.noted = append(s.noted, id)
		}
	}
	s.noted = s.concerned(s.noted)
	s.programs = s.programs[:0]
	for _, id := range s.noted {
		s.programs = append(s.programs, s.x.entries.at(id).program.Load())
	}
	for i, id := range s.noted {
		s.pass(id, s.programs[i])
	}
}

// concerned removes the entries from which nothing that is looked for is
// reached.
func (s *search) concerned(ids []uint32) []uint32 {
	if s.changed == everything {
		return ids
	}
	return slices.DeleteFunc(ids, func(id uint32) bool { return !s.x.entries.at(id).reach.meets(s.changed) })
}

// satisfied follows up an entry that holds.
func (s *search) satisfied(id uint32) {
	if id == 0 || id == removed {
		return
	}
	e := s.x.entries.at(id)
	if !e.reach.meets(s.changed) {
		return
	}
	state := e.load()
	if state&subscribed != 0 {
		s.found = append(s.found, id)
	}
	if negation := state.negation(); negation != 0 {
		s.excepted = append(s.excepted, negation)
	}
	noted := state.noted()
	if noted&manyUsers == 0 {
		s.candidate(noted)
		return
	}
	many := s.x.sets.at(noted &^ manyUsers).walk()
	for i := range many {
		s.candidate(many[i].Load())
	}
}

// candidate looks at an entry that is noted under one that holds.
func (s *search) candidate(id uint32) {
	if id == 0 || id == removed {
		return
	}
	if e := s.x.entries.at(id); e.reach.meets(s.changed) {
		s.pass(id, e.program.Load())
	}
}

// pass puts a candidate off, or tests it.
func (s *search) pass(id uint32, p *program) {
	switch {
	case p != nil && p.repeats == asCondition:
		s.later = append(s.later, id)
	case p != nil && p.repeats == asFilter:
		s.several = append(s.several, id)
	case s.run(p):
		s.satisfied(id)
	default:
		s.refuse(id)
	}
}

// refuse notes that a candidate does not match.
func (s *search) refuse(id uint32) {
	s.refused++
	if s.blame != nil {
		s.blame(id)
	}
}

// verify tests a candidate that was put off.
func (s *search) verify(id uint32) {
	if s.run(s.x.entries.at(id).program.Load()) {
		s.satisfied(id)
	} else {
		s.refuse(id)
	}
}

// unique sorts numbers and returns each once.
func unique(numbers []uint32) []uint32 {
	slices.Sort(numbers)
	return slices.Compact(numbers)
}
