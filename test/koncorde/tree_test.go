package koncorde

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ambitmq/ambit/filter"
)

// A tree is a filter by its combinations: an "and", "or" or "not" of others,
// or a condition.
type tree struct {
	keyword   string
	members   []tree
	condition string
}

// treeOf reads a filter that both sides accept, or each of whose conditions one
// of them does.
func treeOf(filter string) (tree, error) {
	var members map[string]json.RawMessage
	if !strings.HasPrefix(filter, "{") || filter == "{}" {
		return tree{keyword: "and"}, nil // everything
	}
	if err := json.Unmarshal([]byte(filter), &members); err != nil || len(members) != 1 {
		return tree{}, fmt.Errorf("%s has %d keywords: %w", filter, len(members), err)
	}
	keyword := slices.Collect(maps.Keys(members))[0]
	switch keyword {
	case "and", "or":
		t := tree{keyword: keyword}
		var list []json.RawMessage
		if err := json.Unmarshal(members[keyword], &list); err != nil {
			return t, err
		}
		return t, t.add(list)
	case "not":
		t := tree{keyword: "not"}
		return t, t.add([]json.RawMessage{members["not"]})
	case "bool":
		return treeOfBool(members["bool"])
	}
	return tree{condition: filter}, nil
}

func treeOfBool(argument json.RawMessage) (tree, error) {
	all := tree{keyword: "and"}
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(argument, &parts); err != nil {
		return all, err
	}
	for _, name := range []string{"must", "must_not", "should", "should_not"} {
		if slices.Contains([]string{"", "null", "false", "0", `""`}, string(parts[name])) {
			continue // to JavaScript, each of these is nothing
		}
		var list []json.RawMessage
		if err := json.Unmarshal(parts[name], &list); err != nil {
			list = []json.RawMessage{parts[name]}
		}
		part := tree{keyword: map[string]string{"must": "and", "must_not": "or", "should": "or", "should_not": "and"}[name]}
		if err := part.add(list); err != nil {
			return all, err
		}
		if name == "must_not" || name == "should_not" {
			part = tree{keyword: "not", members: []tree{part}}
		}
		all.members = append(all.members, part)
	}
	return all, nil
}

func (t *tree) add(filters []json.RawMessage) error {
	for _, f := range filters {
		member, err := treeOf(string(f))
		if err != nil {
			return err
		}
		t.members = append(t.members, member)
	}
	return nil
}

// conditions appends to list the conditions of the tree.
func (t tree) conditions(list []string) []string {
	if t.keyword == "" {
		return append(list, t.condition)
	}
	for _, m := range t.members {
		list = m.conditions(list)
	}
	return list
}

// faultsOf returns a filter that we refuse with conditions that we accept
// replaced by one that everybody accepts.
func faultsOf(source string) (string, error) {
	var v any
	if err := json.Unmarshal([]byte(source), &v); err != nil {
		return "", err
	}
	text, err := json.Marshal(withoutConditions(v))
	return string(text), err
}

func withoutConditions(v any) any {
	switch v := v.(type) {
	case []any:
		for i, e := range v {
			v[i] = withoutConditions(e)
		}
	case map[string]any:
		text, err := json.Marshal(v)
		if err == nil && len(v) == 1 {
			if t, err := treeOf(string(text)); err == nil && t.condition != "" && accepts(text) {
				return map[string]any{"exists": "x"}
			}
		}
		for name, e := range v {
			v[name] = withoutConditions(e)
		}
	}
	return v
}

func accepts(source []byte) bool {
	_, err := filter.Parse(source)
	return err == nil
}
