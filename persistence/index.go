package persistence

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// An Index is a search index that a collection is declared to have. It holds the
// documents of the collection under their terms, is written with them, and survives
// what they survive.
type Index struct {
	Collection Collection
	// Name tells [Options.Terms] what the terms are. It is kept on disk: an index of
	// another name is built anew.
	Name string
}

// Terms calls add for each term that d has in one of some indexes, by its place
// among their names, in any order and as often as it likes. It depends on nothing
// else. Add copies the term.
type Terms func(d *Document, names []string, add func(place int, term []byte))

// An openIndex is one that is kept. What the committer has of it is written by the
// committer alone.
type openIndex struct {
	Index
	number   uint32 // the beginning of its keys
	complete bool   // all documents are in it
	built    string // if not, the documents up to this id are, and those written since
	failed   bool   // it could not be built
}

// indexKey is where an index is described.
func indexKey(x Index) []byte {
	b := appendPart([]byte{spaceIndexes}, x.Collection.Index)
	return append(appendPart(b, x.Collection.Name), x.Name...)
}

func (x *openIndex) value() []byte {
	b := appendUint([]byte{valueFormat}, uint64(x.number))
	b = appendBool(b, x.complete)
	return appendString(b, x.built)
}

func decodeIndex(key, value []byte) (*openIndex, error) {
	index, rest, ok := cutPart(key[1:])
	collection, name, isName := cutPart(rest)
	if !ok || !isName {
		return nil, fmt.Errorf("index key %q: %w", key, errMalformed)
	}
	x := &openIndex{Index: Index{Collection{index, collection}, string(name)}}
	r := reader{rest: value}
	r.format()
	x.number, x.complete, x.built = r.uint32(), r.bool(), r.string()
	if err := r.end(); err != nil {
		return nil, fmt.Errorf("index %s of %s/%s: %w", name, index, collection, err)
	}
	return x, nil
}

// entries is the beginning of the keys of an index.
func (x *openIndex) entries() []byte { return entriesOf(x.number) }

func entriesOf(number uint32) []byte {
	return []byte{spaceTerms, byte(number >> 24), byte(number >> 16), byte(number >> 8), byte(number)}
}

const entryPrefix = 5 // bytes of the space and the number

// idOf returns the id of the document of an entry.
func idOf(entry []byte) (id []byte, ok bool) {
	for i := entryPrefix; i+1 < len(entry); i++ {
		if entry[i] != escape {
			continue
		}
		if entry[i+1] == terminator {
			return entry[i+2:], true
		}
		i++
	}
	return nil, false
}

// An indexes is those that are kept, of each collection. It belongs to the
// committer.
type indexes struct {
	terms Terms
	of    map[Collection]*collectionIndexes
	// due holds a token while an index is to be built.
	due chan struct{}
}

type collectionIndexes struct {
	all   []*openIndex
	names []string
}

// readIndexes returns the indexes that a database has.
func readIndexes(db pebble.Reader) (all []*openIndex, err error) {
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: []byte{spaceIndexes}, UpperBound: spaceEnd(spaceIndexes)})
	if err != nil {
		return nil, err
	}
	for ok := it.First(); ok; ok = it.Next() {
		x, err := decodeIndex(it.Key(), it.Value())
		if err != nil {
			return nil, errors.Join(err, it.Close())
		}
		all = append(all, x)
	}
	return all, it.Close()
}

// openIndexes drops the indexes that are not declared any more, and begins those
// that have come to be.
func openIndexes(db *pebble.DB, o Options) (indexes, error) {
	is := indexes{terms: o.Terms, due: make(chan struct{}, 1)}
	kept, err := readIndexes(db)
	if err != nil {
		return is, err
	}
	declared := o.Indexes
	if o.KeepIndexes {
		declared = nil
		for _, x := range kept {
			declared = append(declared, x.Index)
		}
	}
	if o.Terms == nil {
		declared = nil
	}
	b := db.NewBatch()
	numbers := uint32(0)
	kept = slices.DeleteFunc(kept, func(x *openIndex) bool {
		numbers = max(numbers, x.number)
		if slices.Contains(declared, x.Index) {
			return false
		}
		o.Log.Info("an index is dropped", "collection", x.Collection.Index+"/"+x.Collection.Name, "index", x.Name)
		batchDelete(b, indexKey(x.Index))
		batchDeleteRange(b, x.entries(), beginningEnd(x.entries()))
		return true
	})
	for _, d := range declared {
		if slices.ContainsFunc(kept, func(x *openIndex) bool { return x.Index == d }) {
			continue
		}
		numbers++
		x := &openIndex{Index: d, number: numbers}
		if x.complete, err = isEmpty(db, d.Collection); err != nil {
			return is, errors.Join(err, b.Close())
		}
		batchSet(b, indexKey(d), x.value())
		kept = append(kept, x)
	}
	is.add(kept)
	if b.Empty() {
		return is, b.Close()
	}
	return is, errors.Join(db.Apply(b, pebble.NoSync), b.Close())
}

