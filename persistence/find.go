package persistence

import (
	"bytes"
	"errors"
	"iter"
	"slices"
)

// HasIndex says whether all documents of the snapshot are in an index.
func (s *Snapshot) HasIndex(x Index) (bool, error) {
	opened, err := s.index(x)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil && opened.complete, err
}

func (s *Snapshot) index(x Index) (*openIndex, error) {
	key := indexKey(x)
	value, err := s.value(key)
	if err != nil {
		return nil, err
	}
	return decodeIndex(key, value)
}

// Found yields the ids of the documents that have a term in one of some ranges of an
// index, and an id greater than after, once for each such term. The ranges, of which
// each has its first and its last term, are in order.
func (s *Snapshot) Found(x Index, ranges [][2][]byte, after string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if len(ranges) == 0 {
			return
		}
		opened, err := s.index(x)
		if err != nil {
			yield("", err)
			return
		}
		f := &finder{after: after}
		for _, r := range ranges {
			f.lower = append(f.lower, entryKey(opened.number, r[0], ""))
			f.upper = append(f.upper, prefixEnd(entryKey(opened.number, r[1], "")))
		}
		for entry, err := range f.entries(s) {
			if err != nil {
				yield("", err)
				return
			}
			if id, ok := idOf(entry); ok && !yield(string(id), nil) {
				return
			}
		}
	}
}

// A finder goes through ranges of entries.
type finder struct {
	lower, upper [][]byte
	at           int // the range
	after        string
}

func (f *finder) entries(s *Snapshot) iter.Seq2[[]byte, error] {
	disk := decoded(s, f.lower[0], f.upper[len(f.upper)-1], func(key, _ []byte) ([]byte, []byte, error) {
		return f.step(key)
	})
	if s.memory == nil || s.memory.entries.Len() == 0 {
		return disk
	}
	return merged(disk, s.memory.entriesIn(f), bytes.Compare)
}

// step returns an entry that is asked for, or errPassOver and where to go on.
func (f *finder) step(key []byte) (entry, next []byte, err error) {
	for bytes.Compare(key, f.upper[f.at]) >= 0 {
		f.at++ // there is another: the scan ends with the last
	}
	if bytes.Compare(key, f.lower[f.at]) < 0 {
		return nil, f.lower[f.at], errPassOver
	}
	id, ok := idOf(key)
	if !ok {
		return nil, nil, errMalformed
	}
	if f.after != "" && string(id) <= f.after {
		return nil, slices.Concat(key[:len(key)-len(id)], []byte(f.after), []byte{0}), errPassOver
	}
	return key, nil, nil
}

func (m *memory) entriesIn(f *finder) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		more := true
		for i := range f.lower {
			m.entries.Ascend(string(f.lower[i]), func(key string, _ struct{}) bool {
				if key >= string(f.upper[i]) {
					return false
				}
				if id, ok := idOf([]byte(key)); ok && (f.after == "" || string(id) > f.after) {
					more = yield([]byte(key), nil)
				}
				return more
			})
			if !more {
				return
			}
		}
	}
}

// Named yields the documents of a collection that have one of some ids, which are
// sorted, and each there once.
func (s *Snapshot) Named(index, collection string, ids []string) iter.Seq2[*Document, error] {
	if len(ids) == 0 {
		return func(func(*Document, error) bool) {}
	}
	prefix := appendCollection(nil, index, collection)
	keyOf := func(id string) []byte { return append(prefix[:len(prefix):len(prefix)], id...) }
	disk := func(yield func(*Document, error) bool) {
		rest := ids
		decoded(s, keyOf(ids[0]), append(keyOf(ids[len(ids)-1]), 0), func(key, value []byte) (*Document, []byte, error) {
			id := string(key[len(prefix):])
			for rest[0] < id {
				rest = rest[1:] // there is another: the scan ends with the last
			}
			if rest[0] > id {
				return nil, keyOf(rest[0]), errPassOver
			}
			d, err := decodeDocument(Key{Index: index, Collection: collection, ID: id}, bytes.Clone(value))
			if len(rest) > 1 {
				return d, keyOf(rest[1]), err
			}
			return d, nil, err
		})(yield)
	}
	if s.memory == nil || s.memory.documents.Len() == 0 {
		return disk
	}
	return merged(disk, s.memory.named(keyOf, ids), compareDocuments)
}

func (m *memory) named(keyOf func(string) []byte, ids []string) iter.Seq2[*Document, error] {
	return func(yield func(*Document, error) bool) {
		for _, id := range ids {
			if s, ok := m.documents.Get(string(keyOf(id))); ok && !yield(s.doc, nil) {
				return
			}
		}
	}
}
