package api

import (
	"encoding/json"
	"errors"

	"github.com/ambitmq/ambit/persistence"
)

// A failure is an entry that was not written, and why.
type failure struct {
	Document json.RawMessage `json:"document,omitempty"`
	ID       string          `json:"_id,omitempty"`
	Reason   string          `json:"reason"`
	Status   int             `json:"status"`
}

// A manifold is what became of many entries. With strict it is an error if any
// failed; the others are written all the same.
type manifold struct {
	Successes []hit     `json:"successes"`
	Errors    []failure `json:"errors"`
}

// many writes the documents that the body lists.
func (w writer) many(c *call) (any, error) {
	if err := c.writable(); err != nil {
		return nil, err
	}
	strict, err := c.bool("strict")
	if err != nil {
		return nil, err
	}
	raw, err := c.documents()
	if err != nil {
		return nil, err
	}
	result := manifold{Successes: []hit{}, Errors: []failure{}}
	var writes []*persistence.Write
	var entries []entry
	var texts []json.RawMessage
	for _, text := range raw {
		var e entry
		if json.Unmarshal(text, &e) != nil {
			err = invalidType.with("documents", "array of objects")
			return nil, err
		}
		write, err := w.plan(c, e)
		if err != nil {
			result.fail(c, text, err)
			continue
		}
		writes, entries, texts = append(writes, write), append(entries, e), append(texts, text)
	}
	outcomes, err := c.commit(writes)
	if err != nil {
		return nil, err
	}
	for i, o := range outcomes {
		if o.err != nil {
			result.fail(c, texts[i], o.err)
			continue
		}
		h := w.show(c, o.change, entries[i])
		if h.Status = 200; o.change.Before == nil {
			h.Status = 201
		}
		result.Successes = append(result.Successes, h)
	}
	if strict && len(result.Errors) > 0 {
		return nil, incompleteOf(w.what, result.Errors)
	}
	return result, nil
}

func (m *manifold) fail(c *call, text json.RawMessage, err error) {
	e := c.errorOf(err)
	m.Errors = append(m.Errors, failure{Document: text, Reason: e.Message, Status: e.Status})
}

func incompleteOf(what string, errors any) *Error {
	e := incompleteAll.with(what)
	e.Errors = errors
	return e
}

// documents returns the list in the body.
func (c *call) documents() ([]json.RawMessage, error) {
	body, err := c.body()
	if err != nil {
		return nil, err
	}
	raw, ok := body["documents"]
	if !ok {
		return nil, missing.with("documents")
	}
	var all []json.RawMessage
	if json.Unmarshal(raw, &all) != nil {
		return nil, invalidType.with("documents", "array of objects")
	}
	if len(all) > c.opts.WriteDocuments {
		return nil, writeLimit.with(c.opts.WriteDocuments)
	}
	return all, nil
}

func deleteDocuments(c *call) (any, error) {
	if err := c.collection(); err != nil {
		return nil, err
	}
	strict, err := c.bool("strict")
	if err != nil {
		return nil, err
	}
	ids, err := c.ids(c.opts.WriteDocuments, writeLimit)
	if err != nil {
		return nil, err
	}
	var result struct {
		Successes []string  `json:"successes"`
		Errors    []failure `json:"errors"`
	}
	result.Successes, result.Errors = []string{}, []failure{}
	fail := func(id string, err error) {
		e := c.errorOf(err)
		result.Errors = append(result.Errors, failure{ID: id, Reason: e.Message, Status: e.Status})
	}
	var writes []*persistence.Write
	for _, id := range ids {
		if w, err := planDelete(c, entry{ID: id}); err != nil {
			fail(id, err)
		} else {
			writes = append(writes, w)
		}
	}
	outcomes, err := c.commit(writes)
	if err != nil {
		return nil, err
	}
	for i, o := range outcomes {
		if id := writes[i].Key.ID; o.err != nil {
			fail(id, o.err)
		} else {
			result.Successes = append(result.Successes, id)
		}
	}
	if strict && len(result.Errors) > 0 {
		return nil, incompleteOf("delete", result.Errors)
	}
	return result, nil
}

// lookUp calls found for each of the documents that the request lists, as of one
// moment, and returns the ids of those that are not there.
func (c *call) lookUp(found func(*persistence.Document) error) (missing []string, err error) {
	if err := c.collection(); err != nil {
		return nil, err
	}
	strict, err := c.bool("strict")
	if err != nil {
		return nil, err
	}
	ids, err := c.ids(c.opts.ReadDocuments, getLimit)
	if err != nil {
		return nil, err
	}
	snap := c.store.Snapshot()
	defer snap.Close()
	missing = []string{}
	for _, id := range ids {
		if err := c.ctx.Err(); err != nil {
			return nil, err
		}
		doc, err := snap.Get(persistence.Key{Index: c.Index, Collection: c.Collection, ID: id})
		switch {
		case errors.Is(err, persistence.ErrNotFound):
			missing = append(missing, id)
			continue
		case err == nil:
			var ok bool
			if ok, err = c.sees(doc); err == nil && !ok {
				missing = append(missing, id)
				continue
			}
			if err == nil {
				err = found(doc)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	if strict && len(missing) > 0 {
		return nil, incompleteOf("get", missing)
	}
	return missing, nil
}

func getDocuments(c *call) (any, error) {
	successes, size := []hit{}, 0
	missing, err := c.lookUp(func(doc *persistence.Document) error {
		if size += len(doc.Body); size > c.opts.PageBytes {
			return longAnswer.with(size, c.opts.PageBytes)
		}
		successes = append(successes, c.hit(doc))
		return nil
	})
	return struct {
		Successes []hit    `json:"successes"`
		Errors    []string `json:"errors"`
	}{successes, missing}, err
}

func documentsExist(c *call) (any, error) {
	successes := []string{}
	missing, err := c.lookUp(func(doc *persistence.Document) error {
		successes = append(successes, doc.Key.ID)
		return nil
	})
	return struct {
		Successes []string `json:"successes"`
		Errors    []string `json:"errors"`
	}{successes, missing}, err
}
