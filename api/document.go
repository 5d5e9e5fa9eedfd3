package api

import (
	"encoding/json"
	"errors"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/rooms"
)

// documentActions is the table of the controller document.
func documentActions() map[string]action {
	create := writer{plan: planCreate, show: showWritten, what: "create"}
	createOrReplace := writer{plan: planCreateOrReplace, show: showCreated, what: "createOrReplace"}
	replace := writer{plan: planReplace, show: showWritten, what: "replace"}
	update := writer{plan: planUpdate, show: showUpdated, what: "update"}
	upsert := writer{plan: planUpsert, show: showUpserted, what: "upsert"}
	return map[string]action{
		"create": create.one, "mCreate": create.many,
		"createOrReplace": createOrReplace.one, "mCreateOrReplace": createOrReplace.many,
		"replace": replace.one, "mReplace": replace.many,
		"update": update.one, "mUpdate": update.many,
		"upsert": upsert.one, "mUpsert": upsert.many,
		"delete": deleteDocument, "mDelete": deleteDocuments,
		"deleteFields": deleteFields,
		"get":          getDocument, "mGet": getDocuments,
		"exists": documentExists, "mExists": documentsExist,
		"search": search, "scroll": scrollDocuments, "count": count,
		"updateByQuery": updateByQuery, "deleteByQuery": deleteByQuery,
		"validate": validateDocument, "export": exportAll,
	}
}

// A hit is a document in an answer.
type hit struct {
	ID      string          `json:"_id"`
	Source  json.RawMessage `json:"_source,omitempty"`
	Version uint64          `json:"_version,omitempty"`
	Created *bool           `json:"created,omitempty"`
	Status  int             `json:"status,omitempty"`
}

func (c *call) hit(doc *persistence.Document) hit {
	return hit{ID: doc.Key.ID, Source: c.shown(doc), Version: doc.Version}
}

// A writer is an action that writes documents, one or many.
type writer struct {
	plan plan
	show func(c *call, change *persistence.Change, e entry) hit
	what string
}

// one writes the document that the request names.
func (w writer) one(c *call) (any, error) {
	if err := c.writable(); err != nil {
		return nil, err
	}
	e := entry{ID: c.ID, Body: c.Body}
	if w.what == "upsert" {
		body, err := c.body()
		if err != nil {
			return nil, err
		}
		e.Changes, e.Default = body["changes"], body["default"]
	}
	change, err := c.commitOne(w.plan, e)
	if err != nil {
		return nil, err
	}
	return w.show(c, change, e), nil
}

func (c *call) commitOne(plan plan, e entry) (*persistence.Change, error) {
	write, err := plan(c, e)
	if err != nil {
		return nil, err
	}
	outcomes, err := c.commit([]*persistence.Write{write})
	if err != nil {
		return nil, err
	}
	return outcomes[0].change, outcomes[0].err
}

func showWritten(c *call, change *persistence.Change, _ entry) hit { return c.hit(change.After) }

func showCreated(c *call, change *persistence.Change, _ entry) hit {
	h, created := c.hit(change.After), change.Before == nil
	h.Created = &created
	return h
}

// showUpdated shows what was changed, or on demand the whole document. Of one that the caller
// may not see, that is what he has sent himself.
func showUpdated(c *call, change *persistence.Change, e entry) hit {
	h := c.hit(change.After)
	if all, err := c.bool("source"); err == nil && all {
		return h
	}
	if h.Source == nil {
		h.Source = e.Body
		return h
	}
	part := *change.After
	part.Body = e.Body
	h.Source, _ = filter.Hide(rooms.AppendSource(nil, &part), c.rights.Hidden(part.Key.Index, part.Key.Collection)) // nothing, if it cannot be read
	return h
}

func showUpserted(c *call, change *persistence.Change, _ entry) hit {
	h, created := c.hit(change.After), change.Before == nil
	h.Created = &created
	if all, err := c.bool("source"); err != nil || !all {
		h.Source = nil
	}
	return h
}

func deleteDocument(c *call) (any, error) {
	if err := c.collection(); err != nil {
		return nil, err
	}
	source, err := c.bool("source")
	if err != nil {
		return nil, err
	}
	change, err := c.commitOne(planDelete, entry{ID: c.ID})
	if err != nil {
		return nil, err
	}
	if source {
		return c.hit(change.Before), nil
	}
	return hit{ID: c.ID}, nil
}

func getDocument(c *call) (any, error) {
	doc, err := c.stored()
	if err != nil {
		return nil, err
	}
	return c.hit(doc), nil
}

// stored returns the document that the request names.
func (c *call) stored() (*persistence.Document, error) {
	k, err := c.document()
	if err != nil {
		return nil, err
	}
	if err := c.viewable(k); err != nil {
		return nil, err
	}
	doc, err := c.store.Get(k)
	if errors.Is(err, persistence.ErrNotFound) {
		return nil, c.missing(k)
	}
	if err != nil {
		return nil, err
	}
	if ok, err := c.sees(doc); !ok || err != nil {
		return nil, errors.Join(err, c.missing(k)) // as if it were not there
	}
	return doc, nil
}

func documentExists(c *call) (any, error) {
	k, err := c.document()
	if err != nil {
		return nil, err
	}
	if err := c.viewable(k); err != nil {
		return nil, err
	}
	doc, err := c.store.Get(k)
	if errors.Is(err, persistence.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return nil, err
	}
	return c.sees(doc)
}

// validateDocument says whether a body could be stored.
func validateDocument(c *call) (any, error) {
	if err := c.collection(); err != nil {
		return nil, err
	}
	type answer struct {
		Valid         bool     `json:"valid"`
		ErrorMessages []string `json:"errorMessages,omitempty"`
	}
	if _, err := c.object("body", c.Body); err != nil {
		return answer{ErrorMessages: []string{c.errorOf(err).Message}}, nil
	}
	return answer{Valid: true}, nil
}
