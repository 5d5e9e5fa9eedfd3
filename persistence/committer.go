package persistence

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

const (
	// A group ends at whichever comes first; the bytes are those of its batch.
	maxGroupOps   = 4096
	maxGroupBytes = 4 << 20

	// How often the committer looks at the clock and the disk.
	housekeepingInterval = time.Second
)

// A committer turns queued ops into groups that share a sync. One goroutine
// builds a group while another syncs the one before it, so a slow disk makes
// groups larger and not the queue longer.
type committer struct {
	store *Store
	db    *pebble.DB
	clock clock
	log   changeLog

	bodies map[uint64]int // of each message that waits in several queues, how many

	expiries expiries
	indexes  indexes
	ephemera ephemera
	holdings *holdings

	breath     breath
	batch      *pebble.Batch
	now        time.Time            // of this group
	overlay    map[Key]stored       // what this group wrote
	retentions map[string]retention // what it knows of retained messages, by key
	applied    int                  // bytes of the batches that this group has applied
	unsynced   bool                 // whether they have more than the state of the change log
	key, buf   []byte               // scratch
}

// A group is synced, and told of, as one.
type group struct {
	results  []*Result
	unsynced bool
}

// A stored document has its encoded form beside it, if it is on disk. Both are nil if
// absent.
type stored struct {
	doc       *Document
	value     []byte
	ephemeral bool
}

// second is the one in which a document expires, 0 for never.
func (s stored) second() uint64 {
	if s.doc == nil {
		return 0
	}
	return secondOf(s.doc.Expires)
}

// secondIn is second of what is in memory, or of what is on disk.
func (s stored) secondIn(memory bool) uint64 {
	if s.ephemeral != memory {
		return 0
	}
	return s.second()
}

// build makes groups of the queue's ops and applies them, until the queue is
// closed and empty.
func (c *committer) build(groups chan<- group) {
	defer close(groups)
	tick := time.NewTicker(housekeepingInterval)
	defer tick.Stop()
	defer c.breath.close()
	var ops []*Op
	for more := true; more; {
		select {
		case <-tick.C:
			c.keepHouse()
			c.expire(groups)
			continue
		case <-c.expiries.due:
			c.expire(groups)
			continue
		case <-c.indexes.due:
			c.buildIndexes(groups)
			continue
		case <-c.store.queue.filled:
		}
		ops, more = c.store.queue.take(ops[:0], maxGroupOps)
		for rest := ops; len(rest) > 0; {
			g := c.group(rest)
			rest = rest[len(g.results):]
			groups <- g
		}
		clear(ops)
	}
	_ = c.batch.Close() // it is empty
}

// finish syncs groups, tells of their ops and hands them to the tail.
func (c *committer) finish(groups <-chan group, tail chan<- []*Result) {
	defer close(tail)
	for g := range groups {
		if g.unsynced && !c.store.opts.noSync {
			c.syncTimed(len(g.results))
		}
		for _, r := range g.results {
			if r.Op.Committed != nil {
				r.Op.Committed(r)
			}
		}
		tail <- g.results
	}
}

// syncTimed is sync, with Options.Synced told.
func (c *committer) syncTimed(ops int) {
	began := time.Now()
	c.sync()
	if c.store.opts.Synced != nil {
		c.store.opts.Synced(ops, time.Since(began))
	}
}

// sync returns when everything that was applied is on disk: Pebble's log is one
// sequence, and an empty record that is synced takes all before it along.
func (c *committer) sync() {
	if err := c.db.LogData(nil, pebble.Sync); err != nil {
		c.store.fatal("sync", err)
	}
}

// group takes as many of ops as make up a group.
func (c *committer) group(ops []*Op) group {
	c.now = c.clock.now()
	clear(c.overlay)
	clear(c.retentions)
	c.applied, c.unsynced = 0, false
	c.breath.begin()
	results := make([]Result, len(ops))
	pointers := make([]*Result, 0, len(ops))
	for i, op := range ops {
		r := &results[i]
		if i%16 == 0 {
			c.breath.take()
		}
		c.step(op, r)
		pointers = append(pointers, r)
		if c.applied+c.batch.Len() >= maxGroupBytes {
			break
		}
	}
	if !c.batch.Empty() {
		c.log.retain(c.batch, c.now)
	}
	c.apply()
	return group{results: pointers, unsynced: c.unsynced}
}

