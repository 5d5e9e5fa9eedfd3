package rooms

import (
	"cmp"
	"slices"
	"time"

	"github.com/ambitmq/ambit/filter"
)

// A Name points to a filter of a collection: who subscribes by the name is told by
// the filter that it points to then, and from each change of that on by another one.
type Name struct {
	Index, Collection, Name string
	Filter                  *filter.Filter
	// User is who gave the name this filter, at Time.
	User string
	Time time.Time
	// Configured says that it is a setting of the node.
	Configured bool
}

// SetName has a name point to a filter from the next change on, whose room there is
// then, whether or not anybody is in it. Who subscribed by the name goes over by
// himself. docs are as for Join.
func (e *Engine) SetName(n Name, docs Documents) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	name := collectionName{n.Index, n.Collection}
	c := e.collections[name]
	if c == nil {
		c = &collection{rooms: map[string]*room{}}
	}
	r, err := c.room(n.Filter, name, docs)
	if err != nil {
		return err
	}
	e.collections[name] = c
	r.named++
	if old, ok := c.names[n.Name]; ok {
		e.unname(c, name, old)
	}
	if c.names == nil {
		c.names = map[string]Name{}
	}
	c.names[n.Name] = n
	return nil
}

// DropName has a name point to nothing. It may be absent.
func (e *Engine) DropName(index, collection, roomName string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	name := collectionName{index, collection}
	c := e.collections[name]
	if c == nil {
		return
	}
	if old, ok := c.names[roomName]; ok {
		delete(c.names, roomName)
		e.unname(c, name, old)
	}
}

// unname undoes what a name did for its room.
func (e *Engine) unname(c *collection, name collectionName, n Name) {
	r := c.rooms[n.Filter.Hash(n.Index, n.Collection)]
	r.named--
	e.closeUnused(c, r, name)
}

// Named returns what a name points to.
func (e *Engine) Named(index, collection, name string) (Name, bool) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	c := e.collections[collectionName{index, collection}]
	if c == nil {
		return Name{}, false
	}
	n, ok := c.names[name]
	return n, ok
}

// Names returns the names of a collection in their order; of all collections, if both
// are "".
func (e *Engine) Names(index, collection string) []Name {
	e.mu.RLock()
	defer e.mu.RUnlock()
	var all []Name
	for name, c := range e.collections {
		if (name == collectionName{index, collection}) || index+collection == "" {
			for _, n := range c.names {
				all = append(all, n)
			}
		}
	}
	slices.SortFunc(all, func(a, b Name) int {
		return cmp.Or(cmp.Compare(a.Index, b.Index), cmp.Compare(a.Collection, b.Collection), cmp.Compare(a.Name, b.Name))
	})
	return all
}

// A Membership is one member of a room, and the topic filter by which it is.
type Membership struct{ Member, TopicFilter string }

// Called returns who is told by a name, of whichever room: what somebody may see decides
// about that, too.
func (e *Engine) Called(index, collection, name string) []Membership {
	e.mu.RLock()
	defer e.mu.RUnlock()
	c := e.collections[collectionName{index, collection}]
	if c == nil {
		return nil
	}
	var all []Membership
	for _, r := range c.rooms {
		for _, o := range r.outlets {
			if o.to.Room.Name != name {
				continue
			}
			for _, member := range o.members {
				all = append(all, Membership{member, o.to.Text})
			}
		}
	}
	slices.SortFunc(all, func(a, b Membership) int {
		return cmp.Or(cmp.Compare(a.TopicFilter, b.TopicFilter), cmp.Compare(a.Member, b.Member))
	})
	return all
}
