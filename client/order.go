package client

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/ambitmq/ambit/sorting"
)

// readOrder reads what API.md says of sort.
func readOrder(sort any) (sorting.Order, error) {
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
	var o sorting.Order
	for _, part := range parts {
		var path string
		if json.Unmarshal(part, &path) == nil {
			o = append(o, sorting.Field{Path: path})
			continue
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(part, &fields); err != nil || len(fields) != 1 {
			return nil, fmt.Errorf("client: sort: %s is neither a field nor an object with one", part)
		}
		for path, direction := range fields {
			o = append(o, sorting.Field{Path: path, Descending: strings.Contains(string(direction), `"desc"`)})
		}
	}
	return o, nil
}

// positionIn returns where a document is in an order.
func positionIn(o sorting.Order, id string, source map[string]any) sorting.Position {
	p := sorting.Position{ID: id}
	for _, f := range o {
		v := lookUp(source, f.Path)
		if f.Path == "_id" {
			v = id
		}
		p.Values = append(p.Values, sorting.Key(v))
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
