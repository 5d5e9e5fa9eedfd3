package rooms

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// Documents are those of the store at the moment of a Join, as a
// persistence.Snapshot has them.
type Documents interface {
	// Get returns persistence.ErrNotFound for a document that is not there.
	Get(persistence.Key) (*persistence.Document, error)
}

var _ Documents = (*persistence.Snapshot)(nil)

// Check returns an error if to, a topics.Room or topics.Scope, could never be
// told anything of the filter f: one that is momentary matches changes, so that
// documents enter its scope and are not in it afterwards. Nor is f for the rule view if
// it does not name its documents.
func Check(to topics.Filter, f *filter.Filter) error {
	if _, ok := f.Own().IDs(); to.Room.Options.View && !ok {
		return errors.New("option rule: view is for a filter that names its documents by ids")
	}
	switch {
	case !f.Momentary():
		return nil
	case to.Kind == topics.Scope:
		return errors.New("a filter with changed, crossed or near matches changes: nothing is in scope between them, so there is no $scope")
	case to.Room.Options.Transitions&topics.Enter == 0:
		return errors.New("a filter with changed, crossed or near matches changes: there is no transition but enter, which the options leave out")
	}
	return nil
}

// Moments are the rooms of a collection whose filters are momentary. They are
// asked about each change, once, and nothing follows from the answer.
type moments struct {
	rooms      int
	matcher    filter.Matcher[*room]
	neighbours map[string]map[string]*neighbour // of all rooms, by id and path
}

// A neighbour is where a document is that filters name, by a path.
type neighbour struct {
	position atomic.Pointer[filter.Position]
	rooms    int
}

// open adds a room, and finds the documents that its filter names.
func (m *moments) open(r *room, name collectionName, docs Documents) error {
	named := r.filter.Neighbours()
	found := map[string]*filter.Document{}
	for _, n := range named {
		if _, ok := found[n.ID]; ok {
			continue
		}
		var err error
		if found[n.ID], err = fetch(docs, persistence.Key{Index: name.index, Collection: name.collection, ID: n.ID}); err != nil {
			return err
		}
	}
	for _, n := range named {
		m.openNeighbour(n, found[n.ID])
	}
	m.rooms++
	m.matcher.Add(r, r.filter)
	return nil
}

// fetch returns a document ready to be matched, or nil.
func fetch(docs Documents, k persistence.Key) (*filter.Document, error) {
	doc, err := docs.Get(k)
	if errors.Is(err, persistence.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("rooms: neighbour %s: %w", k.ID, err)
	}
	return Prepare(doc)
}

func (m *moments) openNeighbour(n filter.Neighbour, d *filter.Document) {
	if m.neighbours == nil {
		m.neighbours = map[string]map[string]*neighbour{}
	}
	paths := m.neighbours[n.ID]
	if paths == nil {
		paths = map[string]*neighbour{}
		m.neighbours[n.ID] = paths
	}
	if paths[n.Path] == nil {
		paths[n.Path] = new(neighbour)
		paths[n.Path].report(n.Path, d)
	}
	paths[n.Path].rooms++
}

// close removes a room, and forgets the documents that no other one names.
func (m *moments) close(r *room) {
	m.rooms--
	m.matcher.Remove(r)
	for _, n := range r.filter.Neighbours() {
		paths := m.neighbours[n.ID]
		if paths[n.Path].rooms--; paths[n.Path].rooms == 0 {
			delete(paths, n.Path)
		}
		if len(paths) == 0 {
			delete(m.neighbours, n.ID)
		}
	}
}

// report notes where a document is now; nil is nowhere.
func (n *neighbour) report(path string, d *filter.Document) {
	var p filter.Position
	if d != nil {
		p = d.Position(path)
	}
	n.position.Store(&p)
}

func (m *moments) where(n filter.Neighbour) filter.Position {
	if known := m.neighbours[n.ID][n.Path]; known != nil {
		return *known.position.Load()
	}
	return filter.Position{}
}

// affected adds the rooms that a change matches to those that are affected
// otherwise. From then on the document is where the change has put it.
func (m *moments) affected(others []affected, change *persistence.Change, previous func() (*filter.Document, error), after *filter.Document) ([]affected, error) {
	if m.rooms == 0 {
		return others, nil
	}
	before, err := previous()
	if err != nil {
		return nil, err
	}
	if after != nil {
		after.Follow(before)
		after.Among(m.where)
		for _, r := range m.matcher.Match(nil, after) {
			others = append(others, affected{hash: r.hash, filter: r.filter, transition: topics.Enter, outlets: r.outlets, told: &r.told})
		}
	}
	for path, n := range m.neighbours[change.Key.ID] {
		n.report(path, after)
	}
	return others, nil
}

// prepareVersion is prepare for a version that may not be there.
func prepareVersion(doc *persistence.Document) (*filter.Document, error) {
	if doc == nil {
		return nil, nil
	}
	return Prepare(doc)
}
