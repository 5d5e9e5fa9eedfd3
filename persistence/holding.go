package persistence

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// A Holding is what one user keeps: the documents on disk of which it is the author, and how
// many bytes their keys and bodies have.
type Holding struct{ Documents, Bytes int64 }

// A QuotaError says that a write would have a user keep more than it may.
type QuotaError struct {
	User string
	What string // "documents" or "bytes"
	Max  int64
}

func (e *QuotaError) Error() string {
	who := "who did not sign in"
	if e.User != "" {
		who = fmt.Sprintf("the user %q", e.User)
	}
	what := "documents"
	if e.What == "bytes" {
		what = "bytes of documents"
	}
	return fmt.Sprintf("%s may keep no more than %d %s in all", who, e.Max, what)
}

// holdings are those of all users that keep anything, by name. They belong to the committer.
type holdings struct {
	refused func()
	of      map[string]Holding
	dirty   map[string]bool // are to be written with the batch
}

// holdingOf returns what a document counts for its author.
func holdingOf(d *Document) Holding {
	return Holding{1, int64(len(d.Key.Index) + len(d.Key.Collection) + len(d.Key.ID) + len(d.Body))}
}

func (h Holding) plus(by Holding, sign int64) Holding {
	return Holding{h.Documents + sign*by.Documents, h.Bytes + sign*by.Bytes}
}

// change notes that a document is another one, where what is nil is not on disk. The error
// is a *QuotaError about limit, and then nothing is noted. The author of a document stays the same as long
// as there is one, but for one that was ephemeral.
func (h *holdings) change(limit Holding, before, after *Document) error {
	if after != nil {
		now := h.of[after.Author]
		next := now.plus(holdingOf(after), 1)
		if before != nil && before.Author == after.Author {
			next = next.plus(holdingOf(before), -1)
		}
		for _, q := range []struct {
			what           string
			now, next, max int64
		}{{"documents", now.Documents, next.Documents, limit.Documents}, {"bytes", now.Bytes, next.Bytes, limit.Bytes}} {
			if q.max > 0 && q.next > q.max && q.next > q.now { // who has too much may still have less
				if h.refused != nil {
					h.refused()
				}
				return &QuotaError{after.Author, q.what, q.max}
			}
		}
	}
	if before != nil {
		h.set(before.Author, h.of[before.Author].plus(holdingOf(before), -1))
	}
	if after != nil {
		h.set(after.Author, h.of[after.Author].plus(holdingOf(after), 1))
	}
	return nil
}

func (h *holdings) set(user string, to Holding) {
	h.dirty[user] = true
	if to == (Holding{}) {
		delete(h.of, user)
		return
	}
	h.of[user] = to
}

// write adds to a batch what has changed since the last one: once for each user.
func (h *holdings) write(b *pebble.Batch) {
	for user := range h.dirty {
		if to, ok := h.of[user]; ok {
			batchSet(b, nameKey(spaceHoldings, user), appendHolding(nil, to))
		} else {
			batchDelete(b, nameKey(spaceHoldings, user))
		}
	}
	clear(h.dirty)
}

func appendHolding(b []byte, h Holding) []byte {
	return appendUint(appendUint(append(b, valueFormat), uint64(h.Documents)), uint64(h.Bytes))
}

func decodeHolding(value []byte) (Holding, error) {
	r := reader{rest: value}
	r.format()
	h := Holding{int64(r.uint()), int64(r.uint())}
	return h, r.end()
}

// loadHoldings returns what users keep. In a directory of a version that did not count that,
// it counts it.
func loadHoldings(db *pebble.DB, o Options) (*holdings, error) {
	h := &holdings{refused: o.Refused, of: map[string]Holding{}, dirty: map[string]bool{}}
	_, err := getValue(db, metaHoldings())
	space := spaceHoldings
	if errors.Is(err, ErrNotFound) {
		space, err = spaceDocuments, nil
	}
	if err != nil {
		return nil, err
	}
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: []byte{space}, UpperBound: spaceEnd(space)})
	if err != nil {
		return nil, err
	}
	for ok := it.First(); ok; ok = it.Next() {
		if err := h.load(space, it.Key(), it.Value()); err != nil {
			return nil, errors.Join(err, it.Close())
		}
	}
	if err := it.Close(); err != nil || space == spaceHoldings {
		return h, err
	}
	b := db.NewBatch()
	h.write(b)
	batchSet(b, metaHoldings(), []byte{valueFormat})
	return h, errors.Join(db.Apply(b, pebble.NoSync), b.Close())
}

// load notes a record of the holdings, or a document.
func (h *holdings) load(space byte, key, value []byte) error {
	if space == spaceHoldings {
		to, err := decodeHolding(value)
		h.of[string(key[1:])] = to
		return err
	}
	k, ok := cutDocumentKey(key)
	if !ok {
		return fmt.Errorf("document key %q: %w", key, errMalformed)
	}
	d, err := decodeDocument(k, value)
	if err == nil {
		h.set(d.Author, h.of[d.Author].plus(holdingOf(d), 1))
	}
	return err
}

// holds notes what a document counts for its author.
func (c *checker) holds(d *Document) {
	if c.holdings == nil {
		c.holdings = map[string]Holding{}
	}
	c.holdings[d.Author] = c.holdings[d.Author].plus(holdingOf(d), 1)
}

// holding is the check of what is counted of a user. The documents came before it.
func (c *checker) holding(key, value []byte) error {
	user := string(key[1:])
	counted, err := decodeHolding(value)
	if err != nil {
		return fmt.Errorf("what %q keeps: %w", user, err)
	}
	has := c.holdings[user]
	delete(c.holdings, user)
	if c.documentsRead && counted != has {
		return fmt.Errorf("%q keeps %d documents of %d bytes, and %d of %d were counted", user, has.Documents, has.Bytes, counted.Documents, counted.Bytes)
	}
	return nil
}

// endOfHoldings is called behind the last of them.
func (c *checker) endOfHoldings(complete bool) {
	_, err := getValue(c.db, metaHoldings())
	if !complete || !c.documentsRead || c.stopped() != nil || errors.Is(err, ErrNotFound) { // not counted yet
		return
	}
	for user, has := range c.holdings {
		c.report.fault(fmt.Errorf("%q keeps %d documents of %d bytes, and none were counted", user, has.Documents, has.Bytes))
	}
}