// openIndexesOf is openIndexes of a store whose directory says before that it has any, and
// after that it has none, so that no program ever finds one that it does not know of.
func openIndexesOf(dir string, db *pebble.DB, o Options) (indexes, error) {
	if len(o.Indexes) > 0 {
		if err := setFormat(o.FS, dir, indexFormat); err != nil {
			return indexes{}, err
		}
	}
	is, err := openIndexes(db, o)
	if err != nil || o.KeepIndexes {
		return is, err
	}
	if len(is.of) == 0 {
		err = errors.Join(db.LogData(nil, pebble.Sync), setFormat(o.FS, dir, plainFormat))
	} else {
		err = setFormat(o.FS, dir, indexFormat) // an earlier build did not say so
	}
	return is, err
}

// isEmpty says whether a collection has no document on disk.
func isEmpty(db pebble.Reader, c Collection) (bool, error) {
	prefix := appendCollection(nil, c.Index, c.Name)
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: prefixEnd(prefix)})
	if err != nil {
		return false, err
	}
	found := it.First()
	return !found, it.Close()
}

func (is *indexes) add(kept []*openIndex) {
	for _, x := range kept {
		if is.of == nil {
			is.of = map[Collection]*collectionIndexes{}
		}
		of := is.of[x.Collection]
		if of == nil {
			of = &collectionIndexes{}
			is.of[x.Collection] = of
		}
		of.all = append(of.all, x)
		of.names = append(of.names, x.Name)
	}
	is.wake()
}

// entriesOf returns the keys of d in the indexes of its collection, in order,
// each once. There are none of nil.
func (is *indexes) entriesOf(of *collectionIndexes, d *Document) [][]byte {
	if d == nil {
		return nil
	}
	var keys [][]byte
	is.terms(d, of.names, func(place int, term []byte) {
		keys = append(keys, entryKey(of.all[place].number, term, d.Key.ID))
	})
	slices.SortFunc(keys, bytes.Compare)
	return slices.CompactFunc(keys, bytes.Equal)
}

func entryKey(number uint32, term []byte, id string) []byte {
	b := make([]byte, 0, entryPrefix+len(term)+8+len(id))
	b = append(b, entriesOf(number)...)
	return append(appendPart(b, string(term)), id...)
}

// keepIndexes has a document be found as it is after a write.
func (c *committer) keepIndexes(before, after stored) {
	if len(c.indexes.of) == 0 {
		return
	}
	d := after.doc
	if d == nil {
		d = before.doc
	}
	of := c.indexes.of[Collection{d.Key.Index, d.Key.Collection}]
	if of == nil {
		return
	}
	old, now := c.indexes.entriesOf(of, before.doc), c.indexes.entriesOf(of, after.doc)
	moved := before.doc != nil && after.doc != nil && before.ephemeral != after.ephemeral
	for len(old) > 0 || len(now) > 0 {
		order := 0
		switch {
		case len(old) == 0:
			order = 1
		case len(now) == 0:
			order = -1
		default:
			order = bytes.Compare(old[0], now[0])
		}
		if order < 0 || order == 0 && moved {
			c.dropEntry(old[0], before.ephemeral)
		}
		if order > 0 || order == 0 && moved {
			c.addEntry(now[0], after.ephemeral)
		}
		if order <= 0 {
			old = old[1:]
		}
		if order >= 0 {
			now = now[1:]
		}
	}
}

func (c *committer) addEntry(key []byte, memory bool) {
	if memory {
		c.ephemera.entries.Set(string(key), struct{}{})
	} else {
		batchSet(c.batch, key, []byte{valueFormat})
	}
}

func (c *committer) dropEntry(key []byte, memory bool) {
	if memory {
		c.ephemera.entries.Delete(string(key))
	} else {
		batchDelete(c.batch, key)
	}
}
