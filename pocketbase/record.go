package pocketbase

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/ambitmq/ambit/jsonobject"
)

// system are the members that a record has besides its own. Whoever writes a record back
// sends them, too; they are not stored.
var system = map[string]bool{
	"id": true, "collectionId": true, "collectionName": true, "created": true, "updated": true, "expand": true, "_kuzzle_info": true,
}

// A hit is a document as the API has it.
type hit struct {
	ID     string          `json:"_id"`
	Source json.RawMessage `json:"_source"`
}

// record returns a document as a record of a collection.
func (h hit) record(collection string) (json.RawMessage, error) {
	members := []jsonobject.Member{
		{Name: "collectionId", Value: text(collection)}, {Name: "collectionName", Value: text(collection)}, {Name: "id", Value: text(h.ID)},
	}
	if len(h.Source) > 0 {
		own, err := jsonobject.Members(h.Source)
		if err != nil {
			return nil, err
		}
		var info struct{ CreatedAt, UpdatedAt *int64 }
		for _, m := range own {
			if m.Name == "_kuzzle_info" {
				_ = json.Unmarshal(m.Value, &info) // it is the broker's own
			}
			if !system[m.Name] {
				members = append(members, m)
			}
		}
		members = append(members, times(info.CreatedAt, info.UpdatedAt)...)
	}
	return jsonobject.Append(nil, members), nil
}

// times returns when a record was created and changed last. Of one that may not be seen any more
// that is not known.
func times(created, updated *int64) []jsonobject.Member {
	if created == nil || *created == 0 {
		return nil
	}
	if updated == nil {
		updated = created
	}
	at := func(ms int64) []byte { return text(time.UnixMilli(ms).UTC().Format("2006-01-02 15:04:05.000Z")) }
	return []jsonobject.Member{{Name: "created", Value: at(*created)}, {Name: "updated", Value: at(*updated)}}
}

func text(s string) []byte {
	b, _ := json.Marshal(s) // a string has no error
	return b
}

// stored returns the members of a record that are its own.
func stored(body map[string]json.RawMessage) (object, error) {
	own := object{}
	for name, value := range body {
		if strings.HasSuffix(name, "+") || strings.HasSuffix(name, "-") || strings.HasPrefix(name, "+") {
			return nil, invalid(name, "validation_unsupported_modifier", "Modifiers of fields (+ and -) are not supported.")
		}
		if !system[name] {
			own[name] = value
		}
	}
	return own, nil
}

// fields are the paths that are wanted of records; nil is all of them.
type fields [][]string

// readFields reads a list of paths. The error says which has no meaning here.
func readFields(list string) (fields, error) {
	var all fields
	for path := range strings.SplitSeq(list, ",") {
		if path = strings.TrimSpace(path); path == "" {
			continue
		}
		if path == "*" {
			path = ""
		}
		if strings.ContainsAny(path, ":*") {
			return nil, badRequest("fields: " + path + " has no meaning here: a field is a path, without modifiers.")
		}
		if path == "" {
			return nil, nil
		}
		all = append(all, strings.Split(path, "."))
	}
	return all, nil
}

// of returns what is wanted of an object.
func (f fields) of(text []byte) []byte {
	if f == nil {
		return text
	}
	members, err := jsonobject.Members(text)
	if err != nil {
		return text // it is no object, and has nothing that could be left out
	}
	var kept []jsonobject.Member
	for _, m := range members {
		var inside fields
		whole := false
		for _, path := range f {
			if path[0] == m.Name {
				whole = whole || len(path) == 1
				inside = append(inside, path[1:])
			}
		}
		switch {
		case whole:
			kept = append(kept, m)
		case inside != nil && jsonobject.Is(m.Value):
			m.Value = inside.of(m.Value)
			kept = append(kept, m)
		}
	}
	return jsonobject.Append(nil, kept)
}
