package filter

import (
	"sync"
	"sync/atomic"
)

// Matcher finds which of many filters match a document. Match may run
// concurrently with itself and with Add and Remove; it takes no lock, and it
// sees a filter from the moment Add returns until the moment Remove is called, at
// the latest until it returns. A match that runs while the filter of a key is
// replaced sees the one, the other, or neither. The zero value is ready to use,
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

	// replaced counts the beginnings and ends of replacements of a key's filter.
	replaced atomic.Uint64
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
	if m.filters == nil {
		m.filters = map[K]uint32{}
	}
	old, replaces := m.filters[k]
	id := m.index.intern(f.root)
	if replaces && old == id {
		m.index.release(id)
		return
	}
	if replaces {
		// A match that sees both filters finds the key twice, and is told.
		m.replaced.Add(1)
		defer m.replaced.Add(1)
		defer m.remove(k, old)
	}
	m.keys.reserve(id)
	holders := m.keys.at(id)
	holders.Store(&holder[K]{k, holders.Load()})
	m.index.subscribe(id)
	m.filters[k] = id
}

// Remove removes the filter of a key, if there is one.
func (m *Matcher[K]) Remove(k K) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if id, ok := m.filters[k]; ok {
		delete(m.filters, k)
		m.remove(k, id)
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
	s, ok := m.searches.Get().(*search)
	if !ok {
		s = new(search)
	}
	before := len(dst)
	for {
		generation, replaced := m.index.generation.Load(), m.replaced.Load()
		s.look(&m.index, d)
		dst = m.appendKeys(dst[:before], s.found)
		if m.index.generation.Load() != generation {
			continue // numbers may have got another meaning: see pool
		}
		if replaced%2 == 1 || m.replaced.Load() != replaced {
			dst = dst[:before+len(distinct(dst[before:]))]
		}
		m.searches.Put(s)
		return dst
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

// distinct keeps the first of equal keys, in place.
func distinct[K comparable](keys []K) []K {
	seen := make(map[K]bool, len(keys))
	kept := keys[:0]
	for _, k := range keys {
		if !seen[k] {
			kept = append(kept, k)
		}
		seen[k] = true
	}
	return kept
}
