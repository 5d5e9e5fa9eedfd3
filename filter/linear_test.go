package filter

import (
	"sync"
	"sync/atomic"
)

// linear does what Matcher does by walking all filters. Benchmarks compare.
type linear[K comparable] struct {
	mu      sync.Mutex // guards entries and dead, and writing list
	entries map[K]*linearEntry[K]
	dead    int // entries of list that are removed

	// list is read without the lock. Beyond the length that a reader has seen
	// it may grow in place; within, nothing but the filters ever changes.
	list atomic.Pointer[[]*linearEntry[K]]
}

type linearEntry[K comparable] struct {
	key    K
	filter atomic.Pointer[Filter] // nil once removed
}

// Add adds a filter under a key, in place of the one that is there.
func (m *linear[K]) Add(k K, f *Filter) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e, ok := m.entries[k]; ok {
		e.filter.Store(f)
		return
	}
	if m.entries == nil {
		m.entries = map[K]*linearEntry[K]{}
	}
	e := &linearEntry[K]{key: k}
	e.filter.Store(f)
	m.entries[k] = e
	list := append(m.all(), e)
	m.list.Store(&list)
}

// Remove removes the filter of a key, if there is one.
func (m *linear[K]) Remove(k K) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.entries[k]
	if !ok {
		return
	}
	delete(m.entries, k)
	e.filter.Store(nil)
	m.dead++
	// Sweeping when half of the list is dead makes a removal cost constant time
	// in the long run.
	if m.dead > len(m.entries) {
		m.sweep()
	}
}

// sweep makes a new list, without the dead. The caller holds the lock.
func (m *linear[K]) sweep() {
	list := make([]*linearEntry[K], 0, len(m.entries))
	for _, e := range m.all() {
		if e.filter.Load() != nil {
			list = append(list, e)
		}
	}
	m.dead = 0
	m.list.Store(&list)
}

// Len returns the number of filters.
func (m *linear[K]) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.entries)
}

// Match appends to dst the keys of the filters that match d, in no particular
// order, and returns it.
func (m *linear[K]) Match(dst []K, d *Document) []K {
	for _, e := range m.all() {
		if f := e.filter.Load(); f != nil && f.Match(d) {
			dst = append(dst, e.key)
		}
	}
	return dst
}

func (m *linear[K]) all() []*linearEntry[K] {
	if list := m.list.Load(); list != nil {
		return *list
	}
	return nil
}
