package persistence

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// ExpiryProtocol is the Origin.Protocol of a change that deletes a document
// because it has expired. Nobody else is its author.
const ExpiryProtocol = "ttl"

// maxDue is how many documents or retained messages expire at a time, before
// others have their turn.
const maxDue = 1024

// An expiries knows up to when everything that has expired is gone. It belongs to
// the committer.
type expiries struct {
	// from is the first key of the index that may be there. What was before it is
	// deleted: to walk over that again would take longer each time.
	from []byte
	// due holds a token while there is more to do at once.
	due chan struct{}
}

// secondOf returns the second in which something that expires at t is gone, 0 for
// never: the first one that is not before t.
func secondOf(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	s := t.Unix()
	if t.Nanosecond() > 0 {
		s++
	}
	return uint64(max(s, 1))
}

// expiryKey is the key of the index entry of a target.
func expiryKey(second uint64, target []byte) []byte {
	return append(appendSeqKey(nil, spaceExpiries, second), target...)
}

// cutExpiryKey is the inverse of expiryKey.
func cutExpiryKey(key []byte) (second uint64, target []byte, ok bool) {
	if len(key) < 10 {
		return 0, nil, false
	}
	return binary.BigEndian.Uint64(key[1:9]), key[9:], true
}

// reindex has a target expire in another second than before; 0 is never.
func (c *committer) reindex(target []byte, before, after uint64) {
	if before == after {
		return
	}
	if before > 0 {
		batchDelete(c.batch, expiryKey(before, target))
	}
	if after > 0 {
		key := expiryKey(after, target)
		batchSet(c.batch, key, []byte{valueFormat})
		if bytes.Compare(key, c.expiries.from) < 0 {
			c.expiries.from = key
		}
	}
}

// expire deletes what has expired, in a group like that of any other ops, and
// sees to it that it is called again at once while there is more.
func (c *committer) expire(groups chan<- group) {
	ops, err := c.due()
	if err != nil {
		c.store.opts.Log.Error("expire", "error", err)
		return
	}
	for len(ops) > 0 {
		g := c.group(ops)
		ops = ops[len(g.results):]
		groups <- g
	}
}

// due returns the ops that delete what has expired.
func (c *committer) due() (ops []*Op, err error) {
	end := appendSeqKey(nil, spaceExpiries, uint64(max(c.clock.now().Unix(), 0))+1)
	c.ephemera.expiries.Scan(func(key string, _ struct{}) bool {
		second, target, _ := cutExpiryKey([]byte(key))
		if key >= string(end) || len(ops) == maxDue {
			return false
		}
		ops = append(ops, c.expiry(second, target, nil))
		return true
	})
	if len(ops) == maxDue {
		tell(c.expiries.due)
		return ops, nil
	}
	it, err := c.db.NewIter(&pebble.IterOptions{LowerBound: c.expiries.from, UpperBound: end})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for ok := it.First(); ok; ok = it.Next() {
		second, target, ok := cutExpiryKey(it.Key())
		if !ok {
			return nil, fmt.Errorf("expiry key %x: %w", it.Key(), errMalformed)
		}
		if len(ops) == maxDue {
			c.expiries.from = bytes.Clone(it.Key())
			tell(c.expiries.due)
			return ops, nil
		}
		ops = append(ops, c.expiry(second, bytes.Clone(target), bytes.Clone(it.Key())))
	}
	if err := it.Error(); err != nil {
		return nil, err
	}
	c.expiries.from = end
	return ops, nil
}

// expiry returns the op that deletes a target, if it is to expire in that second
// still, and its entry on disk, nil for none, in any case.
func (c *committer) expiry(second uint64, target, entry []byte) *Op {
	op := &Op{}
	if k, ok := cutDocumentKey(target); ok {
		op.Write = &Write{Key: k, Time: c.clock.now(), Origin: Origin{Protocol: ExpiryProtocol}, due: second}
	} else {
		op.Records = append(op.Records, Record{action: recordExpire, key: target, due: second})
	}
	if entry != nil {
		op.Records = append(op.Records, Record{action: recordDelete, key: entry})
	}
	return op
}
