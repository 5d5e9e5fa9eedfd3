package api

import (
	"slices"

	"github.com/ambitmq/ambit/persistence"
)

// collectionActions is the table of the controller collection.
func collectionActions() map[string]action {
	return map[string]action{
		"create": createCollection, "exists": collectionExists, "list": listCollections,
		"truncate": truncateCollection, "delete": deleteCollection, "refresh": refresh,
		"getMapping": getMapping, "getSettings": getSettings,
		"getSpecifications": getSpecifications, "deleteSpecifications": deleteSpecifications,
		"searchSpecifications": searchSpecifications,
	}
}

// truncatePiece is how many documents are deleted at a time.
const truncatePiece = 1000

// createCollection creates a collection; one that is there is left as it is, as in
// Kuzzle.
func createCollection(c *call) (any, error) {
	if err := c.collection(); err != nil {
		return nil, err
	}
	if err := c.creatable(); err != nil {
		return nil, err
	}
	if _, ok := c.args["body"]; ok {
		body, err := c.body()
		if err != nil {
			return nil, err
		}
		if err := c.mapped(body); err != nil {
			return nil, err
		}
	}
	return acknowledgement{true}, c.record(
		persistence.PutCollection(persistence.Collection{Index: c.Index}),
		persistence.PutCollection(persistence.Collection{Index: c.Index, Name: c.Collection}))
}

func (c *call) collectionExists() (bool, error) {
	return c.any(func(name persistence.Collection) bool { return name.Index == c.Index && name.Name == c.Collection })
}

func collectionExists(c *call) (any, error) {
	if err := c.collection(); err != nil {
		return nil, err
	}
	return c.collectionExists()
}

// refresh has nothing to do: what was answered is found.
func refresh(c *call) (any, error) { return nil, c.collection() }

// listCollections lists those of an index that are stored, and those that have
// rooms and hold nothing.
func listCollections(c *call) (any, error) {
	type entry struct {
		Name string `json:"name"`
		Type string `json:"type"`
	}
	if err := c.index(); err != nil {
		return nil, err
	}
	kind, err := c.string("type")
	if err != nil {
		return nil, err
	}
	if kind == "" {
		kind = "all"
	}
	if !slices.Contains([]string{"all", "stored", "realtime"}, kind) {
		return nil, invalidValue.with("type", `"all", "stored" or "realtime"`)
	}
	from, size, err := c.window(c.opts.ReadDocuments, c.opts.ReadDocuments)
	if err != nil {
		return nil, err
	}
	stored, err := c.listed(func(name persistence.Collection) string {
		if name.Index != c.Index {
			return ""
		}
		return name.Name
	})
	if err != nil {
		return nil, err
	}
	all := []entry{}
	if kind != "realtime" {
		for _, name := range stored {
			all = append(all, entry{name, "stored"})
		}
	}
	if kind != "stored" {
		for _, name := range c.realtimeCollections() {
			if _, is := slices.BinarySearch(stored, name); !is {
				all = append(all, entry{name, "realtime"})
			}
		}
	}
	if size == 0 { // as in Kuzzle, whose clients say so
		size = c.opts.ReadDocuments
	}
	all = all[min(from, len(all)):]
	return struct {
		Type        string  `json:"type"`
		Collections []entry `json:"collections"`
	}{kind, all[:min(size, len(all))]}, nil
}

// realtimeCollections returns the collections of the index that have rooms.
func (c *call) realtimeCollections() []string {
	var names []string
	for room := range c.rooms.All() {
		if room.Index == c.Index && c.lists(room.Index, room.Collection) && !slices.Contains(names, room.Collection) && len(names) < c.opts.ReadDocuments {
			names = append(names, room.Collection)
		}
	}
	slices.Sort(names)
	return names
}

// truncateCollection deletes all documents of a collection: rooms are told of
// each.
func truncateCollection(c *call) (any, error) {
	if err := c.collection(); err != nil {
		return nil, err
	}
	if err := c.mustExist(); err != nil {
		return nil, err
	}
	return acknowledgement{true}, c.truncate(c.Index, c.Collection)
}

func (c *call) mustExist() error {
	exists, err := c.collectionExists()
	if err == nil && !exists {
		err = unknownName.with(c.Index, c.Collection)
	}
	return err
}

func deleteCollection(c *call) (any, error) {
	if err := c.collection(); err != nil {
		return nil, err
	}
	if err := c.mustExist(); err != nil {
		return nil, err
	}
	if err := c.truncate(c.Index, c.Collection); err != nil {
		return nil, err
	}
	return nil, c.record(persistence.DeleteCollection(persistence.Collection{Index: c.Index, Name: c.Collection}))
}

// truncate deletes the documents that are in a collection now, piece by piece.
func (c *call) truncate(index, collection string) error {
	if err := c.mayEmpty(index, collection); err != nil {
		return err
	}
	snap := c.store.Snapshot()
	defer snap.Close()
	done, last := 0, ""
	for {
		var writes []*persistence.Write
		for doc, err := range snap.Documents(index, collection, last) {
			if err != nil {
				return err
			}
			writes = append(writes, c.write(doc.Key, func(*persistence.Document) ([]byte, error) { return nil, nil }))
			if last = doc.Key.ID; len(writes) == truncatePiece {
				break
			}
		}
		if len(writes) == 0 {
			return nil
		}
		outcomes, err := c.commit(writes)
		if err != nil {
			return incomplete.with(done)
		}
		for _, o := range outcomes {
			if o.err != nil {
				return o.err
			}
		}
		done += len(writes)
	}
}
