package filter

import (
	"errors"

	"github.com/ambitmq/ambit/geofilter"
)

// parseGeoBoundingBox reads {"top":…,"left":…,"bottom":…,"right":…}, or two
// geopoints as topLeft and bottomRight. Other members are ignored.
func parseGeoBoundingBox(p *parser, at place, arg any) (node, error) {
	m, err := p.field(at, arg)
	if err != nil {
		return nil, err
	}
	at = at.at(m.name)
	o, _ := m.value.(object)
	topLeft, bottomRight, err := cornersOf(at, o)
	if err != nil {
		return nil, err
	}
	if !topLeft.Valid() || !bottomRight.Valid() {
		return nil, at.errorf("unrecognized geo-point format")
	}
	box, err := geofilter.NewBox(topLeft.Lat, topLeft.Lon, bottomRight.Lat, bottomRight.Lon)
	switch {
	case errors.Is(err, geofilter.ErrBoxHeight):
		return nil, at.errorf("min_lat argument cannot be greater or equal max_lat")
	case err != nil:
		return nil, at.errorf("min_lon argument cannot be greater or equal max_lon")
	}
	return geo{m.name, box, boxText(m.name, box)}, nil
}

// cornersOf returns the corners as they are given: longitudes are not made
// normal, for 0 to 360 is another box than 0 to 0.
func cornersOf(at place, o object) (topLeft, bottomRight geofilter.Point, err error) {
	var edges [4]float64
	readable := true
	for i, name := range [...]string{"top", "left", "bottom", "right"} {
		v, _ := o.get(name)
		switch v.(type) {
		case string, float64:
			var ok bool
			edges[i], ok = coordinateOf(v)
			readable = readable && ok
		default:
			return namedCorners(at, o)
		}
	}
	if !readable {
		return topLeft, bottomRight, at.errorf("unrecognized geoBoundingBox format: %s", appendValue(nil, o))
	}
	return geofilter.Point{Lat: edges[0], Lon: edges[1]}, geofilter.Point{Lat: edges[2], Lon: edges[3]}, nil
}

func namedCorners(at place, o object) (topLeft, bottomRight geofilter.Point, err error) {
	topLeft, ok1 := corner(o, "topLeft", "top_left")
	bottomRight, ok2 := corner(o, "bottomRight", "bottom_right")
	if !ok1 || !ok2 {
		return topLeft, bottomRight, at.errorf("unrecognized geo-point format")
	}
	return topLeft, bottomRight, nil
}

func corner(o object, names ...string) (geofilter.Point, bool) {
	for _, name := range names {
		if v, ok := o.get(name); ok {
			return geopointOf(v)
		}
	}
	return geofilter.Point{}, false
}

func boxText(field string, box geofilter.Box) string {
	b := appendOpen(nil, "geoBoundingBox", field)
	b = appendNumber(append(b, `{"bottom":`...), box.Bottom)
	b = appendNumber(append(b, `,"left":`...), box.Left)
	b = appendNumber(append(b, `,"right":`...), box.Right)
	b = appendNumber(append(b, `,"top":`...), box.Top)
	return string(append(b, `}}}`...))
}
