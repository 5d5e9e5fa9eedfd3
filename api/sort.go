package api

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/jsonobject"
	"github.com/ambitmq/ambit/sorting"
)

// maxSortFields is how many fields a search may sort on.
const maxSortFields = 8

// readOrder reads "field", {"field":"desc"}, {"field":{"order":"desc"}}, or an
// array of these.
func readOrder(raw json.RawMessage) (sorting.Order, error) {
	if raw == nil {
		return nil, nil
	}
	parts := []json.RawMessage{raw}
	if raw[0] == '[' {
		if err := json.Unmarshal(raw, &parts); err != nil {
			return nil, badSort()
		}
	}
	var o sorting.Order
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

func readSortFields(raw []byte) (sorting.Order, error) {
	if !jsonobject.Is(raw) {
		var path string
		if json.Unmarshal(raw, &path) != nil || path == "" {
			return nil, badSort()
		}
		return sorting.Order{{Path: path}}, nil
	}
	members, err := jsonobject.Members(raw)
	if err != nil {
		return nil, badSort()
	}
	var o sorting.Order
	for _, m := range members {
		value := m.Value
		if jsonobject.Is(value) {
			var long struct {
				Order json.RawMessage `json:"order"`
			}
			if json.Unmarshal(value, &long) != nil {
				return nil, badSort()
			}
			value = long.Order
		}
		direction := string(value)
		if m.Name == "" || direction != `"asc"` && direction != `"desc"` {
			return nil, badSort()
		}
		o = append(o, sorting.Field{Path: m.Name, Descending: direction == `"desc"`})
	}
	return o, nil
}

// positionIn returns where a document is in an order.
func positionIn(o sorting.Order, id string, d *filter.Document) sorting.Position {
	p := sorting.Position{ID: id}
	for _, f := range o {
		v, _ := d.Scalar(f.Path)
		p.Values = append(p.Values, sorting.Key(v))
	}
	return p
}

// best keeps the first n of many positions, sorted on demand.
type best struct {
	order sorting.Order
	n     int
	found []sorting.Position
}

// add sorts only now and then: it costs what a heap does.
func (b *best) add(p sorting.Position) {
	b.found = append(b.found, p)
	if len(b.found) >= 2*b.n+64 {
		b.cut()
	}
}

// cut sorts what was found, and forgets what is beyond n.
func (b *best) cut() []sorting.Position {
	slices.SortFunc(b.found, b.order.Compare)
	if len(b.found) > b.n {
		clear(b.found[b.n:])
		b.found = b.found[:b.n]
	}
	return b.found
}
