package filter

import "sync/atomic"

// The structures of an index have one writer at a time and any number of
// readers, who take no lock. What a reader can reach is either never changed, or
// changed by one atomic store.

// A slab is a growing array of cells that never move.
type slab[T any] struct {
	pages atomic.Pointer[[]*[pageSize]T]
}

const pageSize = 512

// at returns the cell of a number for which reserve was called.
func (s *slab[T]) at(i uint32) *T { return &(*s.pages.Load())[i/pageSize][i%pageSize] }

// reserve makes room up to a number.
func (s *slab[T]) reserve(i uint32) {
	old := s.pages.Load()
	if old == nil {
		old = new([]*[pageSize]T)
	}
	if i/pageSize < uint32(len(*old)) {
		return
	}
	pages := *old
	for i/pageSize >= uint32(len(pages)) {
		// What append writes is beyond the length that any reader has seen.
		pages = append(pages, new([pageSize]T))
	}
	s.pages.Store(&pages)
}

// A pool gives out numbers from 1. One that was given back is given out again
// only after the generation has changed: a reader that sees the same generation
// before and after has met no number in two meanings.
type pool struct {
	last    uint32   // the highest number given out so far
	free    []uint32 // given back before the last change of the generation
	resting []uint32 // given back since
}

// minResting is how many numbers rest before the generation changes. A reader
// begins anew when it does, so it must be rare: this many removals, or one for
// every four numbers, take much longer than a match.
const minResting = 4096

func (p *pool) take(generation *atomic.Uint64) uint32 {
	if len(p.free) == 0 && len(p.resting) >= max(minResting, int(p.last/4)) {
		generation.Add(1)
		p.free, p.resting = p.resting, p.free
	}
	if n := len(p.free); n > 0 {
		number := p.free[n-1]
		p.free = p.free[:n-1]
		return number
	}
	p.last++
	return p.last
}

func (p *pool) giveBack(number uint32) { p.resting = append(p.resting, number) }
