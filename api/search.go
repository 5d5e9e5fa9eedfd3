package api

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/rooms"
	"github.com/ambitmq/ambit/sorting"
)

// A query says which documents of a collection a request is about.
type query struct {
	filter *filter.Filter
	order  sorting.Order
	// finds are the documents that the caller may find, nil for all.
	finds *filter.Filter
}

const (
	momentary   = "a filter with changed, crossed or near matches changes: nothing that is stored matches it"
	defaultSize = 10 // of a page, as Kuzzle's
)

// query reads the body of a search, which may have these members.
func (c *call) query(allowed ...string) (query, map[string]json.RawMessage, error) {
	q, body := query{}, map[string]json.RawMessage{}
	if err := c.collection(); err != nil {
		return q, nil, err
	}
	if _, ok := c.args["targets"]; ok {
		return q, nil, forbidden.with("targets")
	}
	if lang, err := c.string("lang"); err != nil || lang != "" && lang != "koncorde" {
		return q, nil, invalidValue.with("lang", `"koncorde"`)
	}
	var err error
	if c.Body != nil {
		if body, err = c.body(); err != nil {
			return q, nil, err
		}
	}
	for name := range body {
		if !slices.Contains(allowed, name) {
			return q, nil, badSearch.with(name)
		}
	}
	text := body["query"]
	if text == nil {
		text = json.RawMessage("{}")
	}
	if q.filter, err = filter.ParseWithin(text, c.opts.Filters); err != nil {
		return q, nil, err
	}
	if q.filter.Momentary() {
		return q, nil, badFilter.with(momentary)
	}
	sort := body["sort"]
	if sort == nil {
		sort = c.args["sort"]
	}
	if q.order, err = readOrder(sort); err != nil {
		return q, nil, err
	}
	if q.filter, err = c.under(q.filter); err != nil {
		return q, nil, err
	}
	if sight, err := c.rights.List(c.Index, c.Collection); err == nil && !sight.Filter.Everything() {
		q.finds = sight.Filter
	}
	return q, body, c.maySort(q.order)
}

// maySort says whether the caller may see what the results are sorted by.
func (c *call) maySort(o sorting.Order) error {
	hidden := c.rights.Hidden(c.Index, c.Collection)
	for _, by := range o {
		for _, path := range hidden {
			if filter.Within(by.Path, path) || filter.Within(path, by.Path) {
				return forbiddenTo("sort by " + path)
			}
		}
	}
	return nil
}

// A scan is how far documents were looked at.
type scan struct {
	// Scanned is how many were that the caller may find: how many others there are, an index
	// would find by what is in them. Partial says that there are more.
	Scanned int  `json:"scanned"`
	Partial bool `json:"partial"`
	// Index is by which fields the documents were found; "" if all were looked at.
	Index string `json:"index,omitempty"`
	last  string
}

// scan calls visit for the documents after an id that match, in the order of their
// ids, until it returns false. It looks at a limited number.
func (c *call) scan(snap *persistence.Snapshot, q query, after string, visit func(*persistence.Document, *filter.Document) bool) (scan, error) {
	var s scan
	if err := c.ctx.Err(); err != nil {
		return s, err
	}
	select {
	case c.scans <- struct{}{}:
		defer func() { <-c.scans }()
	case <-c.ctx.Done():
		return s, c.ctx.Err()
	}
	docs, by, err := c.candidates(snap, q, after)
	if err != nil {
		return s, err
	}
	s.Index = by
	looked := 0
	for doc, err := range docs {
		if err == nil {
			err = c.ctx.Err()
		}
		if err != nil {
			return s, err
		}
		if looked == c.opts.ScanDocuments {
			s.Partial = true
			return s, nil
		}
		looked++
		s.last = doc.Key.ID
		d, err := rooms.Prepare(doc)
		if err != nil {
			return s, fmt.Errorf("api: read document %s: %w", doc.Key, err)
		}
		matches := q.filter.Match(d)
		if matches || q.finds == nil || q.finds.Match(d) {
			s.Scanned++
		}
		if matches && !visit(doc, d) {
			return s, nil
		}
	}
	return s, nil
}

