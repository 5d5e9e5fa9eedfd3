package geofilter

import "sync/atomic"

// Epochs count what was added, by place, so that a Trail can tell whether that
// concerns it. A shape counts in cells of one level, of a size that it touches
// few of them; a place is in a cell of each level.
type epochs struct {
	table atomic.Pointer[epochTable]
}

// An epochTable has as many counters as there are shapes, and a cell is counted
// at one of them: cells that share one are mistaken for each other rarely.
type epochTable struct {
	generation uint64 // of the table: a larger one takes the place of the last
	counts     []atomic.Uint32
}

// The levels of cells that count are 1, 4, 7, 10 and 13, of 1 km.
const (
	finestEpoch = 13
	epochStep   = 3
	minEpochs   = 1 << 10
)

// epochLevel returns the level at which a shape counts, by its finest cells.
func epochLevel(finest int) int {
	level := max(1, min(finest, finestEpoch))
	return level - (level-1)%epochStep
}

// An epochCell is a cell of the finest level that counts.
type epochCell uint32

func epochCellOf(face int, i, j uint32) epochCell {
	const rest = deepest - finestEpoch
	return epochCell(uint32(face)<<(2*finestEpoch) | i>>rest<<finestEpoch | j>>rest)
}

// stamp returns a number that changes when a shape is added at a cell.
func (e *epochs) stamp(c epochCell) uint64 {
	t := e.table.Load()
	if t == nil {
		return 0
	}
	stamp := t.generation << 40
	const side = 1<<finestEpoch - 1
	face, i, j := uint32(c)>>(2*finestEpoch), uint32(c)>>finestEpoch&side, uint32(c)&side
	for level := finestEpoch; level > 0; level -= epochStep {
		stamp += uint64(t.at(face, level, i, j).Load())
		i, j = i>>epochStep, j>>epochStep
	}
	return stamp
}

// at returns the counter of a cell.
func (t *epochTable) at(face uint32, level int, i, j uint32) *atomic.Uint32 {
	key := uint64(face)<<5 | uint64(level)
	key = key<<finestEpoch | uint64(i)
	key = key<<finestEpoch | uint64(j)
	key *= 0x9e3779b97f4a7c15
	return &t.counts[(key^key>>32)&uint64(len(t.counts)-1)]
}

// reserve makes room for so many shapes.
func (e *epochs) reserve(shapes int) {
	generation, size := uint64(1), minEpochs
	if t := e.table.Load(); t != nil {
		if shapes <= len(t.counts) {
			return
		}
		generation, size = t.generation+1, 2*len(t.counts)
	}
	e.table.Store(&epochTable{generation, make([]atomic.Uint32, size)})
}

// count counts a shape in c, of which a nil outline holds all. Only when an Index
// knows the shape in c may it be counted: else a Trail could miss both.
func (e *epochs) count(c cell, o outline, level int) {
	t := e.table.Load()
	if up := c.level - level; up >= 0 {
		t.at(uint32(c.face), level, c.i>>up, c.j>>up).Add(1)
		return
	}
	if o == nil && c.level > 0 && (c.level-1)%epochStep == 0 {
		t.at(uint32(c.face), c.level, c.i, c.j).Add(1)
		return
	}
	for i := range 4 {
		child, inner := c.child(i), o
		if o != nil {
			var how relation
			switch how, inner = o.relate(child); how {
			case apart:
				continue
			case within:
				inner = nil
			default:
			}
		}
		e.count(child, inner, level)
	}
}
