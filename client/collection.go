package client

import (
	"context"
	"encoding/json"
)

// A Collection is where documents are: its methods are requests about them.
type Collection struct {
	a           *Ambit
	index, name string
}

// Collection names a collection, which need not be there.
func (a *Ambit) Collection(index, name string) Collection { return Collection{a, index, name} }

// A Document is one as the API gives it.
type Document struct {
	ID string `json:"_id"`
	// Source is a JSON object: the document, and the metadata as _kuzzle_info.
	Source  json.RawMessage `json:"_source"`
	Version uint64          `json:"_version"`
}

// Decode stores the document in the value that v points to.
func (d *Document) Decode(v any) error { return json.Unmarshal(d.Source, v) }

func (c Collection) ask(ctx context.Context, r Request, result any) error {
	r.Index, r.Collection = c.index, c.name
	return c.a.Request(ctx, r, result)
}

// one asks for an action about one document.
func (c Collection) one(ctx context.Context, action, id string, body any, options map[string]any) (d Document, err error) {
	err = c.ask(ctx, Request{Controller: "document", Action: action, ID: id, Body: body, Options: options}, &d)
	return d, err
}

// Create makes a document, which must not be there. Without an id it gets one.
func (c Collection) Create(ctx context.Context, id string, body any) (Document, error) {
	return c.one(ctx, "create", id, body, nil)
}

// CreateOrReplace writes a document.
func (c Collection) CreateOrReplace(ctx context.Context, id string, body any) (Document, error) {
	return c.one(ctx, "createOrReplace", id, body, nil)
}

// Replace writes a document that is there.
func (c Collection) Replace(ctx context.Context, id string, body any) (Document, error) {
	return c.one(ctx, "replace", id, body, nil)
}

// Update changes members of a document, however deep, and returns the whole.
func (c Collection) Update(ctx context.Context, id string, changes any) (Document, error) {
	return c.one(ctx, "update", id, changes, map[string]any{"source": true})
}

// Upsert updates a document, or makes it out of defaults, which may be nil, and
// changes. It returns the whole.
func (c Collection) Upsert(ctx context.Context, id string, changes, defaults any) (Document, error) {
	body := map[string]any{"changes": changes}
	if defaults != nil {
		body["default"] = defaults
	}
	return c.one(ctx, "upsert", id, body, map[string]any{"source": true})
}

// DeleteFields removes fields, named by their paths, and returns the whole.
func (c Collection) DeleteFields(ctx context.Context, id string, fields ...string) (Document, error) {
	return c.one(ctx, "deleteFields", id, map[string]any{"fields": fields}, map[string]any{"source": true})
}

// Get returns a document. If it is not there, the error is an [*APIError] of status 404.
func (c Collection) Get(ctx context.Context, id string) (Document, error) {
	return c.one(ctx, "get", id, nil, nil)
}

// Delete deletes a document, which must be there.
func (c Collection) Delete(ctx context.Context, id string) error {
	_, err := c.one(ctx, "delete", id, nil, nil)
	return err
}

// Exists says whether a document is there.
func (c Collection) Exists(ctx context.Context, id string) (is bool, err error) {
	err = c.ask(ctx, Request{Controller: "document", Action: "exists", ID: id}, &is)
	return is, err
}

// An Entry is a document that a request for many of them writes: Body, or Changes and
// Default of MUpsert.
type Entry struct {
	ID      string `json:"_id,omitempty"`
	Body    any    `json:"body,omitempty"`
	Changes any    `json:"changes,omitempty"`
	Default any    `json:"default,omitempty"`
}

// Many is what became of the documents of a request.
type Many struct {
	Successes []Document `json:"successes"`
	Errors    []Failure  `json:"errors"`
}

// A Failure is a document that was not written, and why.
type Failure struct {
	ID       string          `json:"_id"`
	Document json.RawMessage `json:"document"`
	Reason   string          `json:"reason"`
	Status   int             `json:"status"`
}

func (c Collection) many(ctx context.Context, action string, entries []Entry) (m Many, err error) {
	body := map[string]any{"documents": entries}
	err = c.ask(ctx, Request{Controller: "document", Action: action, Body: body}, &m)
	return m, err
}

// MCreate is Create for several documents, each by itself.
func (c Collection) MCreate(ctx context.Context, entries []Entry) (Many, error) {
	return c.many(ctx, "mCreate", entries)
}

