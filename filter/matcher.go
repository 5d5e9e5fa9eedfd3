package filter

import (
	"sync"
	"sync/atomic"
)

// Matcher finds which of many filters match a document. Match may run
// concurrently with itself and with Add and Remove; it takes no lock, and it
// sees a filter from the moment Add returns until the moment Remove is called, at
// the latest until it returns. A match that runs while the filter of a key is
// replaced finds the key, once, if both match. The zero value is ready to use,
// and is not to be copied.
//
// Keys with the same filter share it. To remove one of n of them takes time in
// proportion to n; everything else takes the same time however many filters
// there are.
type Matcher[K comparable] struct {
	mu      sync.Mutex // guards filters, and changes of the rest
	filters map[K]uint32
	index   index
	keys    slab[atomic.Pointer[holder[K]]] // by the entry of a filter

	last     atomic.Pointer[replacement[K]] // the last one that was begun
	added    additions
	searches sync.Pool // of *search
}

// A holder is a key of a filter, and leads to the next one.
type holder[K comparable] struct {
	key  K
	next *holder[K]
}

// Add adds a filter under a key, in place of the one that is there.
func (m *Matcher[K]) Add(k K, f *Filter) {
	m.mu.Lock()
	defer m.mu.Unlock()
	defer m.index.tend()
	if m.filters == nil {
		m.filters = map[K]uint32{}
	}
	old, replaces := m.filters[k]
	id := m.index.internFilter(f)
	if replaces && old == id {
		m.index.release(id)
		return
	}
	m.filters[k] = id
	if !replaces {
		m.hold(k, id, f)
		return
	}
	r := m.begin(k, f)
	m.hold(k, id, f)
	m.remove(k, old)
	r.done.Store(true)
}

func (m *Matcher[K]) hold(k K, id uint32, f *Filter) {
	m.keys.reserve(id)
	holders := m.keys.at(id)
	others := holders.Load()
	if others == nil {
		m.added.begin(id, f)
		defer m.added.end()
	}
	holders.Store(&holder[K]{k, others})
	m.index.subscribe(id)
}

// Remove removes the filter of a key, if there is one.
func (m *Matcher[K]) Remove(k K) {
	m.mu.Lock()
	defer m.mu.Unlock()
	id, ok := m.filters[k]
	if !ok {
		return
	}
	delete(m.filters, k)
	m.remove(k, id)
	if m.index.tend(); len(m.filters) == 0 {
		m.index.finish()
	}
}

func (m *Matcher[K]) remove(k K, id uint32) {
	holders := m.keys.at(id)
	rest := holders.Load().without(k)
	holders.Store(rest)
	if rest == nil {
		m.index.unsubscribe(id)
	}
	m.index.release(id)
}

// without returns the holders without the one of a key, which is among them.
func (h *holder[K]) without(k K) *holder[K] {
	if h.key == k {
		return h.next
	}
	first := &holder[K]{key: h.key}
	for last := first; ; last = last.next {
		h = h.next
		if h.key == k {
			last.next = h.next
			return first
		}
		last.next = &holder[K]{key: h.key}
	}
}

// Len returns the number of filters.
func (m *Matcher[K]) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.filters)
}

// Match appends to dst the keys of the filters that match d, in no particular
// order, and returns it.
func (m *Matcher[K]) Match(dst []K, d *Document) []K {
	s, before, ok := m.search(), len(dst), false
	for {
		generation, since := m.index.generation.Load(), m.settled()
		s.look(&m.index, d)
		dst = m.appendKeys(dst[:before], s.found)
		if m.index.generation.Load() != generation {
			continue // numbers may have got another meaning: see pool
		}
		if dst, ok = m.mend(dst, before, d, since); ok {
			m.sample(s, d)
			m.searches.Put(s)
			return dst
		}
	}
}

// search returns one to use, and to put back into searches.
func (m *Matcher[K]) search() *search {
	if s, ok := m.searches.Get().(*search); ok {
		return s
	}
	return new(search)
}

// sample offers a document that was searched for to the sample.
func (m *Matcher[K]) sample(s *search, d *Document) {
	if s.matched++; d != nil {
		m.index.sample.offer(d, s.matched)
	}
}

func (m *Matcher[K]) appendKeys(dst []K, found []uint32) []K {
	for _, id := range found {
		for h := m.keys.at(id).Load(); h != nil; h = h.next {
			dst = append(dst, h.key)
		}
	}
	return dst
}
