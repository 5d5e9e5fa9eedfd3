package api

import (
	"encoding/json"
	"strings"

	"github.com/ambitmq/ambit/jsonobject"
	"github.com/ambitmq/ambit/persistence"
)

// deleteFields removes fields, which are named by their dotted paths, from a document.
// Those that are not there are passed over.
func deleteFields(c *call) (any, error) {
	if err := c.writable(); err != nil {
		return nil, err
	}
	k, err := c.named(entry{ID: c.ID})
	if err != nil {
		return nil, err
	}
	fields, err := c.fields()
	if err != nil {
		return nil, err
	}
	gone := newCut(fields)
	w := c.write(k, func(before *persistence.Document) ([]byte, error) {
		if before == nil {
			return nil, c.missing(k)
		}
		return gone.from("", before.Body)
	})
	w.Origin.Update, w.Origin.Fields = true, fields
	outcomes, err := c.commit([]*persistence.Write{w})
	if err == nil {
		err = outcomes[0].err
	}
	if err != nil {
		return nil, err
	}
	h := c.hit(outcomes[0].change.After)
	if all, err := c.bool("source"); err != nil || !all {
		h.Source = nil
	}
	return h, nil
}

// fields returns those that the body lists.
func (c *call) fields() ([]string, error) {
	body, err := c.body()
	if err != nil {
		return nil, err
	}
	text, ok := body["fields"]
	if !ok {
		return nil, missing.with("fields")
	}
	var fields []string
	if json.Unmarshal(text, &fields) != nil {
		return nil, invalidType.with("fields", "array of strings")
	}
	size := 0
	for _, path := range fields {
		if size += len(path); len(path) > maxPathBytes || size > maxLeafBytes {
			return nil, invalidValue.with("fields", "paths of "+itoa(maxPathBytes)+" bytes at most, and "+itoa(maxLeafBytes)+" together")
		}
	}
	return fields, nil
}

// maxPathBytes is the longest path of a field that can be deleted.
const maxPathBytes = 1 << 10

// A cut removes members from an object, in one pass: this is done by the committer.
type cut struct {
	paths   map[string]bool
	parents map[string]bool // of paths
}

func newCut(paths []string) cut {
	c := cut{map[string]bool{}, map[string]bool{}}
	for _, path := range paths {
		c.paths[path] = true
		for i := range len(path) {
			if path[i] == '.' {
				c.parents[path[:i]] = true
			}
		}
	}
	return c
}

// from returns an object, which is found at a path that ends with a dot or is "", without
// what is cut.
func (c cut) from(prefix string, object []byte) ([]byte, error) {
	all, err := jsonobject.Members(object)
	if err != nil {
		return nil, err
	}
	left := all[:0]
	for _, m := range all {
		path := prefix + m.Name
		switch {
		case c.paths[path]:
			continue
		case c.parents[path] && jsonobject.Is(m.Value):
			if m.Value, err = c.from(path+".", m.Value); err != nil {
				return nil, err
			}
		}
		left = append(left, m)
	}
	return jsonobject.Append(make([]byte, 0, len(object)), left), nil
}

// getMapping says what is known of the fields of a collection beforehand: nothing.
func getMapping(c *call) (any, error) {
	if err := c.collection(); err != nil {
		return nil, err
	}
	if err := c.mustExist(); err != nil {
		return nil, err
	}
	type none struct{}
	return struct {
		Dynamic    string `json:"dynamic"`
		Meta       none   `json:"_meta"`
		Properties none   `json:"properties"`
	}{Dynamic: "true"}, nil
}

// getSettings says what the settings of the broker say of a collection.
func getSettings(c *call) (any, error) {
	if err := c.collection(); err != nil {
		return nil, err
	}
	if err := c.mustExist(); err != nil {
		return nil, err
	}
	s, declared := c.opts.Collections[strings.Join([]string{c.Index, c.Collection}, "/")]
	return struct {
		Declared  bool  `json:"declared"`
		TTL       int64 `json:"ttl"` // in milliseconds
		Ephemeral bool  `json:"ephemeral"`
	}{declared, s.TTL.Milliseconds(), s.Ephemeral}, nil
}