// step adds one op to the batch, all of it or nothing.
func (c *committer) step(op *Op, r *Result) {
	r.Op, r.Seq = op, c.log.last
	if c.store.space.short.Load() && op.putsAnything() {
		r.Err = ErrDiskFull // it has come so since the op was appended
		return
	}
	dropped, err := c.droppedKeys(op)
	if err == nil {
		err = c.lookUpRetained(op)
	}
	if err == nil && op.Write != nil {
		r.Change, err = c.write(op.Write)
	}
	r.Seq = c.log.last
	if err == nil && op.build != nil {
		err = c.extend(op.build)
	}
	if err != nil {
		r.Err = fmt.Errorf("persistence: %w", err)
		return
	}
	for i, record := range op.Records {
		c.record(record, dropped, op.Records[:i])
	}
	if op.Queue != nil {
		r.Queued = c.queue(op.Queue, r.Change)
	}
	if op.Snapshot {
		c.apply()
		r.Snapshot = c.store.snapshotOf(logState{last: c.log.last, trimmed: c.log.trimmed})
	}
}

// write adds a document and its change to the batch.
func (c *committer) write(w *Write) (*Change, error) {
	c.key = appendDocumentKey(c.key[:0], w.Key)
	before, err := c.stored(w.Key)
	if err != nil {
		return nil, err
	}
	body := w.Body
	if w.Edit != nil {
		if body, err = w.Edit(before.doc); err != nil {
			return nil, err
		}
	}
	if body == nil && before.doc == nil || w.due > 0 && w.due != before.second() {
		return nil, nil
	}
	if err := c.ephemera.admits(before, w, body); err != nil {
		return nil, err
	}
	change := newChange(c.log.last+1, w, body, before.doc)
	if w.Check != nil {
		if err := w.Check(change); err != nil {
			return nil, err
		}
	}
	if err := c.holdings.change(c.store.keep.Load().PerUser, onDisk(before.doc, before.ephemeral), onDisk(change.After, w.Ephemeral)); err != nil {
		return nil, err
	}
	c.log.last++
	after := stored{doc: change.After, ephemeral: w.Ephemeral && change.After != nil}
	if change.After != nil && !w.Ephemeral {
		after.value = encodeDocument(change.After)
	}
	c.place(w.Key, before, after)
	c.keepIndexes(before, after)
	if after.ephemeral || after.doc == nil && before.ephemeral {
		c.remember(change)
		return change, nil
	}
	if before.ephemeral {
		before.value = encodeDocument(before.doc)
	}
	c.key = appendSeqKey(c.key[:0], spaceChanges, change.Seq)
	c.buf = appendChange(c.buf[:0], change, before.value, after.value, c.log.logged)
	batchSet(c.batch, c.key, c.buf)
	c.log.note(len(c.key)+len(c.buf), c.now)
	return change, nil
}

// onDisk returns a document, or nil if it is in memory only.
func onDisk(d *Document, ephemeral bool) *Document {
	if ephemeral {
		return nil
	}
	return d
}

// stored returns the document that a write finds, whose encoded key is c.key.
func (c *committer) stored(k Key) (stored, error) {
	if s, ok := c.ephemera.documents.Get(string(c.key)); ok {
		return s, nil
	}
	if s, ok := c.overlay[k]; ok {
		return s, nil
	}
	value, err := getValue(c.db, c.key)
	if errors.Is(err, ErrNotFound) {
		return stored{}, nil
	}
	if err != nil {
		return stored{}, fmt.Errorf("read document %s: %w", k, err)
	}
	doc, err := decodeDocument(k, value)
	return stored{doc: doc, value: value}, err
}

