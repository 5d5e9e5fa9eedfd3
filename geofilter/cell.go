package geofilter

import (
	"github.com/golang/geo/s1"
	"github.com/golang/geo/s2"
)

// rounding is by how much, in radians or lengths on the unit sphere, a
// computed point may lie away from the cell that S2 says it is in, many times
// over.
const rounding = 1e-13

// A cell is an S2 cell, and a disk around it.
type cell struct {
	s2.Cell
	center s2.Point
	radius float64 // the length of the chord from center to the farthest point
}

func makeCell(id s2.CellID) cell {
	c := cell{Cell: s2.CellFromCellID(id), center: id.Point()}
	c.radius = c.farthest(c.center)
	return c
}

// nearest returns the length of the chord from p to the cell, or less.
func (c *cell) nearest(p s2.Point) float64 {
	return chord(c.Distance(p)) - rounding
}

// farthest returns the length of the chord from p to the point of the cell that
// is farthest from it, or more.
func (c *cell) farthest(p s2.Point) float64 {
	return chord(c.MaxDistance(p)) + rounding
}

// A bound is up to six cells that hold a shape.
type bound struct {
	cells [6]s2.CellID
	n     int
	level int // of the smallest cell
}

// boundOf returns the bound of a disk on the unit sphere.
func boundOf(center s2.Point, radius s1.Angle) bound {
	var b bound
	// A tiny disk is as well bounded by a small one.
	disk := s2.CapFromCenterAngle(center, max(radius*1.001, 1e-9))
	for _, id := range disk.CellUnionBound() {
		b.cells[b.n] = id
		b.n++
		b.level = max(b.level, id.Level())
	}
	return b
}

func (b *bound) intersects(id s2.CellID) bool {
	for _, c := range b.cells[:b.n] {
		if c.Intersects(id) {
			return true
		}
	}
	return false
}
