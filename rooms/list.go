package rooms

import (
	"iter"
	"slices"

	"github.com/ambitmq/ambit/filter"
)

// An Occupancy is how many are in a room, connected or not.
type Occupancy struct {
	Index, Collection, Hash string
	Members                 int
	Filter                  *filter.Filter
	// Told is how many notifications its members were given since somebody came into it,
	// as things happened: one for each member.
	Told int64
}

// All yields the rooms there are, in no particular order. It must not call the
// engine. Where those are who subscribed by a name that points to none is no room.
func (e *Engine) All() iter.Seq[Occupancy] {
	return func(yield func(Occupancy) bool) {
		e.mu.RLock()
		defer e.mu.RUnlock()
		for name, c := range e.collections {
			for _, r := range c.rooms {
				if r.isLimbo() {
					continue
				}
				if !yield(r.occupancy(name)) {
					return
				}
			}
		}
	}
}

func (r *room) occupancy(name collectionName) Occupancy {
	return Occupancy{name.index, name.collection, r.hash, r.size(), r.filter, r.told.Load()}
}

// Find returns the room with a hash, if there is one.
func (e *Engine) Find(hash string) (Occupancy, bool) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	for name, c := range e.collections {
		if r := c.rooms[hash]; r != nil {
			return r.occupancy(name), true
		}
	}
	return Occupancy{}, false
}

// isLimbo says whether only those are in the room who subscribed by a name that points to
// none now.
func (r *room) isLimbo() bool {
	if r.named > 0 || !r.nothing {
		return false
	}
	return !slices.ContainsFunc(r.outlets, func(o outlet) bool { return o.to.Room.Name == "" })
}

// size counts those who are in the room, by however many topic filters.
func (r *room) size() int {
	if len(r.outlets) == 1 {
		return len(r.outlets[0].members) + len(r.outlets[0].paused)
	}
	all := map[string]bool{}
	for _, o := range r.outlets {
		for _, m := range o.members {
			all[m] = true
		}
		for m := range o.paused {
			all[m] = true
		}
	}
	return len(all)
}
