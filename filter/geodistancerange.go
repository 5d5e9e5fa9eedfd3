package filter

import "github.com/ambitmq/ambit/geofilter"

func parseGeoDistanceRange(p *parser, at place, arg any) (node, error) {
	o, err := objectOf(at, arg, form{members: 3, required: []string{"from", "to"}})
	if err != nil {
		return nil, err
	}
	if err := p.spend(at, 1); err != nil {
		return nil, err
	}
	v, _ := o.get("from")
	from, err := distanceOf(at.at("from"), v)
	if err != nil {
		return nil, err
	}
	v, _ = o.get("to")
	to, err := distanceOf(at.at("to"), v)
	if err != nil {
		return nil, err
	}
	if from >= to {
		return nil, at.errorf("inner radius must be smaller than outer radius")
	}
	field, center, err := centerOf(at, o, "from", "to")
	if err != nil {
		return nil, err
	}
	if from == 0 {
		return circleAround(field, center, to), nil
	}
	b := appendOpen(nil, "geoDistanceRange", field)
	b = appendPoint(append(b, '{'), center)
	b = appendNumber(append(b, `},"from":`...), float64(from))
	b = appendNumber(append(b, `,"to":`...), float64(to))
	text := string(append(b, "}}"...))
	return geo{field, geofilter.Ring{Center: center, Inner: from, Outer: to}, text}, nil
}
