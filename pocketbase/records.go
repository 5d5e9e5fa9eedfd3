package pocketbase

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

const (
	defaultPage = 30
	maxPage     = 1000
)

// A page is the answer to a list. Total is -1 where it was not asked for.
type page struct {
	Items      []json.RawMessage `json:"items"`
	Page       int               `json:"page"`
	PerPage    int               `json:"perPage"`
	TotalItems int               `json:"totalItems"`
	TotalPages int               `json:"totalPages"`
}

// list answers with the records that match a filter.
func list(q *request) (int, any, error) {
	index, collection, err := q.collection(q.http.PathValue("collection"))
	if err != nil {
		return 0, nil, err
	}
	query := q.http.URL.Query()
	p := page{Items: []json.RawMessage{}, TotalItems: -1, TotalPages: -1}
	if p.Page, err = count(query.Get("page"), 1, 1<<20); err != nil {
		return 0, nil, err
	}
	if p.PerPage, err = count(query.Get("perPage"), defaultPage, maxPage); err != nil {
		return 0, nil, err
	}
	filter, err := koncorde(query.Get("filter"))
	if err != nil {
		return 0, nil, err
	}
	order, err := sort(query.Get("sort"))
	if err != nil {
		return 0, nil, err
	}
	var found struct {
		Hits    []hit
		Total   int
		Partial bool
		Cursor  string
	}
	err = q.call("document", "search", object{
		"index": index, "collection": collection, "from": (p.Page - 1) * p.PerPage, "size": p.PerPage,
		"body": object{"query": filter, "sort": order},
	}, &found)
	if err != nil {
		return 0, nil, err
	}
	if found.Partial || found.Cursor != "" && len(found.Hits) < p.PerPage {
		return 0, nil, badRequest("The list is too long to be looked at, or the page to be sent: ask for less by filter or perPage, or index the collection by a field of the filter.")
	}
	if p.Items, err = q.shown(q.nameOf(index, collection), found.Hits); err != nil {
		return 0, nil, err
	}
	if skip := query.Get("skipTotal"); skip != "1" && skip != "true" {
		p.TotalItems, p.TotalPages = found.Total, (found.Total+p.PerPage-1)/p.PerPage
	}
	return http.StatusOK, p, nil
}

// count reads a number of the query that is at least 1. Like PocketBase, it takes the most for what is
// more, and what is usual for what is less.
func count(text string, usual, most int) (int, error) {
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, badRequest("page and perPage are numbers, not " + strconv.Quote(text) + ".")
	}
	if n < 1 {
		n = usual
	}
	return min(n, most), nil
}

// sort reads by which fields a list is sorted, as the API takes it.
func sort(list string) ([]any, error) {
	order := []any{}
	for field := range strings.SplitSeq(list, ",") {
		field = strings.TrimSpace(field)
		if field == "" {
			continue
		}
		direction := "asc"
		if field[0] == '-' || field[0] == '+' {
			if field[0] == '-' {
				direction = "desc"
			}
			field = field[1:]
		}
		switch {
		case strings.ContainsAny(field, "@:") || field == "":
			return nil, badRequest("sort: " + strconv.Quote(field) + " has no meaning here.")
		case field == "id":
			field = "_id"
		case field == "created":
			field = "_kuzzle_info.createdAt"
		case field == "updated":
			field = "_kuzzle_info.updatedAt"
		}
		order = append(order, object{field: direction})
	}
	return order, nil
}

// shown returns documents as records of a collection, with the fields that are asked for.
func (q *request) shown(name string, hits []hit) ([]json.RawMessage, error) {
	if q.http.URL.Query().Get("expand") != "" {
		return nil, badRequest("expand: there are no relations.")
	}
	wanted, err := readFields(q.http.URL.Query().Get("fields"))
	if err != nil {
		return nil, err
	}
	records := []json.RawMessage{}
	for _, h := range hits {
		record, err := h.record(name)
		if err != nil {
			return nil, err
		}
		records = append(records, wanted.of(record))
	}
	return records, nil
}

// one asks for something that is done to one document, and answers with it.
func (q *request) one(action, id string, body any, more object) (int, any, error) {
	index, collection, err := q.collection(q.http.PathValue("collection"))
	if err != nil {
		return 0, nil, err
	}
	if _, err := q.shown("", nil); err != nil {
		return 0, nil, err
	}
	ask := object{"index": index, "collection": collection, "_id": id}
	if body != nil {
		ask["body"] = body
	}
	for name, value := range more {
		ask[name] = value
	}
	var h hit
	if err := q.call("document", action, ask, &h); err != nil {
		return 0, nil, err
	}
	records, err := q.shown(q.nameOf(index, collection), []hit{h})
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, records[0], nil
}

func view(q *request) (int, any, error) { return q.one("get", q.http.PathValue("id"), nil, nil) }

// create makes a record, with the id that it names or one of PocketBase's kind.
func create(q *request) (int, any, error) {
	id := newID(15)
	if raw, ok := q.body["id"]; ok {
		var named string
		if json.Unmarshal(raw, &named) != nil {
			return 0, nil, invalid("id", "validation_invalid_format", "Invalid value format.")
		}
		if named != "" {
			id = named
		}
	}
	own, err := stored(q.body)
	if err != nil {
		return 0, nil, err
	}
	return q.one("create", id, own, nil)
}

func update(q *request) (int, any, error) {
	own, err := stored(q.body)
	if err != nil {
		return 0, nil, err
	}
	return q.one("update", q.http.PathValue("id"), own, object{"source": true})
}

func remove(q *request) (int, any, error) {
	_, _, err := q.one("delete", q.http.PathValue("id"), nil, nil)
	return http.StatusNoContent, nil, err
}

// newID returns so many random characters, of those that PocketBase's ids have.
func newID(n int) string {
	const letters = "abcdefghijklmnopqrstuvwxyz012345"
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	for i := range b {
		b[i] = letters[b[i]%byte(len(letters))]
	}
	return string(b)
}
