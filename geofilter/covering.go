package geofilter

import "slices"

// Leaf numbers the deepest S2 cells, of 1 cm: it is that of the one which holds p,
// a valid point. The leaves of any larger cell follow each other, so that places near
// each other mostly have numbers near each other. The numbers are kept on disks: they
// must not change.
func Leaf(p Point) uint64 {
	face, i, j := locate(unit(p))
	return leafOf(face, i, j)
}

// leafOf has the bits of column and row in turn, as a quadtree does.
func leafOf(face int, i, j uint32) uint64 {
	return uint64(face)<<(2*deepest) | spread(i)<<1 | spread(j)
}

// spread puts a zero before each bit of a number.
func spread(v uint32) uint64 {
	x := uint64(v)
	x = (x | x<<16) & 0x0000ffff0000ffff
	x = (x | x<<8) & 0x00ff00ff00ff00ff
	x = (x | x<<4) & 0x0f0f0f0f0f0f0f0f
	x = (x | x<<2) & 0x3333333333333333
	return (x | x<<1) & 0x5555555555555555
}

// A Span is the leaves from First to Last.
type Span struct{ First, Last uint64 }

func (c *cell) span() Span {
	shift := deepest - c.level
	first := leafOf(c.face, c.i<<shift, c.j<<shift)
	return Span{first, first + 1<<(2*shift) - 1}
}

// Covering returns spans, in order and apart from each other, that hold the leaf of
// each point in a shape, and others: the more cells it may take, the fewer. There are
// no more spans than that, or six.
func Covering(s Shape, cells int) []Span {
	var open []clipping // cells that the edge passes, the largest first
	var spans []Span
	add := func(c cell, o outline) {
		switch how, inner := o.relate(c); how {
		case apart:
		case within:
			spans = append(spans, c.span())
		default:
			open = append(open, clipping{c, inner})
		}
	}
	whole := s.outline()
	for face := range 6 {
		add(makeCell(face, 0, 0, 0), whole)
	}
	for len(open) > 0 && len(open)+len(spans)+3 <= cells && open[0].cell.level < whole.finest() {
		first := open[0]
		open = open[1:]
		for i := range 4 {
			add(first.cell.child(i), first.outline)
		}
	}
	for _, rest := range open {
		spans = append(spans, rest.cell.span())
	}
	return joined(spans)
}

// joined sorts spans, and makes one of those that touch.
func joined(spans []Span) []Span {
	slices.SortFunc(spans, func(a, b Span) int {
		if a.First < b.First {
			return -1
		}
		return 1
	})
	out := spans[:0]
	for _, s := range spans {
		if n := len(out); n > 0 && out[n-1].Last+1 == s.First {
			out[n-1].Last = s.Last
			continue
		}
		out = append(out, s)
	}
	return out
}
