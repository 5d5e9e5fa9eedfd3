package api

import (
	"context"
	"maps"
	"slices"

	"github.com/ambitmq/ambit/persistence"
)

// A collectionSize says what is in a collection.
type collectionSize struct {
	Name          string `json:"name"`
	DocumentCount int    `json:"documentCount"`
	// Size is how many bytes the documents have.
	Size int `json:"size"`
}

// An indexSize says what is in an index.
type indexSize struct {
	Name        string           `json:"name"`
	Size        int              `json:"size"`
	Collections []collectionSize `json:"collections"`
}

// indexStats counts the documents of all indexes, and their bytes. It looks at a limited
// number, as a search does.
func indexStats(c *call) (any, error) {
	select {
	case c.scans <- struct{}{}:
		defer func() { <-c.scans }()
	case <-c.ctx.Done():
		return nil, c.ctx.Err()
	}
	snap := c.store.Snapshot()
	defer snap.Close()
	names, err := c.byIndex(snap)
	if err != nil {
		return nil, err
	}
	var result struct {
		Size    int         `json:"size"`
		Indexes []indexSize `json:"indexes"`
		scan
	}
	result.Indexes = []indexSize{}
	for _, index := range slices.Sorted(maps.Keys(names)) {
		x := indexSize{Name: index, Collections: []collectionSize{}}
		for _, name := range slices.Sorted(maps.Keys(names[index])) {
			size, err := measure(c.ctx, snap, index, name, &result.scan, c.opts.ScanDocuments)
			if err != nil {
				return nil, err
			}
			x.Collections = append(x.Collections, size)
			x.Size += size.Size
		}
		result.Indexes = append(result.Indexes, x)
		result.Size += x.Size
	}
	return result, nil
}

// byIndex returns the names of all collections, by that of their index: no more than an
// answer may have.
func (c *call) byIndex(snap *persistence.Snapshot) (map[string]map[string]bool, error) {
	names, n := map[string]map[string]bool{}, 0
	for name, err := range c.names(snap) {
		if err != nil {
			return nil, err
		}
		of := names[name.Index]
		if of == nil {
			of = map[string]bool{}
			names[name.Index] = of
			n++
		}
		if name.Name != "" && !of[name.Name] && c.findsAll(name.Index, name.Name) {
			of[name.Name] = true
			n++
		}
		if n > c.opts.ReadDocuments {
			return nil, getLimit.with(c.opts.ReadDocuments)
		}
	}
	return names, nil
}

// measure counts the documents of a collection, until as many were looked at as may be.
func measure(ctx context.Context, snap *persistence.Snapshot, index, name string, s *scan, most int) (collectionSize, error) {
	size := collectionSize{Name: name}
	for doc, err := range snap.Documents(index, name, "") {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return size, err
		}
		if s.Scanned == most {
			s.Partial = true
			break
		}
		s.Scanned++
		size.DocumentCount++
		size.Size += len(doc.Body)
	}
	return size, nil
}
