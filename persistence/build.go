package persistence

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

const (
	// An index is built by ops of the committer, of so many documents or bytes, between
	// which others have their turn.
	maxBuildDocuments = 256
	maxBuildBytes     = 1 << 20
)

// A build is a step of making an index.
type build struct{ index *openIndex }

// buildIndexes takes a step, and sees to it that it is called again while there are
// more. An index that cannot be built is not used, and tried again after a restart.
func (c *committer) buildIndexes(groups chan<- group) {
	for _, of := range c.indexes.of {
		for _, x := range of.all {
			if x.complete || x.failed {
				continue
			}
			if c.store.space.short.Load() {
				return // keepHouse comes back to it
			}
			g := c.group([]*Op{{build: &build{x}}})
			if err := g.results[0].Err; err != nil {
				c.store.opts.Log.Error("an index cannot be built", "collection", x.Collection.Index+"/"+x.Collection.Name, "index", x.Name, "error", err)
				x.failed = true
			}
			groups <- g
			tell(c.indexes.due)
			return
		}
	}
}

// wake has indexes be built, if there are any to build.
func (is *indexes) wake() {
	for _, of := range is.of {
		for _, x := range of.all {
			if !x.complete && !x.failed {
				tell(is.due)
			}
		}
	}
}

// extend adds some documents to an index, and notes how far it has come, in one
// batch. It adds them as they are at that very step, so that what is written
// meanwhile is right in any case.
func (c *committer) extend(b *build) (err error) {
	c.apply() // so that what this group wrote is found, too
	x := b.index
	prefix := appendCollection(nil, x.Collection.Index, x.Collection.Name)
	lower := prefix
	if x.built != "" {
		lower = append(append(prefix[:len(prefix):len(prefix)], x.built...), 0)
	}
	it, err := c.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: prefixEnd(prefix)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	alone := &collectionIndexes{all: []*openIndex{x}, names: []string{x.Name}}
	next, size, more := *x, 0, it.First()
	for n := 0; more && n < maxBuildDocuments && size < maxBuildBytes; n++ {
		value, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		next.built = string(it.Key()[len(prefix):])
		d, err := decodeDocument(Key{x.Collection.Index, x.Collection.Name, next.built}, bytes.Clone(value))
		if err != nil {
			return err
		}
		for _, key := range c.indexes.entriesOf(alone, d) {
			batchSet(c.batch, key, []byte{valueFormat})
		}
		size += len(value)
		more = it.Next()
	}
	if err := it.Error(); err != nil {
		return fmt.Errorf("read the documents of %s/%s: %w", x.Collection.Index, x.Collection.Name, err)
	}
	if !more {
		next.complete, next.built = true, ""
		c.store.opts.Log.Info("an index is complete", "collection", x.Collection.Index+"/"+x.Collection.Name, "index", x.Name)
	}
	*x = next
	batchSet(c.batch, indexKey(x.Index), x.value())
	return nil
}
