package api

import (
	"encoding/base64"
	"encoding/json"

	"github.com/ambitmq/ambit/sorting"
)

// A scroll is what Kuzzle's clients send back for the next page: the search, and how far it has come.
// The node keeps nothing of it.
type scroll struct {
	Index      string          `json:"i"`
	Collection string          `json:"c"`
	Body       json.RawMessage `json:"b,omitempty"`
	Size       int             `json:"s"`
	Cursor     string          `json:"p,omitempty"`
	Total      int             `json:"n"`
}

// scrolled says what comes after a page, if the request asks for that in Kuzzle's way.
func (c *call) scrolled(p *page, size, total int) {
	if _, asks := c.args["scroll"]; !asks {
		return
	}
	p.ScrollID = base64.RawURLEncoding.EncodeToString(encode(scroll{c.Index, c.Collection, c.Body, size, p.Cursor, total}))
	p.Total = &total
}

// scrollDocuments returns the next page of a search.
func scrollDocuments(c *call) (any, error) {
	text, err := c.string("scrollId")
	if err != nil {
		return nil, err
	}
	if text == "" {
		return nil, missing.with("scrollId")
	}
	var s scroll
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(raw, &s) != nil || s.Size < 0 || s.Size > c.opts.ReadDocuments {
		return nil, badCursor.with()
	}
	c.Index, c.Collection, c.Body = s.Index, s.Collection, s.Body
	p := &page{Hits: []found{}}
	if s.Cursor != "" {
		c.args = map[string]json.RawMessage{"scroll": []byte("true"), "size": encode(s.Size), "cursor": encode(s.Cursor)}
		next, err := search(c)
		if err != nil {
			return nil, err
		}
		p = next.(*page)
	}
	c.args = map[string]json.RawMessage{"scroll": []byte("true")}
	c.scrolled(p, s.Size, s.Total)
	return p, nil
}

// start returns the position behind which a search begins, nil for none: that of its cursor, or,
// as in Elasticsearch, behind all documents with some values of what is sorted by.
func (c *call) start(q query, after json.RawMessage) (*sorting.Position, error) {
	if after == nil {
		return c.cursor(q)
	}
	bad := invalidValue.with("search_after", "an array with a value for each field of the sort")
	var values []any
	if json.Unmarshal(after, &values) != nil || len(values) != len(q.order) || len(values) == 0 {
		return nil, bad
	}
	p := &sorting.Position{ID: "\xff"} // behind every id
	for _, v := range values {
		p.Values = append(p.Values, sorting.Key(v))
	}
	return p, nil
}
