package persistence

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// A checkedIndexes is what a checker knows of indexes.
type checkedIndexes struct {
	indexes
	byNumber map[uint32]*checkedIndex
}

type checkedIndex struct {
	*openIndex
	wanted, found int // entries
}

func (is *checkedIndexes) read(db pebble.Reader) error {
	is.byNumber = map[uint32]*checkedIndex{}
	all, err := readIndexes(db)
	for _, x := range all {
		if is.byNumber[x.number] != nil {
			return fmt.Errorf("two indexes have the number %d", x.number)
		}
		is.byNumber[x.number] = &checkedIndex{openIndex: x}
	}
	is.add(all)
	return err
}

func numberOf(entry []byte) uint32 { return binary.BigEndian.Uint32(entry[1:]) }

// name says which index it is.
func (x *openIndex) name() string {
	return fmt.Sprintf("index %s of %s/%s", x.Name, x.Collection.Index, x.Collection.Name)
}

// found fails if a document is not in an index in which it should be.
func (c *checker) found(d *Document) error {
	of := c.indexed.of[Collection{d.Key.Index, d.Key.Collection}]
	if of == nil || c.indexed.terms == nil {
		return nil
	}
	for _, key := range c.indexed.entriesOf(of, d) {
		x := c.indexed.byNumber[numberOf(key)]
		if !x.complete && d.Key.ID > x.built {
			continue
		}
		switch _, err := getValue(c.db, key); {
		case errors.Is(err, ErrNotFound):
			return fmt.Errorf("document %s is not in the %s as it should be", d.Key, x.name())
		case err != nil:
			return err
		}
		x.wanted++
	}
	return nil
}

// entry is the check of an entry of an index.
func (c *checker) entry(key, _ []byte) error {
	if len(key) < entryPrefix || c.indexed.byNumber[numberOf(key)] == nil {
		return fmt.Errorf("entry %x is of no index that there is", key)
	}
	if _, ok := idOf(key); !ok {
		return fmt.Errorf("entry %x: %w", key, errMalformed)
	}
	c.indexed.byNumber[numberOf(key)].found++
	return nil
}

// endOfEntries is called behind the last entry. If those of an index are as many as
// were wanted, they are the same; else each is compared with its document.
func (c *checker) endOfEntries(complete bool) {
	if !complete || c.indexed.terms == nil {
		return
	}
	for _, x := range c.indexed.byNumber {
		if x.found == x.wanted || c.stopped() != nil {
			continue
		}
		o := pebble.IterOptions{LowerBound: x.entries(), UpperBound: beginningEnd(x.entries())}
		err := c.scan(&o, func(key, _ []byte) {
			if err := c.right(x, key); err != nil {
				c.report.fault(err)
			}
		})
		if err != nil {
			c.report.fault(err)
		}
	}
}

// right fails if an entry does not say of its document what is there.
func (c *checker) right(x *checkedIndex, key []byte) error {
	id, ok := idOf(key)
	if !ok {
		return nil // entry has told
	}
	k := Key{x.Collection.Index, x.Collection.Name, string(id)}
	d, err := getDocument(c.db, k)
	if errors.Is(err, ErrNotFound) {
		return fmt.Errorf("document %s is in the %s, and is not there", k, x.name())
	}
	if err != nil {
		return nil //nolint:nilerr // whoever read the document has told
	}
	of := c.indexed.of[x.Collection]
	if !slices.ContainsFunc(c.indexed.entriesOf(of, d), func(entry []byte) bool { return bytes.Equal(entry, key) }) {
		return fmt.Errorf("document %s is in the %s as it is not", k, x.name())
	}
	return nil
}
