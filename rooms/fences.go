package rooms

import (
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// A Crossing is a document that comes to match the filter of a name, or ceases to.
type Crossing struct {
	Name   Name
	Change *persistence.Change
	Enters bool
}

// Fences says who is told of crossings. Whoever applies changes calls both functions.
type Fences struct {
	// Watched says whether anybody wants to know of a collection.
	Watched func(index, collection string) bool
	// Crossed is told of each crossing, in the order of the changes.
	Crossed func(Crossing)
}

// cross tells of the names whose filters a change makes a document match, or no more. Those
// that are about changes have nobody in them, and are left out.
func (e *Engine) cross(change *persistence.Change, all []affected) {
	if e.fences.Watched == nil || len(all) == 0 || !e.fences.Watched(change.Key.Index, change.Key.Collection) {
		return
	}
	moved := map[string]bool{} // by the hash of a room: whether the document enters it
	for _, a := range all {
		if a.transition != topics.Stay {
			moved[a.hash] = a.transition == topics.Enter
		}
	}
	if len(moved) == 0 {
		return
	}
	for _, n := range e.Names(change.Key.Index, change.Key.Collection) {
		enters, ok := moved[n.Filter.Hash(n.Index, n.Collection)]
		if ok && !n.Filter.Momentary() {
			e.fences.Crossed(Crossing{n, change, enters})
		}
	}
}
