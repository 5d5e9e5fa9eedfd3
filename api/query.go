package api

import (
	"errors"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/rooms"
)

// errPassed says that a document does not match any more when it comes to be
// written.
var errPassed = errors.New("api: the document does not match any more")

// matching returns the ids of the documents that match, of which there may be as
// many as a request may write.
func (c *call) matching(q query) ([]string, scan, error) {
	snap := c.store.Snapshot()
	defer snap.Close()
	var ids []string
	s, err := c.scan(snap, q, "", func(doc *persistence.Document, _ *filter.Document) bool {
		ids = append(ids, doc.Key.ID)
		return len(ids) <= c.opts.ReadDocuments
	})
	if err == nil && len(ids) > c.opts.ReadDocuments {
		err = writeLimit.with(c.opts.ReadDocuments)
	}
	return ids, s, err
}

// still says whether a document matches as of the moment at which it is written.
func (q query) still(before *persistence.Document) error {
	if before == nil {
		return errPassed
	}
	d, err := rooms.Prepare(before)
	if err == nil && !q.filter.Match(d) {
		err = errPassed
	}
	return err
}

// commitAll makes writes, and calls each with those of documents that matched.
func (c *call) commitAll(writes []*persistence.Write, each func(*persistence.Write, outcome)) error {
	outcomes, err := c.commit(writes)
	done := 0
	for i, o := range outcomes {
		if o.change != nil {
			done++
		}
		if !errors.Is(o.err, errPassed) && err == nil {
			each(writes[i], o)
		}
	}
	if err != nil {
		return incomplete.with(done)
	}
	return nil
}

// updated is the answer of updateByQuery, and deleted that of deleteByQuery.
type updated struct {
	manifold
	scan
}

type deleted struct {
	Documents []hit    `json:"documents"`
	IDs       []string `json:"ids"`
	scan
}

func updateByQuery(c *call) (any, error) {
	q, body, err := c.query("query", "changes")
	if err == nil {
		err = c.writable()
	}
	if err != nil {
		return nil, err
	}
	changes, err := c.object("changes", body["changes"])
	if err != nil {
		return nil, err
	}
	ids, s, err := c.matching(q)
	if err != nil {
		return nil, err
	}
	writes := make([]*persistence.Write, len(ids))
	for i, id := range ids {
		k := persistence.Key{Index: c.Index, Collection: c.Collection, ID: id}
		writes[i], err = c.update(k, changes, func(before *persistence.Document) ([]byte, error) {
			if err := q.still(before); err != nil {
				return nil, err
			}
			return c.merged(before.Body, changes)
		})
		if err != nil {
			return nil, err
		}
	}
	result := updated{manifold{Successes: []hit{}, Errors: []failure{}}, s}
	err = c.commitAll(writes, func(w *persistence.Write, o outcome) {
		if o.err != nil {
			e := c.errorOf(o.err)
			result.Errors = append(result.Errors, failure{ID: w.Key.ID, Reason: e.Message, Status: e.Status})
			return
		}
		h := showUpdated(c, o.change, entry{Body: changes})
		h.Status = 200
		result.Successes = append(result.Successes, h)
	})
	return result, err
}

func deleteByQuery(c *call) (any, error) {
	q, _, err := c.query("query")
	if err != nil {
		return nil, err
	}
	source, err := c.bool("source")
	if err != nil {
		return nil, err
	}
	ids, s, err := c.matching(q)
	if err != nil {
		return nil, err
	}
	writes := make([]*persistence.Write, len(ids))
	for i, id := range ids {
		k := persistence.Key{Index: c.Index, Collection: c.Collection, ID: id}
		writes[i] = c.write(k, func(before *persistence.Document) ([]byte, error) { return nil, q.still(before) })
	}
	result := deleted{[]hit{}, []string{}, s}
	var failed error
	err = c.commitAll(writes, func(w *persistence.Write, o outcome) {
		if o.err != nil {
			failed = o.err
			return
		}
		h := hit{ID: w.Key.ID}
		if source {
			h = c.hit(o.change.Before)
		}
		result.Documents, result.IDs = append(result.Documents, h), append(result.IDs, w.Key.ID)
	})
	return result, errors.Join(err, failed)
}
