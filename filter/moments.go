package filter

import (
	"math"
	"sync/atomic"

	"github.com/ambitmq/ambit/geofilter"
)

// Moments are the conditions on a field that are about a change of it, or about
// where another document is.
type moments struct {
	changed atomic.Uint32   // the entry that holds if the field differs, or 0
	fences  geofilter.Index // of crossed, by their entries
	anchors set             // entries of the documents that near names
}

// An anchor is a condition that filters have no word for: it is known where a
// document is. Those that are about the distance from there share it.
type anchor struct {
	existence
	id    string
	radii *intervals
}

func (n anchor) appendText(b []byte) []byte {
	b = append(appendOpen(b, "near", n.field), `{"id":`...)
	return append(appendString(b, n.id), "}}}"...)
}

// openMoments returns the moments of a field, for an entry more.
func (x *index) openMoments(f *field) *moments {
	x.moments.Add(1)
	m := f.moments.Load()
	if m == nil {
		m = new(moments)
		f.moments.Store(m)
	}
	return m
}

func (x *index) linkMoment(id uint32, n leaf, f *field) {
	m, e := x.openMoments(f), x.entries.at(id)
	d := &detail{node: n}
	switch n := n.(type) {
	case difference:
		e.detail.Store(d)
		m.changed.Store(id)
	case crossing:
		e.detail.Store(d)
		m.fences.Add(id, n.shape)
	case anchor:
		e.detail.Store(d)
		m.anchors.add(id)
	case nearness:
		d.access = []uint32{x.intern(anchor{existence{n.field}, n.id, new(intervals)})}
		e.detail.Store(d)
		x.anchor(d.access[0]).radii.add(n.reach(id))
	}
}

func (x *index) unlinkMoment(id uint32, d *detail, f *field) {
	m := f.moments.Load()
	switch n := d.node.(type) {
	case difference:
		m.changed.Store(0)
	case crossing:
		m.fences.Remove(id)
	case anchor:
		m.anchors.remove(id)
	case nearness:
		x.anchor(d.access[0]).radii.remove(n.reach(id))
		x.release(d.access[0])
	}
	x.moments.Add(-1)
}

// anchor returns the anchor of an entry that is one.
func (x *index) anchor(id uint32) anchor { return x.entries.at(id).detail.Load().node.(anchor) }

// reach returns the distances from the anchor at which the condition holds.
func (n nearness) reach(entry uint32) entryInterval {
	return entryInterval{math.Inf(-1), float64(n.distance), entry}
}

// moments finds the conditions on the change of the document, and on where
// others are, that hold. Without any it costs nothing.
func (s *search) moments() {
	if s.x.moments.Load() == 0 {
		return
	}
	for _, f := range s.fields {
		if m := f.moments.Load(); m != nil {
			s.moment(f, m)
		}
	}
	s.vanished()
}

// moment finds those on a field that the document has.
func (s *search) moment(f *field, m *moments) {
	v := s.value(f)
	was, ok := s.d.before(f.path)
	if id := m.changed.Load(); id != 0 && (!ok || !same(v, was)) {
		s.satisfied(id)
	}
	if here, ok := s.pointOf(f, v); ok {
		s.crossed(m, was, here)
		anchors := m.anchors.walk()
		for i := range anchors {
			s.near(anchors[i].Load(), here)
		}
	}
}

// vanished finds the changes of fields that are not there any more.
func (s *search) vanished() {
	previous := s.d.previous
	if previous == nil {
		return
	}
	for i := range previous.cells {
		c := &previous.cells[i]
		if !c.field {
			continue
		}
		f := s.x.fieldOf(previous.string(c.path))
		if f == nil || f.moments.Load() == nil {
			continue
		}
		if _, ok := s.valueOf(f); !ok {
			s.parts = append(s.parts, f.moments.Load().changed.Load()) // the path may be there twice
		}
	}
}

// crossed finds the fences across which a document came here, from what its
// field was.
func (s *search) crossed(m *moments, was value, here geofilter.Point) {
	if was.d == nil || m.fences.Len() == 0 {
		return
	}
	from, ok := was.geopoint()
	if !ok || from == here {
		return
	}
	s.ids = m.fences.SearchPath(s.ids[:0], from, here)
	for _, id := range s.ids {
		d := s.x.entries.at(id).detail.Load()
		if d == nil {
			continue // it was removed meanwhile
		}
		if n, ok := d.node.(crossing); ok && !n.shape.Contains(from) && !n.shape.Contains(here) {
			s.satisfied(id)
		}
	}
}

// near finds the conditions on the distance from an anchor.
func (s *search) near(id uint32, here geofilter.Point) {
	if id == 0 || id == removed {
		return
	}
	d := s.x.entries.at(id).detail.Load()
	if d == nil {
		return // it was removed meanwhile
	}
	n, ok := d.node.(anchor)
	if !ok {
		return
	}
	there, known := s.d.whereIs(Neighbour{ID: n.id, Path: n.field})
	if !known || farApart(there, here, n.radii.high()) {
		return
	}
	s.ids = n.radii.search(s.ids[:0], float64(geofilter.Distance(there, here)))
	for _, id := range s.ids {
		s.satisfied(id)
	}
}

// farApart reports whether two places are surely farther apart than a distance:
// by their latitudes alone, which tells most of those that are not near.
func farApart(a, b geofilter.Point, meters float64) bool {
	const (
		degree = 110_574 // metres: the shortest of latitude, at the equator
		wide   = 1.01    // geofilter.Distance may say a little less
	)
	return degree*math.Abs(a.Lat-b.Lat) > wide*meters+1
}
