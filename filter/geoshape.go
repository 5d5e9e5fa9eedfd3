package filter

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/ambitmq/ambit/geofilter"
)

// costOfHole is what a hole costs: each is compared with the others.
const costOfHole = 40

// parseGeoShape reads a GeoJSON geometry (RFC 7946): a Polygon or MultiPolygon.
func parseGeoShape(p *parser, at place, arg any) (node, error) {
	m, err := p.field(at, arg)
	if err != nil {
		return nil, err
	}
	at = at.at(m.name)
	polygons, err := geometryOf(at, m.value)
	if err != nil {
		return nil, err
	}
	if n := countPoints(polygons); n > p.lim.Vertices {
		return nil, at.at("coordinates").overf("has %d points, the limit is %d", n, p.lim.Vertices)
	}
	if err := p.spend(at.at("coordinates"), costOfHole*countHoles(polygons)); err != nil {
		return nil, err
	}
	// In the order of the text, to which the numbers in errors refer.
	shape, err := geofilter.NewMultiPolygon(polygons)
	if err != nil {
		return nil, at.at("coordinates").errorf("%s", err)
	}
	b := appendGeometry(appendOpen(nil, "geoShape", m.name), polygons)
	return geo{m.name, shape, string(append(b, "}}"...))}, nil
}

// geometryOf returns the polygons of a geometry, each a ring and then its holes.
// A bounding box says nothing new, so it is ignored.
func geometryOf(at place, v any) ([][][]geofilter.Point, error) {
	o, err := objectOf(at, v, form{required: []string{"type", "coordinates"}, allowed: []string{"bbox", "coordinates", "type"}})
	if err != nil {
		return nil, err
	}
	kind, _ := o.get("type")
	coordinates, _ := o.get("coordinates")
	polygonAt := at.at("coordinates")
	switch kind {
	case "Polygon":
		polygon, err := polygonOf(polygonAt, coordinates)
		return [][][]geofilter.Point{polygon}, err
	case "MultiPolygon":
		return listOf(polygonAt, coordinates, polygonOf)
	}
	return nil, at.at("type").errorf(`must be either "Polygon" or "MultiPolygon"`)
}

// listOf reads an array of which read takes the elements.
func listOf[T any](at place, v any, read func(place, any) (T, error)) ([]T, error) {
	array, err := arrayOf(at, v)
	if err != nil {
		return nil, err
	}
	list := make([]T, len(array))
	for i, elem := range array {
		if list[i], err = read(at, elem); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func polygonOf(at place, v any) ([][]geofilter.Point, error) { return listOf(at, v, ringOf) }

func ringOf(at place, v any) ([]geofilter.Point, error) {
	ring, err := listOf(at, v, positionOf)
	if err != nil {
		return nil, err
	}
	return normalRing(ring), nil
}

// positionOf reads [longitude, latitude], after which an altitude may follow.
func positionOf(at place, v any) (geofilter.Point, error) {
	position, _ := v.([]any)
	if len(position) == 2 || len(position) == 3 {
		lon, isLon := position[0].(float64)
		lat, isLat := position[1].(float64)
		if p := (geofilter.Point{Lat: lat, Lon: lon}); isLon && isLat && p.Valid() {
			return normalPlace(p), nil
		}
	}
	return geofilter.Point{}, at.errorf(`unrecognized point format "%s"`, appendValue(nil, v))
}

// normalRing returns the points of a ring without repetitions, the last one
// open, from the least point on in the direction that comes first.
func normalRing(ring []geofilter.Point) []geofilter.Point {
	ring = slices.Compact(ring)
	for len(ring) > 1 && ring[0] == ring[len(ring)-1] {
		ring = ring[:len(ring)-1]
	}
	forward := leastRotation(ring)
	slices.Reverse(ring)
	backward := leastRotation(ring)
	if slices.CompareFunc(backward, forward, comparePoints) < 0 {
		return backward
	}
	return forward
}

// leastRotation returns the points of a ring from the one on that makes the
// order least. Of two candidates, the one that loses after k points takes with
// it the k that follow it, so that each point is looked at twice.
func leastRotation(ring []geofilter.Point) []geofilter.Point {
	i, j, k := 0, 1, 0
	for n := len(ring); i < n && j < n && k < n; {
		switch order := comparePoints(ring[(i+k)%n], ring[(j+k)%n]); {
		case order == 0:
			k++
			continue
		case order > 0:
			i += k + 1
		default:
			j += k + 1
		}
		if k = 0; i == j {
			j++
		}
	}
	from := min(i, j)
	return slices.Concat(ring[from:], ring[:from])
}

func comparePoints(a, b geofilter.Point) int {
	return cmp.Or(cmp.Compare(a.Lat, b.Lat), cmp.Compare(a.Lon, b.Lon))
}

func countPoints(polygons [][][]geofilter.Point) int {
	n := 0
	for _, rings := range polygons {
		for _, ring := range rings {
			n += len(ring)
		}
	}
	return n
}

func countHoles(polygons [][][]geofilter.Point) int {
	n := 0
	for _, rings := range polygons {
		n += len(rings) - 1
	}
	return n
}

// appendGeometry appends the geometry of polygons with normal rings: holes and
// polygons sorted, each polygon once, and one alone as a Polygon.
func appendGeometry(b []byte, polygons [][][]geofilter.Point) []byte {
	texts := make([][]byte, len(polygons))
	for i, rings := range polygons {
		ringTexts := make([][]byte, len(rings))
		for j, ring := range rings {
			ringTexts[j] = ringText(ring)
		}
		slices.SortFunc(ringTexts[1:], bytes.Compare)
		texts[i] = arrayText(ringTexts)
	}
	slices.SortFunc(texts, bytes.Compare)
	texts = slices.CompactFunc(texts, bytes.Equal)
	if len(texts) == 1 {
		b = append(append(b, `{"type":"Polygon","coordinates":`...), texts[0]...)
	} else {
		b = append(append(b, `{"type":"MultiPolygon","coordinates":`...), arrayText(texts)...)
	}
	return append(b, '}')
}

// ringText returns a ring with its first point as the last one, too.
func ringText(ring []geofilter.Point) []byte {
	b := []byte{'['}
	for _, p := range ring {
		b = append(appendPosition(b, p), ',')
	}
	return append(appendPosition(b, ring[0]), ']')
}

func appendPosition(b []byte, p geofilter.Point) []byte {
	b = appendNumber(append(b, '['), p.Lon)
	b = appendNumber(append(b, ','), p.Lat)
	return append(b, ']')
}

func arrayText(elements [][]byte) []byte {
	return slices.Concat([]byte{'['}, bytes.Join(elements, []byte{','}), []byte{']'})
}
