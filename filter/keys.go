package filter

import (
	"hash/maphash"
	"sync/atomic"
)

// Keys say which keys a filter has, to readers, and which filter a key has, to
// the writer. A filter is a number here, its entry.
type keys[K comparable] struct {
	holders slab[atomic.Pointer[holder[K]]] // by the filter
	single  directory                       // filters with one key, by that: half of what a map takes
	shared  map[K]uint32                    // the filters of keys that had company
	changes atomic.Uint64                   // how often filters with a key got another, or lost one, so far
}

// A holder is a key of a filter, and leads to the next one.
type holder[K comparable] struct {
	key  K
	next *holder[K]
}

// of returns the keys of a filter that is there, or was.
func (s *keys[K]) of(id uint32) *holder[K] { return s.holders.at(id).Load() }

// filter returns the filter of a key, or 0.
func (s *keys[K]) filter(k K) uint32 {
	if id, ok := s.shared[k]; ok {
		return id
	}
	return s.single.find(hashKey(k), func(id uint32) bool { return s.of(id).key == k })
}

// add gives a filter a key that has none.
func (s *keys[K]) add(k K, id uint32) {
	s.holders.reserve(id)
	others := s.of(id)
	if others != nil {
		s.share(k, others.key, id)
	}
	s.holders.at(id).Store(&holder[K]{k, others})
	if others == nil {
		s.single.insert(id, s.hash)
	} else {
		s.changes.Add(1)
	}
}

// share notes that a filter has a key besides another.
func (s *keys[K]) share(k, other K, id uint32) {
	if s.shared == nil {
		s.shared = map[K]uint32{}
	}
	if _, ok := s.shared[other]; !ok {
		s.single.remove(id, s.hash)
		s.shared[other] = id
	}
	s.shared[k] = id
}

// forget makes a key one that has no filter. Readers still see it.
func (s *keys[K]) forget(k K, id uint32) {
	if _, ok := s.shared[k]; ok {
		delete(s.shared, k)
	} else {
		s.single.remove(id, s.hash)
	}
}

// remove takes a forgotten key from its filter, and reports whether that has
// others.
func (s *keys[K]) remove(k K, id uint32) bool {
	rest := s.of(id).without(k)
	s.holders.at(id).Store(rest)
	s.changes.Add(1)
	return rest != nil
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

func (s *keys[K]) len() int { return s.single.n + len(s.shared) }

// hash is that of a filter's only key.
func (s *keys[K]) hash(id uint32) uint64 { return hashKey(s.of(id).key) }

func hashKey[K comparable](k K) uint64 { return maphash.Comparable(pathSeed, k) }