// newChange is what w does to the document before, nil for none, when body is
// what becomes of it.
func newChange(seq uint64, w *Write, body []byte, before *Document) *Change {
	c := &Change{Seq: seq, Key: w.Key, Action: Replace, Before: before, Time: w.Time.UTC().Round(0), Origin: w.Origin}
	if body == nil {
		c.Action = Delete
		return c
	}
	c.After = &Document{Key: w.Key, Body: body, Seq: seq, Retained: w.Retained}
	if !w.Expires.IsZero() {
		c.After.Expires = w.Expires.UTC().Round(0)
	}
	if before == nil {
		c.Action = Create
		c.After.Version = 1
		c.After.Author, c.After.CreatedAt = w.Origin.User, c.Time
		return c
	}
	c.After.Version = before.Version + 1
	c.After.Retained = w.Retained || before.Retained
	c.After.Author, c.After.CreatedAt = before.Author, before.CreatedAt
	c.After.Updater, c.After.UpdatedAt = w.Origin.User, c.Time
	return c
}

// record adds a record to the batch. Earlier are those before it in its op,
// dropped the keys that droppedKeys found for the op.
func (c *committer) record(r Record, dropped map[string][][]byte, earlier []Record) {
	if r.key[0] == spaceRetained {
		c.retain(r)
		return
	}
	switch r.action {
	case recordPut:
		batchSet(c.batch, r.key, r.value)
	case recordDelete, recordExpire:
		batchDelete(c.batch, r.key)
	case recordDequeue:
		c.dequeue(r.key)
	case recordDropSession:
		batchDelete(c.batch, r.key)
		c.drop(dropped[string(r.key)])
		for _, e := range earlier {
			if e.action == recordPut && bytes.HasPrefix(e.key, subscriptionsOf(r.clientID)) {
				batchDelete(c.batch, e.key)
			}
		}
	case recordDropQueue:
		c.drop(dropped[string(r.key)])
	}
}

// drop deletes keys that droppedKeys found.
func (c *committer) drop(keys [][]byte) {
	for _, key := range keys {
		if key[0] == spaceQueued {
			c.dequeue(key)
		} else {
			batchDelete(c.batch, key)
		}
	}
}

// droppedKeys finds what goes with the sessions and queues that op deletes, by the
// keys of its records. It is deleted key
// by key: a range tombstone for each client that leaves would slow down all reads.
func (c *committer) droppedKeys(op *Op) (map[string][][]byte, error) {
	if !op.dropsAnything() {
		return nil, nil
	}
	c.apply() // so that what this group wrote is found, too
	dropped := map[string][][]byte{}
	for _, r := range op.Records {
		for _, prefix := range r.drops() {
			keys, err := keysBetween(c.db, prefix, prefixEnd(prefix))
			if err != nil {
				return nil, fmt.Errorf("read the session of %q: %w", r.clientID, err)
			}
			dropped[string(r.key)] = append(dropped[string(r.key)], keys...)
		}
	}
	return dropped, nil
}

// keepHouse does what is due when there is nothing to commit. What it writes
// needs no sync: lost in a crash, it is done again.
func (c *committer) keepHouse() {
	c.store.space.check()
	now := c.clock.now()
	c.ephemera.trim(now.Add(-c.log.maxAge))
	keep := c.store.keep.Load()
	c.log.maxAge, c.log.maxBytes = keep.LogAge, keep.LogBytes
	c.log.retain(c.batch, now)
	c.apply()
	c.indexes.wake()
}

// apply makes what was batched visible, and leaves the sync to finish.
func (c *committer) apply() {
	if c.batch.Empty() && !c.ephemera.changed {
		return
	}
	c.unsynced = c.unsynced || !c.batch.Empty()
	c.holdings.write(c.batch)
	c.buf = appendLogState(c.buf[:0], &c.log)
	batchSet(c.batch, metaLog(), c.buf)
	if c.ephemera.changed {
		c.store.changing.Lock()
		defer c.store.changing.Unlock()
	}
	if err := c.db.Apply(c.batch, pebble.NoSync); err != nil {
		c.store.fatal("apply", err)
	}
	if c.ephemera.changed {
		c.store.memory.Store(c.ephemera.copy())
		c.ephemera.changed = false
	}
	c.applied += c.batch.Len()
	c.store.space.wrote(c.batch.Len())
	_ = c.batch.Close() // never fails after Apply
	c.batch = c.db.NewBatch()
}
