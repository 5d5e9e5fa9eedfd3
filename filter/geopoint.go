package filter

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/ambitmq/ambit/geofilter"
)

// geo matches documents whose field is a geopoint in a shape. What is not a
// geopoint is nowhere: it does not match, its negation does.
type geo struct {
	field string
	shape geofilter.Shape
	text  string // canonical
}

func (n geo) match(d *Document) bool {
	v, ok := d.lookup(n.field)
	return ok && n.holds(v)
}

func (n geo) path() string { return n.field }

func (n geo) holds(v value) bool {
	p, ok := v.geopoint()
	return ok && n.shape.Contains(p)
}

func (n geo) appendText(b []byte) []byte { return append(b, n.text...) }

// normalPlace gives a point of a circle or polygon one name: a pole, too, which
// has every longitude. To a box, the longitude means something even there.
func normalPlace(p geofilter.Point) geofilter.Point {
	if p.Lat == 90 || p.Lat == -90 {
		p.Lon = 0
	}
	return p.Normal()
}

// appendPoint appends the members lat and lon.
func appendPoint(b []byte, p geofilter.Point) []byte {
	b = appendNumber(append(b, `"lat":`...), p.Lat)
	return appendNumber(append(b, `,"lon":`...), p.Lon)
}

// geopointOf reads a position in any of Koncorde's formats, of a filter or of
// a document.
func geopointOf(v any) (geofilter.Point, bool) {
	o, ok := v.(object)
	if !ok {
		return simpleGeopoint(v)
	}
	if p, ok := latAndLon(o); ok {
		return pointOf(p[0], p[1])
	}
	for _, name := range []string{"latLon", "lat_lon"} {
		if inner, ok := o.get(name); ok {
			return simpleGeopoint(inner)
		}
	}
	return geofilter.Point{}, false
}

// simpleGeopoint reads [lat, lon], {"lat":…,"lon":…}, "lat,lon" or a geohash.
func simpleGeopoint(v any) (geofilter.Point, bool) {
	switch v := v.(type) {
	case []any:
		if len(v) == 2 {
			return pointOf(v[0], v[1])
		}
	case object:
		if p, ok := latAndLon(v); ok {
			return pointOf(p[0], p[1])
		}
	case string:
		if lat, lon, ok := strings.Cut(v, ","); ok && !strings.Contains(lon, ",") {
			return pointOf(lat, lon)
		}
		return geohash(v)
	}
	return geofilter.Point{}, false
}

func latAndLon(o object) (p [2]any, ok bool) {
	lat, hasLat := o.get("lat")
	lon, hasLon := o.get("lon")
	return [2]any{lat, lon}, hasLat && hasLon
}

func pointOf(lat, lon any) (geofilter.Point, bool) {
	latitude, ok1 := coordinateOf(lat)
	longitude, ok2 := coordinateOf(lon)
	p := geofilter.Point{Lat: latitude, Lon: longitude}
	return p, ok1 && ok2 && p.Valid()
}

// leadingNumber is what JavaScript's parseFloat reads of a string, after what is a
// space there.
var leadingNumber = regexp.MustCompile(`^[\s\v\pZ\x{feff}]*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)`)

// coordinateOf reads a number, or the number that a string begins with.
func coordinateOf(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case string:
		m := leadingNumber.FindStringSubmatch(v)
		if m == nil {
			return 0, false
		}
		f, err := strconv.ParseFloat(m[1], 64)
		return f, err == nil
	}
	return 0, false
}

// geohashDigits are the 32 digits of a geohash. Koncorde takes each of the
// four letters that are not among them (a, i, l, o) for a zero.
const geohashDigits = "0123456789bcdefghjkmnpqrstuvwxyz"

// geohash returns the centre of the cell that s names.
func geohash(s string) (geofilter.Point, bool) {
	if len(s) < 4 {
		return geofilter.Point{}, false
	}
	low := geofilter.Point{Lat: -90, Lon: -180}
	high := geofilter.Point{Lat: 90, Lon: 180}
	isLon := true // the bits are of longitude and latitude in turn
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return geofilter.Point{}, false
		}
		digit := max(0, strings.IndexByte(geohashDigits, c))
		for bit := 4; bit >= 0; bit-- {
			from, to := &low.Lat, &high.Lat
			if isLon {
				from, to = &low.Lon, &high.Lon
			}
			middle := (*from + *to) / 2
			if digit>>bit&1 == 1 {
				*from = middle
			} else {
				*to = middle
			}
			isLon = !isLon
		}
	}
	return geofilter.Point{Lat: (low.Lat + high.Lat) / 2, Lon: (low.Lon + high.Lon) / 2}, true
}
