package persistence

import (
	"bytes"
	"errors"

	"github.com/cockroachdb/pebble/v2"
)

// getValue returns a copy of the value of key, or ErrNotFound as it is.
func getValue(db pebble.Reader, key []byte) ([]byte, error) {
	value, closer, err := db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	value = bytes.Clone(value)
	return value, closer.Close()
}

func getDocument(db pebble.Reader, k Key) (*Document, error) {
	value, err := getValue(db, appendDocumentKey(nil, k))
	if err != nil {
		return nil, err
	}
	return decodeDocument(k, value)
}

// readLogState returns the zero state for a database without a change.
func readLogState(db pebble.Reader) (logState, error) {
	value, err := getValue(db, metaLog())
	if errors.Is(err, ErrNotFound) {
		return logState{}, nil
	}
	if err != nil {
		return logState{}, err
	}
	return decodeLogState(value)
}

// keysBetween returns copies of the keys in [lower, upper).
func keysBetween(db pebble.Reader, lower, upper []byte) ([][]byte, error) {
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return nil, err
	}
	var keys [][]byte
	for ok := it.First(); ok; ok = it.Next() {
		keys = append(keys, bytes.Clone(it.Key()))
	}
	return keys, it.Close()
}

// A batch is memory; adding to it does not fail.

func batchSet(b *pebble.Batch, key, value []byte) { _ = b.Set(key, value, nil) }

func batchDelete(b *pebble.Batch, key []byte) { _ = b.Delete(key, nil) }

func batchDeleteRange(b *pebble.Batch, start, end []byte) { _ = b.DeleteRange(start, end, nil) }