// A page is the answer to a search.
type page struct {
	Hits []found `json:"hits"`
	// Total is how many match, of those that were looked at. A request with a cursor
	// does not ask.
	Total *int `json:"total,omitempty"`
	// Cursor asks for the next page, if there is one.
	Cursor string `json:"cursor,omitempty"`
	// ScrollID asks for it by document:scroll.
	ScrollID string `json:"scrollId,omitempty"`
	// Seq is the last change that the page knows, for a request that asks for it.
	Seq *uint64 `json:"seq,omitempty"`
	scan
}

type found struct {
	hit
	Index      string `json:"index"`
	Collection string `json:"collection"`
}

// search finds documents of a snapshot. What comes after a position is found again
// whatever was written meanwhile, so a cursor is the position of the last one.
func search(c *call) (any, error) {
	q, body, err := c.query("query", "sort", "search_after")
	if err != nil {
		return nil, err
	}
	from, size, err := c.window(math.MaxInt32, defaultSize)
	if err != nil {
		return nil, err
	}
	if from+size > c.opts.ReadDocuments {
		return nil, getLimit.with(c.opts.ReadDocuments)
	}
	start, err := c.start(q, body["search_after"])
	if err != nil {
		return nil, err
	}
	if start != nil && from > 0 {
		return nil, invalidValue.with("from", "0 with a cursor")
	}
	asks, err := c.bool("seq")
	if err != nil {
		return nil, err
	}
	snap := c.store.Snapshot()
	defer snap.Close()
	p, err := c.page(snap, q, from, size, start, body["search_after"] != nil)
	if err != nil {
		return nil, err
	}
	if asks {
		seq := snap.Seq()
		p.Seq = &seq
	}
	if p.Total != nil {
		c.scrolled(p, size, *p.Total)
	}
	return p, nil
}

// page returns the documents of a search behind start, of which nil is the beginning. With counts, those before are
// counted, too.
func (c *call) page(snap *persistence.Snapshot, q query, from, size int, start *sorting.Position, counts bool) (*page, error) {
	after, byID := "", len(q.order) == 0
	if start != nil && byID {
		after = start.ID
	}
	first, total := &best{order: q.order, n: from + size + 1}, 0
	s, err := c.scan(snap, q, after, func(doc *persistence.Document, d *filter.Document) bool {
		p := positionIn(q.order, doc.Key.ID, d)
		behind := start == nil || q.order.Compare(p, *start) > 0
		if behind || counts {
			total++
		}
		if !behind {
			return true
		}
		first.add(p)
		return start == nil || !byID || total <= size // all are counted, but for a cursor
	})
	if err != nil {
		return nil, err
	}
	p := &page{Hits: []found{}, scan: s}
	positions := first.cut()
	positions = positions[min(from, len(positions)):]
	last, err := c.fill(p, snap, positions[:min(size, len(positions))])
	switch {
	case err != nil:
		return nil, err
	case last != nil && len(p.Hits) < len(positions):
		p.Cursor, err = c.cursorOf(q, *last)
	case byID && s.Partial:
		p.Cursor, err = c.cursorOf(q, sorting.Position{ID: s.last})
	}
	if start == nil || counts {
		p.Total = &total
	}
	return p, err
}

// fill adds the documents of some positions to a page, as many as an answer may
// have, and returns the position of the last one.
func (c *call) fill(p *page, snap *persistence.Snapshot, positions []sorting.Position) (last *sorting.Position, err error) {
	size := 0
	for i := range positions {
		doc, err := snap.Get(persistence.Key{Index: c.Index, Collection: c.Collection, ID: positions[i].ID})
		if err != nil {
			return nil, err
		}
		if size += len(doc.Body); size > c.opts.PageBytes && i > 0 {
			return last, nil
		}
		p.Hits = append(p.Hits, found{c.hit(doc), c.Index, c.Collection})
		last = &positions[i]
	}
	return last, nil
}

// count says how many documents match.
func count(c *call) (any, error) {
	q, _, err := c.query("query")
	if err != nil {
		return nil, err
	}
	snap := c.store.Snapshot()
	defer snap.Close()
	n := 0
	s, err := c.scan(snap, q, "", func(*persistence.Document, *filter.Document) bool {
		n++
		return true
	})
	if err != nil {
		return nil, err
	}
	return struct {
		Count int `json:"count"`
		scan
	}{n, s}, nil
}
