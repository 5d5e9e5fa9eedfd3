package persistence

import (
	"bytes"
	"cmp"
	"errors"
	"iter"
	"strings"

	"github.com/tidwall/btree"
)

// A memory holds ephemeral documents, and what the change log has of them. One that
// readers have is never written again.
type memory struct {
	documents *btree.Map[string, stored]     // by their keys on disk
	changes   *btree.Map[uint64, remembered] // by seq
	entries   *btree.Map[string, struct{}]   // of the documents in indexes, by their keys as on disk
	// lost has for a collection, by the beginning of its documents' keys, the last
	// change of an ephemeral document that the log does not have any more.
	lost *btree.Map[string, uint64]
}

func newMemory() *memory {
	return &memory{new(btree.Map[string, stored]), new(btree.Map[uint64, remembered]), new(btree.Map[string, struct{}]), new(btree.Map[string, uint64])}
}

// copy costs nothing until one of the two is written.
func (m *memory) copy() *memory {
	return &memory{m.documents.Copy(), m.changes.Copy(), m.entries.Copy(), m.lost.Copy()}
}

// document returns that of an encoded key, or ErrNotFound.
func (m *memory) document(key []byte) (*Document, error) {
	s, ok := m.documents.Get(string(key))
	if !ok {
		return nil, ErrNotFound
	}
	return s.doc, nil
}

// documentsFrom yields the documents whose keys begin with prefix, from lower on.
func (m *memory) documentsFrom(lower, prefix []byte) iter.Seq2[*Document, error] {
	return func(yield func(*Document, error) bool) {
		m.documents.Ascend(string(lower), func(key string, s stored) bool {
			return strings.HasPrefix(key, string(prefix)) && yield(s.doc, nil)
		})
	}
}

// collections yields those that hold a document, in the order of their keys.
func (m *memory) collections() iter.Seq2[Collection, error] {
	return func(yield func(Collection, error) bool) {
		from, more := "", true
		for more {
			more = false
			m.documents.Ascend(from, func(_ string, s stored) bool {
				k := s.doc.Key
				from = string(prefixEnd(appendCollection(nil, k.Index, k.Collection)))
				more = yield(Collection{Index: k.Index, Name: k.Collection}, nil)
				return false
			})
		}
	}
}

func (m *memory) changesFrom(first uint64) iter.Seq2[*Change, error] {
	return func(yield func(*Change, error) bool) {
		m.changes.Ascend(first, func(_ uint64, r remembered) bool { return yield(r.change, nil) })
	}
}

// merged yields what two sequences do that are each in order, in order. What compares
// equal is yielded once. Only the first has errors, which end it.
func merged[T any](disk, memory iter.Seq2[T, error], compare func(a, b T) int) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		next, stop := iter.Pull2(memory)
		defer stop()
		m, _, ok := next()
		for d, err := range disk {
			if err != nil {
				yield(d, err)
				return
			}
			order := 1
			for ok {
				if order = compare(m, d); order > 0 {
					break
				}
				if !yield(m, nil) {
					return
				}
				m, _, ok = next()
				if order == 0 {
					break
				}
			}
			if order != 0 && !yield(d, nil) {
				return
			}
		}
		for ok && yield(m, nil) {
			m, _, ok = next()
		}
	}
}

func compareDocuments(a, b *Document) int { return strings.Compare(a.Key.ID, b.Key.ID) }

func compareChanges(a, b *Change) int { return cmp.Compare(a.Seq, b.Seq) }

func compareCollections(a, b Collection) int {
	return bytes.Compare(appendCollection(nil, a.Index, a.Name), appendCollection(nil, b.Index, b.Name))
}

// Lost returns the last change of an ephemeral document of a collection that the
// change log does not have any more, because it outgrew its memory or the store was
// closed since; 0 for none. Whoever knows of less cannot be told all by Changes.
func (s *Snapshot) Lost(index, collection string) uint64 {
	if s.memory == nil {
		return 0
	}
	lost, _ := s.memory.lost.Get(string(appendCollection(nil, index, collection)))
	return lost
}

// orInMemory returns the document of a read from disk, or else the ephemeral one.
func (m *memory) orInMemory(key []byte, d *Document, err error) (*Document, error) {
	if errors.Is(err, ErrNotFound) {
		return m.document(key)
	}
	return d, err
}
