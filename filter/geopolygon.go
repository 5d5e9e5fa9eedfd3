package filter

import "github.com/ambitmq/ambit/geofilter"

func parseGeoPolygon(p *parser, at place, arg any) (node, error) {
	m, err := p.field(at, arg)
	if err != nil {
		return nil, err
	}
	at = at.at(m.name)
	o, err := objectOf(at, m.value, form{members: 1, required: []string{"points"}})
	if err != nil {
		return nil, err
	}
	vertices, err := verticesOf(at.at("points"), o[0].value, p.lim.Vertices)
	if err != nil {
		return nil, err
	}
	// A line or a point is a polygon, too, and three points are required of it.
	for vertices = normalRing(vertices); len(vertices) < 3; {
		vertices = append(vertices, vertices[len(vertices)-1])
	}
	polygon, err := geofilter.NewPolygon(vertices)
	if err != nil {
		return nil, at.at("points").errorf("%s", err)
	}
	// As pairs, so that the canonical form is hardly ever longer than the text.
	b := append(appendOpen(nil, "geoPolygon", m.name), `{"points":[`...)
	for i, v := range vertices {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendNumber(append(b, '['), v.Lat)
		b = append(appendNumber(append(b, ','), v.Lon), ']')
	}
	return geo{m.name, polygon, string(append(b, "]}}}"...))}, nil
}

func verticesOf(at place, v any, limit int) ([]geofilter.Point, error) {
	points, ok := v.([]any)
	switch {
	case !ok:
		return nil, at.errorf("must be an array")
	case len(points) < 3:
		return nil, at.errorf("at least 3 points are required to build a polygon")
	case len(points) > limit:
		return nil, at.overf("has %d points, the limit is %d", len(points), limit)
	}
	vertices := make([]geofilter.Point, len(points))
	for i, point := range points {
		vertex, ok := geopointOf(point)
		if !ok {
			return nil, at.errorf(`unrecognized point format "%s"`, appendValue(nil, point))
		}
		vertices[i] = normalPlace(vertex)
	}
	return vertices, nil
}
