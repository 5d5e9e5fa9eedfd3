package filter

import "github.com/ambitmq/ambit/geofilter"

func parseGeoDistance(p *parser, at place, arg any) (node, error) {
	o, err := objectOf(at, arg, form{members: 2, required: []string{"distance"}})
	if err != nil {
		return nil, err
	}
	if err := p.spend(at, 1); err != nil {
		return nil, err
	}
	v, _ := o.get("distance")
	radius, err := distanceOf(at.at("distance"), v)
	if err != nil {
		return nil, err
	}
	field, center, err := centerOf(at, o, "distance")
	if err != nil {
		return nil, err
	}
	return circleAround(field, center, radius), nil
}

func circleAround(field string, center geofilter.Point, radius geofilter.Meters) geo {
	b := appendOpen(nil, "geoDistance", field)
	b = appendPoint(append(b, '{'), center)
	b = appendNumber(append(b, `},"distance":`...), float64(radius))
	text := string(append(b, "}}"...))
	return geo{field, geofilter.Circle{Center: center, Radius: radius}, text}
}

// centerOf reads the geopoint of the one member of o that has another name than
// the given ones: the name of a field.
func centerOf(at place, o object, others ...string) (string, geofilter.Point, error) {
	for _, other := range others {
		o = o.without(other)
	}
	center, ok := geopointOf(o[0].value)
	if !ok {
		return "", center, at.at(o[0].name).errorf("unrecognized point format")
	}
	return o[0].name, normalPlace(center), nil
}
