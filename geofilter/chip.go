package geofilter

import "math"

// A chip is what a node holds of a circle: 12 bytes that decide for almost all
// points of the cell. It is a disk in the whole numbers of a grid.
type chip struct {
	x, y, z int16
	out     uint16
	id      uint32 // or gone: to be read atomically
}

// A grid is where the chips of a node count from, and in which unit.
type grid struct {
	x, y, z int32   // near the middle of the cell, a position
	unit    float32 // in steps, a power of 2
}

const (
	// off is by how many units a circle may lie away from its chip: half the
	// diagonal of a cube, and what single precision rounds.
	off = 0.95
	// sure is how much nearer to the centre than out a point has to be, to be
	// in the circle for sure: twice off, what rounding up out adds, and what is
	// between in and out of a disk.
	sure = 5
	// finestUnit is so many steps: 6 cm.
	finestUnit = 16
)

// gridOf returns the grid of a cell. Circles that are to be noted in it have a
// centre not further away than some times its size.
func gridOf(c *cell) grid {
	const reach = 8
	center, radius := c.disk()
	at := positionOf(center)
	unit := min(2, reach*radius) * steps * maxCurvatureRadius / math.MaxInt16
	return grid{
		x: int32(math.Round(at.x)), y: int32(math.Round(at.y)), z: int32(math.Round(at.z)),
		unit: float32(max(finestUnit, math.Exp2(math.Ceil(math.Log2(unit))))),
	}
}

// chip returns the chip of a disk, or false for one that does not fit: whose edge
// is too blurred, or which is too large.
func (g *grid) chip(d *disk) (chip, bool) {
	unit := float64(g.unit)
	x := math.Round((float64(d.x) - float64(g.x)) / unit)
	y := math.Round((float64(d.y) - float64(g.y)) / unit)
	z := math.Round((float64(d.z) - float64(g.z)) / unit)
	out := math.Ceil(math.Sqrt(float64(d.out))/unit + off)
	in := math.Sqrt(max(0, float64(d.in)))/unit - off
	far := max(math.Abs(x), math.Abs(y), math.Abs(z))
	if far > math.MaxInt16 || out > math.MaxUint16 || out-in > sure {
		return chip{}, false
	}
	return chip{x: int16(x), y: int16(y), z: int16(z), out: uint16(out), id: d.id}, true
}

// disk undoes chip. What the disk tells is right, but it tells less.
func (g *grid) disk(c *chip) disk {
	unit := int32(g.unit)
	out, in := float32(c.out)*g.unit, max(0, float32(c.out)-sure)*g.unit
	return disk{
		x: g.x + unit*int32(c.x), y: g.y + unit*int32(c.y), z: g.z + unit*int32(c.z),
		in: in * in, out: out * out,
	}
}

// A spot is a position in the unit of a grid.
type spot struct{ x, y, z float32 }

func (g *grid) spot(at *position) spot {
	unit := 1 / float64(g.unit)
	return spot{
		float32((at.x - float64(g.x)) * unit), float32((at.y - float64(g.y)) * unit), float32((at.z - float64(g.z)) * unit),
	}
}

// tell says what a disk says of a point.
func (c *chip) tell(at *spot) relation {
	x, y, z := at.x-float32(c.x), at.y-float32(c.y), at.z-float32(c.z)
	square, out := x*x+y*y+z*z, float32(c.out)
	if square > out*out {
		return apart
	}
	if in := out - sure; in > 0 && square < in*in {
		return within
	}
	return byDisk
}
