package filter

import (
	"maps"
	"slices"
)

// Homes finds filters that are refused again and again under the conditions that
// were chosen for them, and moves them to better ones. It is the writer's alone,
// and does a little with every change.
//
// It searches for the documents of the sample as a reader would, and notes whom
// that refuses. Those to which a much rarer condition leads move, together:
//
//  1. the program becomes one that tests the whole filter, late and once;
//  2. the filter is noted under the new conditions, besides the old ones;
//  3. it is taken from under the old ones;
//  4. the program becomes the one for the new conditions.
//
// A reader that sees two neighbouring steps mixed finds the filter once, and one
// that saw three might not. So between the steps the generation changes, at
// which readers begin anew.
type homes struct {
	stage   int    // of stages
	next    int    // which document, suspect or move is next
	changes int    // since the last round began
	taken   uint64 // how many documents the sample had taken then

	search   search
	refusals int            // in all
	refused  map[uint32]int // for how many documents of the sample each filter was
	suspects []uint32       // those filters, if they are worth it
	moves    []move
}

// A move is one of an entry.
type move struct {
	id      uint32
	detail  *detail  // while it is the entry's, the entry is the one that is meant
	access  []uint32 // the new ones, each with a user more
	program *program // for then
}

const (
	// roundChanges is how many changes there are from one round to the next at
	// least: readers must find the time to match between. roundDocuments is how
	// many documents the sample must have taken meanwhile.
	roundChanges   = 1024
	roundDocuments = 4
	// bearable is how many refusals a document may cost on average. A change of the
	// generation costs more: no Standing is of use any more.
	bearable = 8
	// maxSuspects is how many filters move together at most.
	maxSuspects = 4096
	// worthwhile is how many times rarer the new conditions must be.
	worthwhile = 8
)

// tend begins a round, or goes on with it by as much as one change may cost: all
// steps of a move take some 20 µs.
func (x *index) tend() {
	h := &x.homes
	h.changes++
	switch h.stage {
	case 0:
		if taken := x.sample.taken.Load(); h.changes >= roundChanges && taken >= h.taken+roundDocuments {
			h.changes, h.taken, h.stage, h.refused = 0, taken, 1, map[uint32]int{}
		}
	case 1:
		if x.proceed(1, sampleSize, x.replay); h.stage > 1 && h.refusals >= bearable*x.sample.size() {
			h.suspects = slices.Sorted(maps.Keys(h.refused))
		}
	case 2:
		x.proceed(8, len(h.suspects), x.plan)
	case 3:
		x.proceed(8, len(h.moves), x.widen)
	case 4:
		x.proceed(8, len(h.moves), x.narrow)
	case 5:
		x.proceed(8, len(h.moves), x.settle)
	default:
		*h = homes{changes: h.changes, taken: h.taken, search: h.search}
	}
}

// proceed does a few of so many, and goes on to the next stage after the last.
func (x *index) proceed(few, of int, do func(i int)) {
	h := &x.homes
	for range few {
		if h.next == of {
			h.stage, h.next = h.stage+1, 0
			if len(h.moves) > 0 {
				x.generation.Add(1)
			}
			return
		}
		do(h.next)
		h.next++
	}
}

// replay searches for a document of the sample.
func (x *index) replay(i int) {
	h := &x.homes
	d := x.sample.documents[i].Load()
	if d == nil {
		return
	}
	h.search.blame = func(id uint32) {
		h.refusals++
		if h.refused[id] > 0 || len(h.refused) < maxSuspects {
			h.refused[id]++
		}
	}
	h.search.look(x, d)
}

// plan moves a suspect, if there is a better home for it.
func (x *index) plan(i int) {
	id := x.homes.suspects[i]
	d := x.entries.at(id).detail.Load()
	if d == nil || d.text == "" {
		return
	}
	f, err := ParseWithin([]byte(d.text), NoLimits())
	if err != nil {
		return // not of a filter that was parsed
	}
	share := float64(x.homes.refused[id]) / float64(x.sample.size())
	if c, ok := x.coverBelow(f.root, share/worthwhile); ok && !x.isHome(d, c) {
		x.move(id, d, f.root, c)
	}
}

// isHome reports whether an entry is noted under all conditions of a cover.
func (x *index) isHome(d *detail, c cover) bool {
	return !slices.ContainsFunc(c.access, func(n node) bool {
		id := x.entryOf(x.printOf(n))
		return id == 0 || !slices.Contains(d.access, id)
	})
}

// move plans the move of a filter to a cover, and makes its first step.
func (x *index) move(id uint32, d *detail, root node, c cover) {
	planned := new(detail)
	for _, a := range c.access {
		x.access(planned, x.intern(a))
	}
	x.homes.moves = append(x.homes.moves, move{id, d, planned.access, x.compile(c.rest, planned.repeats())})
	x.dismiss(x.entries.at(id).program.Swap(x.compile(root, asFilter)))
	x.noteReads(id, nil)
}

// widen notes an entry under its new conditions as well.
func (x *index) widen(i int) {
	m := &x.homes.moves[i]
	e := x.entries.at(m.id)
	if e.detail.Load() != m.detail { // it was removed
		for _, under := range m.access {
			x.release(under)
		}
		x.dismiss(m.program)
		m.id = 0
		return
	}
	both := &detail{access: slices.Clone(m.detail.access), text: m.detail.text}
	for _, under := range m.access {
		if slices.Contains(m.detail.access, under) {
			x.release(under)
			continue
		}
		both.access = append(both.access, under)
		x.note(m.id, under)
		x.spread(under, reading(e.reach.bits.Load()))
	}
	m.become(e, both)
	x.noteReads(m.id, nil)
}

// narrow takes an entry from under its old conditions.
func (x *index) narrow(i int) {
	m := &x.homes.moves[i]
	e, ok := x.stillMoves(m)
	if !ok {
		return
	}
	for _, under := range m.detail.access {
		if !slices.Contains(m.access, under) {
			x.unnote(m.id, under)
			x.release(under)
		}
	}
	m.become(e, &detail{access: m.access, text: m.detail.text})
}

// settle ends a move.
func (x *index) settle(i int) {
	m := &x.homes.moves[i]
	if e, ok := x.stillMoves(m); ok {
		x.dismiss(e.program.Swap(m.program))
	}
}

// stillMoves returns the entry of a move that was widened, unless it was removed
// since.
func (x *index) stillMoves(m *move) (*entry, bool) {
	e := x.entries.at(m.id)
	if m.id == 0 || e.detail.Load() == m.detail {
		return e, m.id != 0
	}
	x.dismiss(m.program)
	m.id = 0
	return e, false
}

func (m *move) become(e *entry, d *detail) {
	e.detail.Store(d)
	m.detail = d
}

// finish ends the round, for a matcher that is empty.
func (x *index) finish() {
	for x.homes.stage > 0 {
		x.tend()
	}
}
