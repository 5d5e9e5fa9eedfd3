package filter

// crossing matches documents whose field, a geopoint, was moved across a shape:
// the geodesic from its previous position to the new one meets the shape,
// though neither of them is in it.
type crossing struct{ geo }

func (n crossing) match(d *Document) bool {
	v, ok := d.lookup(n.field)
	return ok && n.holds(v)
}

func (n crossing) holds(v value) bool {
	was, ok := v.d.before(n.field)
	if !ok {
		return false
	}
	from, hadPlace := was.geopoint()
	to, hasPlace := v.geopoint()
	return hadPlace && hasPlace && !n.shape.Contains(from) && !n.shape.Contains(to) && n.shape.Meets(from, to)
}

func (n crossing) evidence(e *Explanation, d *Document) { e.Previous = textAt(n.field, d.previous) }

func (n crossing) appendText(b []byte) []byte {
	return append(n.geo.appendText(append(b, `{"crossed":`...)), '}')
}

// parseCrossed reads a geo condition, whose shape is the fence.
func parseCrossed(p *parser, at place, arg any) (node, error) {
	shapes := []string{"geoBoundingBox", "geoDistance", "geoDistanceRange", "geoPolygon", "geoShape"}
	o, err := objectOf(at, arg, form{members: 1, allowed: shapes})
	if err != nil {
		return nil, err
	}
	name := o[0].name
	at = at.at(name)
	at.keyword = name
	n, err := keyword(name)(p, at, o[0].value)
	if err != nil {
		return nil, err
	}
	return crossing{n.(geo)}, nil
}
