package geofilter

import (
	"github.com/golang/geo/s1"
	"github.com/golang/geo/s2"
)

// An outline is what an Index needs of a shape. It is cautious: it says apart
// and within only where rounding cannot make Contains disagree.
type outline interface {
	// relate returns how the shape lies to c, and the outline to go on with
	// for the cells in c.
	relate(c cell) (relation, outline)
	// finest returns the level beyond which smaller cells are not worth their
	// number.
	finest() int
}

// A relation is how a shape lies to a cell, or how to tell for a point of the
// cell whether it is in the shape.
type relation byte

const (
	apart  relation = iota // no point of the cell is in the shape
	within                 // all points of the cell are
	byDisk                 // ask the disk
	byBox                  // ask the box
	byClip                 // ask the clip
	byHoop                 // ask the hoop
)

const (
	// smallest is the level of the smallest cells: 0.6 m.
	smallest = 24

	// pieces is into about how many cells the edge of a shape may be cut. More
	// make Search ask fewer shapes and the Index larger.
	pieces = 16
)

// finestFor returns the level of the cells of which an edge of this length
// needs about n.
func finestFor(length s1.Angle, n int) int {
	return min(s2.AvgEdgeMetric.ClosestLevel(float64(length)/float64(n)), smallest)
}
