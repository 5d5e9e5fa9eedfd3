package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ambitmq/ambit/filter"
)

const (
	// maxSortFields is how many fields a search may sort on.
	maxSortFields = 8
	// maxKeyBytes is how much of a string counts for its order: a search holds the
	// keys of all documents that it may return.
	maxKeyBytes = 256
)

// An order is what the documents of a search are sorted by. Those that are equal
// in all of it, and all without it, are in the order of their ids.
type order []sortField

type sortField struct {
	Path       string `json:"path"`
	Descending bool   `json:"descending"`
}

// A position is where a document is in an order.
type position struct {
	// Values are those of the fields: string, float64, bool or nil.
	Values []any  `json:"v,omitempty"`
	ID     string `json:"id"`
}

// readOrder reads "field", {"field":"desc"}, {"field":{"order":"desc"}}, or an
// array of these.
func readOrder(raw json.RawMessage) (order, error) {
	if raw == nil {
		return nil, nil
	}
	parts := []json.RawMessage{raw}
	if raw[0] == '[' {
		if err := json.Unmarshal(raw, &parts); err != nil {
			return nil, badSort()
		}
	}
	var o order
	for _, part := range parts {
		fields, err := readSortFields(bytes.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		o = append(o, fields...)
	}
	if len(o) > maxSortFields {
		return nil, invalidValue.with("sort", "no more than "+itoa(maxSortFields)+" fields")
	}
	return o, nil
}

func badSort() *Error {
	return invalidValue.with("sort", `an array of "field" and {"field":"asc"|"desc"}`)
}

func readSortFields(raw []byte) (order, error) {
	if !isObject(raw) {
		var path string
		if json.Unmarshal(raw, &path) != nil || path == "" {
			return nil, badSort()
		}
		return order{{Path: path}}, nil
	}
	members, err := membersOf(raw)
	if err != nil {
		return nil, badSort()
	}
	var o order
	for _, m := range members {
		value := m.value
		if isObject(value) {
			var long struct {
				Order json.RawMessage `json:"order"`
			}
			if json.Unmarshal(value, &long) != nil {
				return nil, badSort()
			}
			value = long.Order
		}
		direction := string(value)
		if m.name == "" || direction != `"asc"` && direction != `"desc"` {
			return nil, badSort()
		}
		o = append(o, sortField{m.name, direction == `"desc"`})
	}
	return o, nil
}

// position returns where a document is.
func (o order) position(id string, d *filter.Document) position {
	p := position{ID: id}
	for _, f := range o {
		v, _ := d.Scalar(f.Path)
		switch scalar := v.(type) {
		case string:
			v = strings.Clone(clip(scalar)) // not a part of the document, which would stay for it
		case float64:
			v = max(-math.MaxFloat64, min(math.MaxFloat64, scalar)) // JSON has no others
		}
		p.Values = append(p.Values, v)
	}
	return p
}

// clip returns as much of a string as counts for its order.
func clip(s string) string {
	if len(s) <= maxKeyBytes {
		return s
	}
	end := maxKeyBytes
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// compare says whether a comes before b.
func (o order) compare(a, b position) int {
	for i, f := range o {
		if c := f.compare(a.Values[i], b.Values[i]); c != 0 {
			return c
		}
	}
	return strings.Compare(a.ID, b.ID)
}

// compare says how two values of the field are sorted. Documents without one come
// last in either direction.
func (f sortField) compare(a, b any) int {
	if a == nil || b == nil {
		return cmp.Compare(rank(a), rank(b))
	}
	c := cmp.Compare(rank(a), rank(b))
	if c == 0 {
		switch a := a.(type) {
		case float64:
			c = cmp.Compare(a, b.(float64))
		case string:
			c = strings.Compare(a, b.(string))
		case bool:
			if a != b.(bool) {
				c = 1
				if !a {
					c = -1
				}
			}
		}
	}
	if f.Descending {
		return -c
	}
	return c
}

// rank sorts values of different types.
func rank(v any) int {
	switch v.(type) {
	case float64:
		return 0
	case string:
		return 1
	case bool:
		return 2
	}
	return 3
}

// best keeps the first n of many positions, sorted on demand.
type best struct {
	order order
	n     int
	found []position
}

// add sorts only now and then: it costs what a heap does.
func (b *best) add(p position) {
	b.found = append(b.found, p)
	if len(b.found) >= 2*b.n+64 {
		b.cut()
	}
}

// cut sorts what was found, and forgets what is beyond n.
func (b *best) cut() []position {
	slices.SortFunc(b.found, b.order.compare)
	if len(b.found) > b.n {
		clear(b.found[b.n:])
		b.found = b.found[:b.n]
	}
	return b.found
}
