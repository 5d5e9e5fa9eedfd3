package persistence

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/cockroachdb/pebble/v2"
)

// A Snapshot is the store as of one change. It may be used by several
// goroutines and for long, though the disk keeps what it shows until Close.
// When the store is closed its reads fail with ErrClosed.
type Snapshot struct {
	store *Store
	state logState
	// memory has the ephemeral documents; nil if the snapshot could not be made, and why.
	memory *memory
	err    error

	mu   sync.Mutex // guards snap, which is nil once closed
	snap *pebble.Snapshot
}

// Seq is that of the last change in the snapshot, 0 for none.
func (s *Snapshot) Seq() uint64 { return s.state.last }

// Close may be called more than once, and while others read.
func (s *Snapshot) Close() {
	s.store.reads.forget(s)
	s.release()
}

func (s *Snapshot) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.snap != nil {
		_ = s.snap.Close() // never fails
		s.snap = nil
	}
}

// Get returns the document of a key, or ErrNotFound.
func (s *Snapshot) Get(k Key) (*Document, error) {
	key := appendDocumentKey(nil, k)
	value, err := s.value(key)
	if err != nil {
		return s.memory.orInMemory(key, nil, err)
	}
	return decodeDocument(k, value)
}

// value returns a copy of the value of a key, or ErrNotFound.
func (s *Snapshot) value(key []byte) ([]byte, error) {
	if err := s.store.reads.enter(); err != nil {
		return nil, err
	}
	defer s.store.reads.leave()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil || s.snap == nil {
		return nil, s.unusable()
	}
	return getValue(s.snap, key)
}

func (s *Snapshot) unusable() error {
	if s.err != nil {
		return s.err
	}
	return ErrClosed
}

// iterator starts an iterator over [lower, upper).
func (s *Snapshot) iterator(lower, upper []byte) (*pebble.Iterator, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil || s.snap == nil {
		return nil, s.unusable()
	}
	return s.snap.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
}

// scan calls step for the pairs within the bounds, in order, until it returns
// false. The pair is valid during the call. A key that step returns is where
// the scan goes on; nil is for the pair that follows.
func (s *Snapshot) scan(lower, upper []byte, step func(key, value []byte) (next []byte, more bool)) error {
	if err := s.store.reads.enter(); err != nil {
		return err
	}
	defer s.store.reads.leave()
	it, err := s.iterator(lower, upper)
	if err != nil {
		return err
	}
	for ok := it.First(); ok; {
		value, err := it.ValueAndErr()
		if err == nil && s.store.reads.ending() {
			err = ErrClosed
		}
		if err != nil {
			return errors.Join(err, it.Close())
		}
		next, more := step(it.Key(), value)
		switch {
		case !more:
			ok = false
		case next != nil:
			ok = it.SeekGE(next)
		default:
			ok = it.Next()
		}
	}
	return it.Close()
}

// errPassOver says that a pair is none of those that are asked for.
var errPassOver = errors.New("pass over")

// decoded yields what decode makes of every pair within the bounds. An error
// is the last thing it yields, but for errPassOver. A next key from decode is as in scan.
func decoded[T any](s *Snapshot, lower, upper []byte, decode func(key, value []byte) (v T, next []byte, err error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		stopped := false
		var failed error
		err := s.scan(lower, upper, func(key, value []byte) ([]byte, bool) {
			v, next, err := decode(key, value)
			if errors.Is(err, errPassOver) {
				return next, true
			}
			if err != nil {
				failed = err
				return nil, false
			}
			stopped = !yield(v, nil)
			return next, !stopped
		})
		if failed == nil {
			failed = err
		}
		if failed != nil && !stopped {
			var zero T
			yield(zero, fmt.Errorf("persistence: iterate: %w", failed))
		}
	}
}

// Documents yields the documents of a collection in the order of the bytes of
// their ids, from the first id greater than after. Whoever reads slowly should
// stop now and then and go on after the last id: an iteration holds memory.
func (s *Snapshot) Documents(index, collection, after string) iter.Seq2[*Document, error] {
	prefix := appendCollection(nil, index, collection)
	lower := prefix
	if after != "" {
		lower = append(append(prefix[:len(prefix):len(prefix)], after...), 0)
	}
	disk := decoded(s, lower, prefixEnd(prefix), func(key, value []byte) (*Document, []byte, error) {
		k := Key{Index: index, Collection: collection, ID: string(key[len(prefix):])}
		d, err := decodeDocument(k, bytes.Clone(value))
		return d, nil, err
	})
	if s.memory == nil || s.memory.documents.Len() == 0 {
		return disk
	}
	return merged(disk, s.memory.documentsFrom(lower, prefix), compareDocuments)
}

// Collections yields the collections that hold a document, by index and name.
// It costs a seek for each, however many documents they hold.
func (s *Snapshot) Collections() iter.Seq2[Collection, error] {
	disk := decoded(s, []byte{spaceDocuments}, spaceEnd(spaceDocuments), func(key, _ []byte) (Collection, []byte, error) {
		k, ok := cutDocumentKey(key)
		if !ok {
			return Collection{}, nil, fmt.Errorf("document key %q: %w", key, errMalformed)
		}
		next := prefixEnd(appendCollection(nil, k.Index, k.Collection))
		return Collection{Index: k.Index, Name: k.Collection}, next, nil
	})
	if s.memory == nil || s.memory.documents.Len() == 0 {
		return disk
	}
	return merged(disk, s.memory.collections(), compareCollections)
}

// Changes yields the changes after a sequence number, in order. It yields
// ErrTrimmed if the change log does not reach back that far, and nothing if
// after is the last change or a later one. Changes of ephemeral documents that are
// [Snapshot.Lost] are left out.
func (s *Snapshot) Changes(after uint64) iter.Seq2[*Change, error] {
	if s.err == nil && after < s.state.trimmed {
		return func(yield func(*Change, error) bool) { yield(nil, ErrTrimmed) }
	}
	if s.err == nil && after >= s.state.last {
		return func(func(*Change, error) bool) {}
	}
	lower := appendSeqKey(nil, spaceChanges, after+1)
	disk := decoded(s, lower, spaceEnd(spaceChanges), func(key, value []byte) (*Change, []byte, error) {
		seq, ok := seqOf(key)
		if !ok {
			return nil, nil, fmt.Errorf("change key %x: %w", key, errMalformed)
		}
		c, err := decodeChange(seq, bytes.Clone(value))
		return c, nil, err
	})
	if s.memory == nil || s.memory.changes.Len() == 0 {
		return disk
	}
	return merged(disk, s.memory.changesFrom(after+1), compareChanges)
}
