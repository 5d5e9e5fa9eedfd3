package geofilter

// A Shape is an area on the Earth: a Box, a Circle, a Ring or a Polygon. The
// set is closed, because an Index has to know how a shape lies to a cell.
type Shape interface {
	// Contains reports whether p is in the shape or on its edge.
	Contains(p Point) bool

	outline() outline
}

var (
	_ Shape = Box{}
	_ Shape = Circle{}
	_ Shape = Ring{}
	_ Shape = Polygon{}
)

// An outline is what an Index needs of a shape. It is cautious: it says apart
// and within only where rounding cannot make Contains disagree.
type outline interface {
	// relate returns how the shape lies to c, and the outline to go on with
	// for the cells in c.
	relate(c *cell) (relation, outline)
	// bound returns a few cells that hold the shape.
	bound() bound
	// finest returns the level beyond which smaller cells are not worth their
	// number.
	finest() int
}

// A relation is how a shape lies to a cell, or how to tell for a point of the
// cell whether it is in the shape.
type relation byte

const (
	apart   relation = iota // no point of the cell is in the shape
	within                  // all points of the cell are
	byDisk                  // ask the disk
	byBox                   // ask the box
	byShape                 // ask Contains
)
