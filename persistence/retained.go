package persistence

import (
	"bytes"
	"errors"
	"fmt"
	"iter"

	"github.com/cockroachdb/pebble/v2"
)

// A retention is what the committer must know of a topic's retained message.
type retention struct {
	there  bool
	second uint64 // in which it expires, 0 for never
}

// retentionIn reads that from a stored message.
func retentionIn(key, value []byte) (retention, error) {
	m, err := decodeRetained(key, value)
	return retention{there: true, second: secondOf(m.Properties.Expiry)}, err
}

// lookUpRetained finds out what there is of the retained messages that op is about,
// before anything of it is written.
func (c *committer) lookUpRetained(op *Op) error {
	for _, r := range op.Records {
		if r.key[0] != spaceRetained {
			continue
		}
		if _, ok := c.retentions[string(r.key)]; ok {
			continue
		}
		value, closer, err := c.db.Get(r.key)
		if errors.Is(err, pebble.ErrNotFound) {
			c.retentions[string(r.key)] = retention{}
			continue
		}
		if err != nil {
			return fmt.Errorf("read retained message of %q: %w", r.key[1:], err)
		}
		known, err := retentionIn(r.key, value)
		if err := errors.Join(err, closer.Close()); err != nil {
			return err
		}
		c.retentions[string(r.key)] = known
	}
	return nil
}

// retain adds a record of a retained message to the batch: it counts them, and
// keeps the index of when they expire.
func (c *committer) retain(r Record) {
	before := c.retentions[string(r.key)]
	after := before
	switch r.action {
	case recordPut:
		after = retention{there: true, second: secondOf(r.expires)}
		batchSet(c.batch, r.key, r.value)
	case recordExpire:
		if before.second != r.due {
			return
		}
		after = retention{}
	case recordDelete, recordDropSession, recordDropQueue, recordDequeue:
		after = retention{}
	}
	if before.there && !after.there {
		batchDelete(c.batch, r.key)
	}
	c.reindex(r.key, before.second, after.second)
	if before.there != after.there {
		n := c.store.retained.Add(countOf(after.there) - countOf(before.there))
		batchSet(c.batch, metaRetained(), appendUint([]byte{valueFormat}, uint64(n)))
	}
	c.retentions[string(r.key)] = after
}

func countOf(there bool) int64 {
	if there {
		return 1
	}
	return 0
}

// loadRetained returns the number of retained messages. In a directory of a version
// that did not count them, or that never had any, it counts them, and indexes when they
// expire.
func loadRetained(db *pebble.DB) (int64, error) {
	value, err := getValue(db, metaRetained())
	if err == nil {
		r := reader{rest: value}
		r.format()
		n := int64(r.uint())
		return n, r.end()
	}
	if !errors.Is(err, ErrNotFound) {
		return 0, err
	}
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: []byte{spaceRetained}, UpperBound: spaceEnd(spaceRetained)})
	if err != nil {
		return 0, err
	}
	b := db.NewBatch()
	n := int64(0)
	for ok := it.First(); ok; ok = it.Next() {
		known, err := retentionIn(it.Key(), it.Value())
		if err != nil {
			return 0, errors.Join(err, it.Close(), b.Close())
		}
		if n++; known.second > 0 {
			batchSet(b, expiryKey(known.second, it.Key()), []byte{valueFormat})
		}
	}
	if n > 0 {
		batchSet(b, metaRetained(), appendUint([]byte{valueFormat}, uint64(n)))
	}
	return n, errors.Join(it.Close(), db.Apply(b, pebble.NoSync), b.Close())
}

// Retained returns the number of retained messages, with those that have expired
// and are not deleted yet.
func (s *Store) Retained() int64 { return s.retained.Load() }

// RetainedMessage returns that of a topic, or ErrNotFound. It may have expired.
func (s *Snapshot) RetainedMessage(topic string) (Retained, error) {
	key := nameKey(spaceRetained, topic)
	value, err := s.value(key)
	if err != nil {
		return Retained{}, err
	}
	return decodeRetained(key, value)
}

// RetainedMessages yields those of the topics that begin with prefix, are greater
// than after, and for which keep, if it is not nil, returns true. They come in the order of
// the bytes of their topics, also those that have expired. Whoever reads slowly
// should stop now and then and go on after the last topic: an iteration holds memory.
func (s *Snapshot) RetainedMessages(prefix, after string, keep func(topic string) bool) iter.Seq2[Retained, error] {
	first := nameKey(spaceRetained, prefix)
	lower := first
	if after >= prefix && after != "" {
		lower = append(nameKey(spaceRetained, after), 0)
	}
	return decoded(s, lower, beginningEnd(first), func(key, value []byte) (r Retained, next []byte, err error) {
		if keep != nil && !keep(string(key[1:])) {
			return r, nil, errPassOver
		}
		r, err = decodeRetained(key, bytes.Clone(value))
		return r, nil, err
	})
}
