package geofilter

import (
	"math"

	"github.com/golang/geo/r3"
	"github.com/golang/geo/s2"
)

// rounding is by how much, in radians or lengths on the unit sphere, a
// computed point may lie away from the cell that it is said to be in, many times
// over.
const rounding = 1e-13

// deepest is the level of the cells at which a point is located: 1 cm.
const deepest = s2.MaxLevel

// A cell is an S2 cell: a square of a face of the cube around the unit sphere,
// projected onto the sphere. Its edges are geodesics.
type cell struct {
	face, level    int
	i, j           uint32 // the square's column and row among those of its level
	u0, u1, v0, v1 float64
}

// child returns a quarter of c.
func (c *cell) child(i int) cell {
	return makeCell(c.face, c.level+1, c.i<<1|uint32(i>>1), c.j<<1|uint32(i&1))
}

// index returns which child of its node's parent c is.
func (c *cell) index() int { return childOf(c.i, c.j, deepest) }

func makeCell(face, level int, i, j uint32) cell {
	size := 1 / float64(uint64(1)<<level)
	return cell{
		face: face, level: level, i: i, j: j,
		u0: project(float64(i) * size), u1: project(float64(i+1) * size),
		v0: project(float64(j) * size), v1: project(float64(j+1) * size),
	}
}

// cellAt returns the cell of a level that holds a deepest cell.
func cellAt(face, level int, i, j uint32) cell {
	return makeCell(face, level, i>>(deepest-level), j>>(deepest-level))
}

// childOf returns the index of the child of this level that holds a deepest cell.
func childOf(i, j uint32, level int) int {
	return int(i>>(deepest-level)&(1<<levels-1)<<levels | j>>(deepest-level)&(1<<levels-1))
}

// project is S2's quadratic projection from [0, 1] to [-1, 1], which gives the
// cells of a level about the same size.
func project(s float64) float64 {
	if s >= 0.5 {
		return (4*s*s - 1) / 3
	}
	return (1 - 4*(1-s)*(1-s)) / 3
}

// unproject returns the column or row of a coordinate among the deepest cells.
func unproject(u float64) uint32 {
	s := 0.0
	if u >= 0 {
		s = math.Sqrt(1+3*u) / 2
	} else {
		s = 1 - math.Sqrt(1-3*u)/2
	}
	return uint32(max(0, min(1<<deepest-1, s*(1<<deepest))))
}

// locate returns the deepest cell that holds a point.
func locate(p s2.Point) (face int, i, j uint32) {
	x, y, z := math.Abs(p.X), math.Abs(p.Y), math.Abs(p.Z)
	switch {
	case x >= y && x >= z:
		face = 0
		if p.X < 0 {
			face = 3
		}
	case y >= z:
		face = 1
		if p.Y < 0 {
			face = 4
		}
	default:
		face = 2
		if p.Z < 0 {
			face = 5
		}
	}
	q := onFace(face, p)
	return face, unproject(q.X / q.Z), unproject(q.Y / q.Z)
}

// onFace returns p in the axes of a face: X and Y along it, Z out of it.
func onFace(face int, p s2.Point) r3.Vector {
	switch face {
	case 0:
		return r3.Vector{X: p.Y, Y: p.Z, Z: p.X}
	case 1:
		return r3.Vector{X: -p.X, Y: p.Z, Z: p.Y}
	case 2:
		return r3.Vector{X: -p.X, Y: -p.Y, Z: p.Z}
	case 3:
		return r3.Vector{X: -p.Z, Y: -p.Y, Z: -p.X}
	case 4:
		return r3.Vector{X: -p.Z, Y: p.X, Z: -p.Y}
	}
	return r3.Vector{X: p.Y, Y: p.X, Z: -p.Z}
}

// offFace undoes onFace.
func offFace(face int, p r3.Vector) s2.Point {
	switch face {
	case 0:
		return s2.Point{Vector: r3.Vector{X: p.Z, Y: p.X, Z: p.Y}}
	case 1:
		return s2.Point{Vector: r3.Vector{X: -p.X, Y: p.Z, Z: p.Y}}
	case 2:
		return s2.Point{Vector: r3.Vector{X: -p.X, Y: -p.Y, Z: p.Z}}
	case 3:
		return s2.Point{Vector: r3.Vector{X: -p.Z, Y: -p.Y, Z: -p.X}}
	case 4:
		return s2.Point{Vector: r3.Vector{X: p.Y, Y: -p.Z, Z: -p.X}}
	}
	return s2.Point{Vector: r3.Vector{X: p.Y, Y: p.X, Z: -p.Z}}
}

// disk returns a disk that holds c: its centre, and the chord to its edge.
func (c *cell) disk() (center s2.Point, radius float64) {
	middle := r3.Vector{X: (c.u0 + c.u1) / 2, Y: (c.v0 + c.v1) / 2, Z: 1}.Normalize()
	for _, u := range [...]float64{c.u0, c.u1} {
		for _, v := range [...]float64{c.v0, c.v1} {
			radius = max(radius, squaredChord(middle, u, v))
		}
	}
	return offFace(c.face, middle), math.Sqrt(radius) + rounding
}

// depth returns the sine of the angle from a point of c to its edge.
func (c *cell) depth(p s2.Point) float64 {
	q := onFace(c.face, p)
	depth := 1.0
	for _, u := range [...]float64{c.u0, c.u1} {
		depth = min(depth, math.Abs(q.X-u*q.Z)/math.Sqrt(1+u*u))
	}
	for _, v := range [...]float64{c.v0, c.v1} {
		depth = min(depth, math.Abs(q.Y-v*q.Z)/math.Sqrt(1+v*v))
	}
	return depth
}

// squaredChord returns the square of the chord from p to a point of the face,
// both in its axes.
func squaredChord(p r3.Vector, u, v float64) float64 {
	scale := 1 / math.Sqrt(1+u*u+v*v)
	x, y, z := p.X-u*scale, p.Y-v*scale, p.Z-scale
	return x*x + y*y + z*z
}

// rect returns the parallels and meridians between which c lies, and a little
// more: near the poles a tiny way is many degrees of longitude.
func (c *cell) rect() s2.Rect {
	middle := r3.Vector{X: (c.u0 + c.u1) / 2, Y: (c.v0 + c.v1) / 2, Z: 1}.Normalize()
	leaf := s2.CellFromPoint(offFace(c.face, middle)).ID()
	r := s2.CellFromCellID(leaf.Parent(c.level)).RectBound()
	r.Lat.Lo = max(r.Lat.Lo-rounding, -math.Pi/2)
	r.Lat.Hi = min(r.Lat.Hi+rounding, math.Pi/2)
	highest := max(-r.Lat.Lo, r.Lat.Hi)
	r.Lng = r.Lng.Expanded(rounding / max(math.Cos(highest), rounding))
	return r
}