// MCreateOrReplace is CreateOrReplace for several documents, each by itself.
func (c Collection) MCreateOrReplace(ctx context.Context, entries []Entry) (Many, error) {
	return c.many(ctx, "mCreateOrReplace", entries)
}

// MReplace is Replace for several documents, each by itself.
func (c Collection) MReplace(ctx context.Context, entries []Entry) (Many, error) {
	return c.many(ctx, "mReplace", entries)
}

// MUpdate is Update for several documents, each by itself.
func (c Collection) MUpdate(ctx context.Context, entries []Entry) (Many, error) {
	return c.many(ctx, "mUpdate", entries)
}

// MUpsert is Upsert for several documents, each by itself.
func (c Collection) MUpsert(ctx context.Context, entries []Entry) (Many, error) {
	return c.many(ctx, "mUpsert", entries)
}

// MGet returns those of some documents that are there, and the ids of the others.
func (c Collection) MGet(ctx context.Context, ids []string) (found []Document, missing []string, err error) {
	var m struct {
		Successes []Document `json:"successes"`
		Errors    []string   `json:"errors"`
	}
	err = c.ask(ctx, Request{Controller: "document", Action: "mGet", Body: map[string]any{"ids": ids}}, &m)
	return m.Successes, m.Errors, err
}

// MExists returns the ids of the documents that are there.
func (c Collection) MExists(ctx context.Context, ids []string) ([]string, error) {
	var m struct {
		Successes []string `json:"successes"`
	}
	err := c.ask(ctx, Request{Controller: "document", Action: "mExists", Body: map[string]any{"ids": ids}}, &m)
	return m.Successes, err
}

// MDelete deletes documents, and returns the ids of those that were there.
func (c Collection) MDelete(ctx context.Context, ids []string) ([]string, error) {
	var m struct {
		Successes []string `json:"successes"`
	}
	err := c.ask(ctx, Request{Controller: "document", Action: "mDelete", Body: map[string]any{"ids": ids}}, &m)
	return m.Successes, err
}

// A Search is what to look for, and in which order. The zero value is everything, by id.
type Search struct {
	// Query is a filter.
	Query any `json:"query,omitempty"`
	// Sort is what API.md says: "field", {"field": "desc"}, or a list of these.
	Sort any `json:"sort,omitempty"`
}

// A Page is a part of what a search finds.
type Page struct {
	Hits  []Document `json:"hits"`
	Total int        `json:"total"`
	// Cursor asks for the next page; "" if there is none.
	Cursor  string `json:"cursor"`
	Scanned int    `json:"scanned"`
	// Partial says that there are documents at which it has not looked.
	Partial bool `json:"partial"`
	// Seq is the last change that the page knows.
	Seq uint64 `json:"seq"`
}

// Search returns a page of at most size documents, the first one or that of a cursor.
func (c Collection) Search(ctx context.Context, s Search, size int, cursor string) (p Page, err error) {
	options := map[string]any{"size": size, "seq": true}
	if cursor != "" {
		options["cursor"] = cursor
	}
	err = c.ask(ctx, Request{Controller: "document", Action: "search", Body: s, Options: options}, &p)
	return p, err
}

// Count says how many documents match a filter.
func (c Collection) Count(ctx context.Context, filter any) (int, error) {
	var n struct {
		Count int `json:"count"`
	}
	err := c.ask(ctx, Request{Controller: "document", Action: "count", Body: map[string]any{"query": filter}}, &n)
	return n.Count, err
}

// UpdateByQuery updates the documents that match a filter.
func (c Collection) UpdateByQuery(ctx context.Context, filter, changes any) (m Many, err error) {
	body := map[string]any{"query": filter, "changes": changes}
	err = c.ask(ctx, Request{Controller: "document", Action: "updateByQuery", Body: body}, &m)
	return m, err
}

// DeleteByQuery deletes the documents that match a filter, and returns their ids.
func (c Collection) DeleteByQuery(ctx context.Context, filter any) ([]string, error) {
	var m struct {
		IDs []string `json:"ids"`
	}
	err := c.ask(ctx, Request{Controller: "document", Action: "deleteByQuery", Body: map[string]any{"query": filter}}, &m)
	return m.IDs, err
}

// Publish tells the rooms of the collection of a message that is stored nowhere.
func (c Collection) Publish(ctx context.Context, body any) error {
	return c.ask(ctx, Request{Controller: "realtime", Action: "publish", Body: body}, nil)
}
