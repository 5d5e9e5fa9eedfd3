package koncorde

import (
	"encoding/json"
	"math"

	"github.com/ambitmq/ambit/filter"
)

type place struct{ Lat, Lon float64 }

// placeOf reads a geopoint in any format, by what Parse makes of it.
func placeOf(value any) (place, bool) {
	text, err := json.Marshal(map[string]any{"geoDistance": map[string]any{"p": value, "distance": 1}})
	if err != nil {
		return place{}, false
	}
	f, err := filter.Parse(text)
	if err != nil {
		return place{}, false
	}
	var canonical struct{ GeoDistance struct{ P place } }
	err = json.Unmarshal([]byte(f.String()), &canonical)
	return canonical.GeoDistance.P, err == nil
}

// theirCircle says whether a circle or ring contains a place for Koncorde, with
// its radii multiplied: Andoyer's formula decides, of first order in the
// flattening, within an envelope that is made on a sphere, and so cut short to
// the north and south.
func theirCircle(source string, at place, factor float64) (is, known bool) {
	f, err := filter.Parse([]byte(source))
	if err != nil {
		return false, false
	}
	var canonical map[string]map[string]json.RawMessage
	if json.Unmarshal([]byte(f.String()), &canonical) != nil {
		return false, false
	}
	argument := canonical["geoDistance"]
	if argument == nil {
		argument = canonical["geoDistanceRange"]
	}
	var centre *place
	var least, most float64
	for name, text := range argument {
		into := any(&centre)
		switch name {
		case "distance", "to":
			into = &most
		case "from":
			into = &least
		}
		if json.Unmarshal(text, into) != nil {
			return false, false
		}
	}
	if centre == nil {
		return false, false
	}
	least, most = least*factor, most*factor
	north := degrees(most / equator)
	if math.Abs(at.Lat-centre.Lat) > north || math.Abs(math.Remainder(at.Lon-centre.Lon, 360)) > north/math.Cos(radians(centre.Lat)) {
		return false, true
	}
	d := andoyer(*centre, at)
	return least <= d && d <= most, true
}

const equator = 6378137.0

func radians(degrees float64) float64 { return degrees * math.Pi / 180 }
func degrees(radians float64) float64 { return radians * 180 / math.Pi }

// andoyer is the distance in metres, of first order in the flattening.
func andoyer(a, b place) float64 {
	const flattening = 1 / 298.257223563
	sinA, sinB := math.Sin(radians(a.Lat)), math.Sin(radians(b.Lat))
	cos := sinA*sinB + math.Cos(radians(a.Lat))*math.Cos(radians(b.Lat))*math.Cos(radians(a.Lon-b.Lon))
	d := math.Acos(max(-1, min(cos, 1)))
	k, l := (sinA-sinB)*(sinA-sinB), (sinA+sinB)*(sinA+sinB)
	h, g := 0.0, 0.0
	if cos < 1 {
		h = (d + 3*math.Sin(d)) / (1 - cos)
	}
	if cos > -1 {
		g = (d - 3*math.Sin(d)) / (1 + cos)
	}
	return equator * (d - flattening/4*(h*k+g*l))
}
