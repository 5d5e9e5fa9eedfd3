package geofilter

import "math"

// A chip is what a node holds of a circle: 16 bytes that decide for almost all
// points of the cell. It is a disk in the unit of a grid.
type chip struct {
	center uint64  // three whole numbers of width bits
	out    float32 // beyond this distance is no point of the circle
	id     uint32  // or gone: to be read atomically
}

// A grid is where the chips of a node count from, and in which unit.
type grid struct {
	x, y, z int32   // near the middle of the cell, a position
	unit    float32 // in steps, a whole number
}

const (
	width   = 21
	highest = 1<<(width-1) - 1

	// off is by how many units a circle may lie away from its chip: half the
	// diagonal of a cube, and what single precision rounds.
	off = 1.25
	// sure is how much nearer to the centre than out a point has to be, to be
	// in the circle for sure: twice off, and what is between in and out of a disk.
	sure = 8
	// finestUnit is so many steps: 1.5 cm.
	finestUnit = 4
)

// gridOf returns the grid of a cell. Circles that are to be noted in it have a
// centre not further away than some times its size.
func gridOf(c *cell) grid {
	const reach = 8
	center, radius := c.disk()
	at := positionOf(center)
	unit := min(2, reach*radius) * steps * maxCurvatureRadius / highest
	return grid{
		x: int32(math.Round(at.x)), y: int32(math.Round(at.y)), z: int32(math.Round(at.z)),
		unit: float32(max(finestUnit, math.Ceil(unit))),
	}
}

// chip returns the chip of a disk, or false for one that does not fit: whose edge
// is too blurred, or which is too large.
func (g *grid) chip(d *disk) (chip, bool) {
	unit := float64(g.unit)
	x := math.Round((float64(d.x) - float64(g.x)) / unit)
	y := math.Round((float64(d.y) - float64(g.y)) / unit)
	z := math.Round((float64(d.z) - float64(g.z)) / unit)
	out := math.Sqrt(float64(d.out))/unit + off
	in := math.Sqrt(max(0, float64(d.in)))/unit - off
	far := max(math.Abs(x), math.Abs(y), math.Abs(z), out)
	if far > highest || out-in > sure {
		return chip{}, false
	}
	const mask = 1<<width - 1
	center := uint64(int64(x))&mask<<(2*width) | uint64(int64(y))&mask<<width | uint64(int64(z))&mask
	return chip{center: center, out: float32(out), id: d.id}, true
}

// at returns the centre of a chip. A shift to the left puts a number's sign
// first, and one back repeats it.
func (c *chip) at() (x, y, z int64) {
	const rest = 64 - width
	word := int64(c.center)
	return word << (rest - 2*width) >> rest, word << (rest - width) >> rest, word << rest >> rest
}

// disk undoes chip. What the disk tells is right, but it tells less.
func (g *grid) disk(c *chip) disk {
	x, y, z := c.at()
	unit := int64(g.unit)
	out, in := float64(c.out)*float64(g.unit), max(0, float64(c.out)-sure)*float64(g.unit)
	return disk{
		x: int32(int64(g.x) + unit*x), y: int32(int64(g.y) + unit*y), z: int32(int64(g.z) + unit*z),
		in: float32(in * in), out: float32(out * out),
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

// room returns how many units a point may go, or less, before tell says something
// else.
func (c *chip) room(at *spot) float32 {
	i, j, k := c.at()
	x, y, z := at.x-float32(i), at.y-float32(j), at.z-float32(k)
	distance := float32(math.Sqrt(float64(x*x + y*y + z*z)))
	return max(distance-c.out, c.out-sure-distance) - 1 // which is rounding many times over
}

// tell says what a disk says of a point.
func (c *chip) tell(at *spot) relation {
	i, j, k := c.at()
	x, y, z := at.x-float32(i), at.y-float32(j), at.z-float32(k)
	square := x*x + y*y + z*z
	if square > c.out*c.out {
		return apart
	}
	if in := c.out - sure; in > 0 && square < in*in {
		return within
	}
	return byDisk
}
