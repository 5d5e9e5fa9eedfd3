package client

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// keyBytes is how much of a string counts for its order, as in the broker.
const keyBytes = 256

// An order is how a search sorts: as the broker does.
type order []sortField

type sortField struct {
	path       string
	descending bool
}

// A position is where a document is in an order.
type position struct {
	values []any
	id     string
}

// readOrder reads what API.md says of sort.
func readOrder(sort any) (order, error) {
	if sort == nil {
		return nil, nil
	}
	text, err := json.Marshal(sort)
	if err != nil {
		return nil, fmt.Errorf("client: sort: %w", err)
	}
	parts := []json.RawMessage{text}
	if text[0] == '[' {
		if err := json.Unmarshal(text, &parts); err != nil {
			return nil, fmt.Errorf("client: sort: %w", err)
		}
	}
	var o order
	for _, part := range parts {
		var path string
		if json.Unmarshal(part, &path) == nil {
			o = append(o, sortField{path, false})
			continue
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(part, &fields); err != nil || len(fields) != 1 {
			return nil, fmt.Errorf("client: sort: %s is neither a field nor an object with one", part)
		}
		for path, direction := range fields {
			o = append(o, sortField{path, strings.Contains(string(direction), `"desc"`)})
		}
	}
	return o, nil
}

func (o order) position(id string, source map[string]any) position {
	p := position{id: id}
	for _, f := range o {
		v := lookUp(source, f.path)
		if f.path == "_id" {
			v = id
		}
		switch scalar := v.(type) {
		case string:
			v = clip(scalar)
		case float64, bool:
		default:
			v = nil
		}
		p.values = append(p.values, v)
	}
	return p
}

// lookUp returns the value of a path, of which a member's name may be several steps.
func lookUp(source map[string]any, path string) any {
	if v, ok := source[path]; ok {
		return v
	}
	for name, v := range source {
		rest, ok := strings.CutPrefix(path, name+".")
		inner, isObject := v.(map[string]any)
		if !ok || !isObject {
			continue
		}
		if found := lookUp(inner, rest); found != nil {
			return found
		}
	}
	return nil
}

func clip(s string) string {
	if len(s) <= keyBytes {
		return s
	}
	end := keyBytes
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

func (o order) compare(a, b position) int {
	for i, f := range o {
		if c := compareValues(a.values[i], b.values[i], f.descending); c != 0 {
			return c
		}
	}
	return strings.Compare(a.id, b.id)
}

// compareValues sorts numbers before strings and these before booleans, and what has
// no value last in either direction.
func compareValues(a, b any, descending bool) int {
	c := cmp.Compare(rank(a), rank(b))
	if a == nil || b == nil {
		return c
	}
	if c == 0 {
		switch a := a.(type) {
		case float64:
			c = cmp.Compare(a, b.(float64))
		case string:
			c = strings.Compare(a, b.(string))
		case bool:
			c = cmp.Compare(bit(a), bit(b.(bool)))
		}
	}
	if descending {
		return -c
	}
	return c
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

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
