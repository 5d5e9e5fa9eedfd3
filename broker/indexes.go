package broker

import (
	"fmt"
	"slices"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

const (
	maxIndexes   = 32 // of one collection
	maxPathBytes = 512
)

// checkIndexes wants paths of fields.
func (c Collection) checkIndexes(k *check) {
	for _, s := range []struct {
		key   string
		paths []string
	}{{"index", c.Index}, {"geo", c.Geo}} {
		for i, path := range s.paths {
			key := fmt.Sprintf("%s[%d]", s.key, i)
			switch {
			case path == "" || len(path) > maxPathBytes:
				k.bad(key, quoted(path), fmt.Sprintf("a field, of %d bytes at most", maxPathBytes))
			case path == "_id":
				k.bad(key, quoted(path), "another field: documents are found by their id anyway")
			case slices.Contains(s.paths[:i], path):
				k.bad(key, quoted(path), "another field: it is there twice")
			}
		}
	}
	if n := len(c.Index) + len(c.Geo); n > maxIndexes {
		k.bad("index", n, fmt.Sprintf("no more than %d fields, those of geo included", maxIndexes))
	}
}

// indexes returns the search indexes that are declared.
func (c Config) indexes() []persistence.Index {
	var all []persistence.Index
	for _, col := range c.Collections {
		index, name, err := topics.ParseCollection(col.Name)
		if err != nil {
			continue // Validate has told
		}
		in := persistence.Collection{Index: index, Name: name}
		for _, path := range col.Index {
			all = append(all, persistence.Index{Collection: in, Name: filter.Index{Path: path}.Name()})
		}
		for _, path := range col.Geo {
			all = append(all, persistence.Index{Collection: in, Name: filter.Index{Path: path, Geo: true}.Name()})
		}
	}
	return all
}
