package persistence

import (
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/tidwall/btree"
)

// reservedSeqs is for how many changes ahead seqs are reserved on disk, before
// changes of ephemeral documents, which are not synced, are given them.
const reservedSeqs = 1 << 16

// An ephemera is the committer's side of ephemeral documents.
type ephemera struct {
	*memory
	maxBytes, maxLogBytes int64

	changed  bool                        // since readers were given a copy
	bytes    int64                       // of the documents
	logBytes int64                       // of the changes
	expiries btree.Map[string, struct{}] // keys as in the index on disk
	// reserved is the last seq that will not be given out again after a crash. marked are
	// the collections of which the disk says that they have ephemeral documents.
	reserved uint64
	marked   map[string]bool
}

// A remembered change is one of the change log in memory.
type remembered struct {
	change *Change
	bytes  int64
	at     time.Time // on the clock of the committer
}

// ephemeralOverhead is about what a document or a change takes besides its text.
const ephemeralOverhead = 400

func sizeInMemory(d *Document) int64 {
	if d == nil {
		return 0
	}
	return int64(ephemeralOverhead + len(d.Key.Index) + len(d.Key.Collection) + 2*len(d.Key.ID) + len(d.Body) + len(d.Author) + len(d.Updater))
}

// sizeIn is what a document takes of the memory for ephemeral ones.
func (s stored) sizeInMemory() int64 {
	if !s.ephemeral {
		return 0
	}
	return sizeInMemory(s.doc)
}

// place puts a document where it belongs, in place of the one before, and keeps the
// indexes of what expires.
func (c *committer) place(k Key, before, after stored) {
	e := &c.ephemera
	e.bytes += after.sizeInMemory() - before.sizeInMemory()
	switch {
	case after.ephemeral:
		e.documents.Set(string(c.key), after)
	case before.ephemeral:
		e.documents.Delete(string(c.key))
		e.changed = true
	}
	switch {
	case after.doc != nil && !after.ephemeral:
		batchSet(c.batch, c.key, after.value)
		c.overlay[k] = after
	case before.doc != nil && !before.ephemeral:
		batchDelete(c.batch, c.key)
		c.overlay[k] = stored{}
	}
	c.reindex(c.key, before.secondIn(false), after.secondIn(false))
	if was, is := before.secondIn(true), after.secondIn(true); was != is {
		if was > 0 {
			e.expiries.Delete(string(expiryKey(was, c.key)))
		}
		if is > 0 {
			e.expiries.Set(string(expiryKey(is, c.key)), struct{}{})
		}
	}
}

// remember adds a change to the log in memory. The first of a collection, and the first
// of many, have the batch say so, which is then synced before anybody hears of them.
func (c *committer) remember(change *Change) {
	e := &c.ephemera
	e.changed = true
	name := string(appendCollection(nil, change.Key.Index, change.Key.Collection))
	if !e.marked[name] {
		e.marked[name] = true
		lost, _ := e.lost.Get(name)
		batchSet(c.batch, ephemeralKey(name), appendBool(appendUint([]byte{valueFormat}, lost), true))
	}
	if change.Seq > e.reserved {
		e.reserved = change.Seq + reservedSeqs
		batchSet(c.batch, metaReserved(), appendUint([]byte{valueFormat}, e.reserved))
	}
	size := sizeInMemory(change.Before) + sizeInMemory(change.After) + int64(len(change.Origin.Volatile))
	e.logBytes += size
	e.changes.Set(change.Seq, remembered{change: change, bytes: size, at: c.now})
	e.trim(c.now.Add(-c.log.maxAge))
}

// trim forgets the changes that are too many, or from before a time.
func (e *ephemera) trim(before time.Time) {
	for {
		seq, first, ok := e.changes.Min()
		if !ok || e.logBytes <= e.maxLogBytes && !first.at.Before(before) {
			return
		}
		e.changes.PopMin()
		e.changed = true
		e.logBytes -= first.bytes
		k := first.change.Key
		e.lost.Set(string(appendCollection(nil, k.Index, k.Collection)), seq)
	}
}

// admits says whether there is memory for a document in place of the one before.
func (e *ephemera) admits(before stored, w *Write, body []byte) error {
	if !w.Ephemeral || body == nil {
		return nil
	}
	grows := sizeInMemory(&Document{Key: w.Key, Body: body, Author: w.Origin.User}) - before.sizeInMemory()
	if grows > 0 && e.bytes+grows > e.maxBytes {
		return ErrMemoryFull
	}
	return nil
}

// ephemeralKey says of a collection, by the beginning of its documents' keys, that it has,
// or had, ephemeral documents.
func ephemeralKey(name string) []byte {
	return append([]byte{spaceEphemeral}, name[1:]...)
}

// loadEphemera finds out which changes of ephemeral documents there were that are gone. No
// seq that one of them may have had is given out again, and whoever knows of one of them
// knows less than what is lost.
func loadEphemera(db *pebble.DB, o Options, log *changeLog) (ephemera, error) {
	e := ephemera{memory: newMemory(), maxBytes: o.EphemeralBytes, maxLogBytes: o.EphemeralLogBytes, marked: map[string]bool{}}
	value, err := getValue(db, metaReserved())
	if errors.Is(err, ErrNotFound) {
		return e, nil
	}
	if err != nil {
		return e, err
	}
	r := reader{rest: value}
	r.format()
	e.reserved = r.uint()
	if err := r.end(); err != nil {
		return e, fmt.Errorf("reserved seqs: %w", err)
	}
	log.last = max(log.last, e.reserved)
	lived, err := e.readMarks(db)
	if err != nil {
		return e, err
	}
	e.lost.Scan(func(_ string, lost uint64) bool {
		log.last = max(log.last, lost)
		return true
	})
	if len(lived) == 0 {
		return e, nil
	}
	log.last++ // of no change: nobody knows of it
	b := db.NewBatch()
	for _, name := range lived {
		e.lost.Set(name, log.last)
		batchSet(b, ephemeralKey(name), appendBool(appendUint([]byte{valueFormat}, log.last), false))
	}
	batchSet(b, metaLog(), appendLogState(nil, log))
	return e, errors.Join(db.Apply(b, pebble.NoSync), b.Close())
}

// readMarks reads what is lost of each collection, and returns those that had changes since
// the store was opened the last time.
func (e *ephemera) readMarks(db *pebble.DB) (lived []string, err error) {
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: []byte{spaceEphemeral}, UpperBound: spaceEnd(spaceEphemeral)})
	if err != nil {
		return nil, err
	}
	for ok := it.First(); ok; ok = it.Next() {
		r := reader{rest: it.Value()}
		r.format()
		name := string(append([]byte{spaceDocuments}, it.Key()[1:]...))
		e.lost.Set(name, r.uint())
		if r.bool() {
			lived = append(lived, name)
		}
		if err := r.end(); err != nil {
			return nil, errors.Join(fmt.Errorf("ephemeral collection %q: %w", name, err), it.Close())
		}
	}
	return lived, it.Close()
}
