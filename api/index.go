package api

import (
	"encoding/json"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/ambitmq/ambit/persistence"
)

// indexActions is the table of the controller index.
func indexActions() map[string]action {
	return map[string]action{
		"create": createIndex, "exists": indexExistsAction, "list": listIndexes,
		"delete": deleteIndex, "mDelete": deleteIndexes, "stats": indexStats,
	}
}

// An acknowledgement is the answer of what has nothing else to say.
type acknowledgement struct {
	Acknowledged bool `json:"acknowledged"`
}

// names yields the collections that hold documents, were created, or are
// declared; some of them more than once. An index that was created is one without
// a name.
func (c *call) names(snap *persistence.Snapshot) iter.Seq2[persistence.Collection, error] {
	return func(yield func(persistence.Collection, error) bool) {
		for name := range c.opts.Collections {
			index, collection, _ := strings.Cut(name, "/")
			if !yield(persistence.Collection{Index: index, Name: collection}, nil) {
				return
			}
		}
		for _, all := range []iter.Seq2[persistence.Collection, error]{snap.NamedCollections(), snap.Collections()} {
			for name, err := range all {
				if err == nil {
					err = c.ctx.Err()
				}
				if !yield(name, err) || err != nil {
					return
				}
			}
		}
	}
}

// any says whether there is a collection like that.
func (c *call) any(is func(persistence.Collection) bool) (bool, error) {
	snap := c.store.Snapshot()
	defer snap.Close()
	for name, err := range c.names(snap) {
		if err != nil {
			return false, err
		}
		if is(name) && c.knows(name) {
			return true, nil
		}
	}
	return false, nil
}

func (c *call) indexExists() (bool, error) {
	return c.any(func(name persistence.Collection) bool { return name.Index == c.Index })
}

// listed returns the texts of collections that are not "", sorted, each once, and
// no more than an answer may have.
func (c *call) listed(text func(persistence.Collection) string) ([]string, error) {
	snap := c.store.Snapshot()
	defer snap.Close()
	set := map[string]bool{}
	for name, err := range c.names(snap) {
		if err != nil {
			return nil, err
		}
		if t := text(name); t != "" && c.knows(name) {
			set[t] = true
		}
		if len(set) > c.opts.ReadDocuments {
			return nil, getLimit.with(c.opts.ReadDocuments)
		}
	}
	names := slices.AppendSeq(make([]string, 0, len(set)), maps.Keys(set)) // none are [] in JSON, not null
	slices.Sort(names)
	return names, nil
}

// record writes records, and waits until they are on disk.
func (c *call) record(records ...persistence.Record) error {
	done := make(chan error, 1)
	op := &persistence.Op{Records: records, Applied: func(r *persistence.Result) { done <- r.Err }}
	if err := c.store.Append(c.ctx, op); err != nil {
		return err
	}
	select {
	case err := <-done:
		return err
	case <-c.ctx.Done():
		return c.ctx.Err()
	}
}

// creatable says whether the API may create indexes and collections.
func (c *call) creatable() error {
	if c.opts.AutoCreate {
		return nil
	}
	return notSupported.with(c.Controller, c.Action, "collections are declared in the settings (auto_create is off)")
}

func createIndex(c *call) (any, error) {
	if err := c.index(); err != nil {
		return nil, err
	}
	if err := c.creatable(); err != nil {
		return nil, err
	}
	exists, err := c.indexExists()
	if err == nil && exists {
		err = indexExists.with(c.Index)
	}
	if err != nil {
		return nil, err
	}
	return acknowledgement{true}, c.record(persistence.PutCollection(persistence.Collection{Index: c.Index}))
}

func indexExistsAction(c *call) (any, error) {
	if err := c.index(); err != nil {
		return nil, err
	}
	return c.indexExists()
}

func listIndexes(c *call) (any, error) {
	indexes, err := c.listed(func(name persistence.Collection) string { return name.Index })
	return struct {
		Indexes []string `json:"indexes"`
	}{indexes}, err
}

// deleteIndex deletes an index with all that is in it.
func deleteIndex(c *call) (any, error) {
	if err := c.index(); err != nil {
		return nil, err
	}
	exists, err := c.indexExists()
	if err == nil && !exists {
		err = unknownIndex.with(c.Index)
	}
	if err != nil {
		return nil, err
	}
	return acknowledgement{true}, c.dropIndex(c.Index)
}

func (c *call) dropIndex(index string) error {
	collections, err := c.collectionsOf(index)
	if err != nil {
		return err
	}
	records := []persistence.Record{persistence.DeleteCollection(persistence.Collection{Index: index})}
	for _, name := range collections {
		if err := c.truncate(index, name); err != nil {
			return err
		}
		records = append(records, persistence.DeleteCollection(persistence.Collection{Index: index, Name: name}))
	}
	return c.record(records...)
}

// collectionsOf returns all collections of an index, whether the caller knows of them or not.
func (c *call) collectionsOf(index string) ([]string, error) {
	everybody := *c
	everybody.rights = nil
	return everybody.listed(func(name persistence.Collection) string {
		if name.Index != index {
			return ""
		}
		return name.Name
	})
}

// deleteIndexes deletes those that the body lists and that there are.
func deleteIndexes(c *call) (any, error) {
	body, err := c.body()
	if err != nil {
		return nil, err
	}
	text, ok := body["indexes"]
	if !ok {
		return nil, missing.with("indexes")
	}
	var indexes []string
	if json.Unmarshal(text, &indexes) != nil {
		return nil, invalidType.with("indexes", "array of strings")
	}
	if len(indexes) > c.opts.WriteDocuments {
		return nil, writeLimit.with(c.opts.WriteDocuments)
	}
	deleted := []string{}
	for _, c.Index = range indexes {
		exists, err := c.indexExists()
		if err == nil && exists {
			err = c.dropIndex(c.Index)
		}
		if err != nil {
			return nil, err
		}
		if exists {
			deleted = append(deleted, c.Index)
		}
	}
	c.Index = ""
	return struct {
		Deleted []string `json:"deleted"`
	}{deleted}, nil
}
