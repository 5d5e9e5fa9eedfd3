package geofilter

import "sync/atomic"

// A table holds shapes by ID, and has pages only where there are some. One
// writer may set while readers get.
type table struct {
	pages atomic.Pointer[[]atomic.Pointer[page]]
}

type page [512]atomic.Pointer[Shape]

// get returns the shape of an ID, or nil.
func (t *table) get(id uint32) Shape {
	pages := t.pages.Load()
	i := int(id) / len(page{})
	if pages == nil || i >= len(*pages) {
		return nil
	}
	p := (*pages)[i].Load()
	if p == nil {
		return nil
	}
	if s := p[int(id)%len(page{})].Load(); s != nil {
		return *s
	}
	return nil
}

// set sets the shape of an ID. Nil is none.
func (t *table) set(id uint32, s Shape) {
	place := &t.page(int(id) / len(page{}))[int(id)%len(page{})]
	if s == nil {
		place.Store(nil)
		return
	}
	some := s // so that nothing is allocated for none
	place.Store(&some)
}

// page returns a page, and makes it if need be.
func (t *table) page(i int) *page {
	pages := t.pages.Load()
	if pages == nil || i >= len(*pages) {
		more := make([]atomic.Pointer[page], i+1+i/2)
		if pages != nil {
			for j := range *pages {
				more[j].Store((*pages)[j].Load())
			}
		}
		pages = &more
		t.pages.Store(pages)
	}
	at := &(*pages)[i]
	if at.Load() == nil {
		at.Store(new(page))
	}
	return at.Load()
}

// contains reports whether there is a shape of this ID, and it contains p.
func (t *table) contains(id uint32, p Point) bool {
	s := t.get(id)
	return s != nil && s.Contains(p)
}

// meets reports whether there is a shape of this ID, and it meets l.
func (t *table) meets(id uint32, l *leg) bool {
	s := t.get(id)
	return s != nil && s.meets(l)
}
