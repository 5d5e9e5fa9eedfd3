package koncorde

import (
	"encoding/json"
	"maps"
	"slices"
)

// broken changes a filter in one place at random, so that it may be none.
func (g *generator) broken(filter string) string {
	if g.odd {
		return filter
	}
	var v any
	if json.Unmarshal([]byte(filter), &v) != nil {
		return filter
	}
	n := g.IntN(size(v))
	text, err := json.Marshal(g.change(v, &n))
	if err != nil {
		return filter
	}
	return string(text)
}

// size returns the number of values in a value, itself included.
func size(v any) int {
	n := 1
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			n += size(e)
		}
	case map[string]any:
		for _, e := range v {
			n += size(e)
		}
	}
	return n
}

// change changes the nth value of a value.
func (g *generator) change(v any, n *int) any {
	if *n--; *n == -1 {
		return g.other(v)
	}
	switch v := v.(type) {
	case []any:
		for i, e := range v {
			v[i] = g.change(e, n)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			v[name] = g.change(v[name], n)
		}
	}
	return v
}

// other returns something in place of a value.
func (g *generator) other(v any) any {
	if o, ok := v.(map[string]any); ok && len(o) > 0 && g.IntN(2) == 0 {
		names := slices.Sorted(maps.Keys(o))
		name := names[g.IntN(len(names))]
		switch g.IntN(3) {
		case 0:
			delete(o, name)
		case 1:
			o[g.pick("x", "y", "gte", "lt", "field", "value", "distance", "points", "must", "")] = g.value()
		case 2:
			o[g.pick("x", "equals", "exists", "or", "not", "topLeft")] = o[name]
			delete(o, name)
		}
		return o
	}
	others := []any{nil, true, false, 0.0, 1.5, -1.0, "", "x", "1", []any{}, map[string]any{}, []any{v}, map[string]any{"x": v}, []any{v, v, nil}}
	return others[g.IntN(len(others))]
}
