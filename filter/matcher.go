package filter

import (
	"slices"
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
	mu    sync.Mutex // guards changes of the rest
	index index
	keys  keys[K]

	last     atomic.Pointer[replacement[K]] // the last one that was begun
	added    additions
	searches sync.Pool // of *search
}

// Add adds a filter under a key, in place of the one that is there.
func (m *Matcher[K]) Add(k K, f *Filter) {
	m.mu.Lock()
	defer m.mu.Unlock()
	defer m.index.tend()
	old := m.keys.filter(k)
	id := m.index.internFilter(f)
	switch old {
	case 0:
		m.hold(k, id, f)
		return
	case id:
		m.index.release(id)
		return
	}
	r := m.begin(k, f)
	m.keys.forget(k, old)
	m.hold(k, id, f)
	m.remove(k, old)
	r.done.Store(true)
}

func (m *Matcher[K]) hold(k K, id uint32, f *Filter) {
	if m.index.entries.at(id).load()&subscribed == 0 {
		m.added.begin(id, f)
		defer m.added.end()
	}
	m.keys.add(k, id)
	m.index.subscribe(id)
}

// Remove removes the filter of a key, if there is one.
func (m *Matcher[K]) Remove(k K) {
	m.mu.Lock()
	defer m.mu.Unlock()
	id := m.keys.filter(k)
	if id == 0 {
		return
	}
	m.keys.forget(k, id)
	m.remove(k, id)
	if m.index.tend(); m.keys.len() == 0 {
		m.index.finish()
	}
}

// remove removes a forgotten key from its filter.
func (m *Matcher[K]) remove(k K, id uint32) {
	if !m.keys.remove(k, id) {
		m.index.unsubscribe(id)
	}
	m.index.release(id)
}

// Len returns the number of filters.
func (m *Matcher[K]) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.keys.len()
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

// appendKeys appends the keys of filters. It asks for several at once, so that
// the processor need not wait for them one by one.
func (m *Matcher[K]) appendKeys(dst []K, found []uint32) []K {
	var first [16]*holder[K]
	for few := range slices.Chunk(found, len(first)) {
		for i, id := range few {
			first[i] = m.keys.of(id)
		}
		for _, h := range first[:len(few)] {
			for ; h != nil; h = h.next {
				dst = append(dst, h.key)
			}
		}
	}
	return dst
}
