package koncorde

import (
	"fmt"
	"math"
	"strings"
)

// near returns a place within so many degrees of one of a few.
func (g *generator) near(degrees float64) (lat, lon float64) {
	places := [][2]float64{{0, 0}, {48.1, 11.5}, {-17.2, 179.97}, {60.5, -0.01}, {37.7, -122.4}, {89.9, 30}, {-89.5, 100}, {-33.9, 151.2}}
	place := places[g.IntN(len(places))]
	if g.IntN(10) == 0 {
		return place[0], place[1]
	}
	lat, lon = place[0]+degrees*(2*g.Float64()-1), place[1]+degrees*(2*g.Float64()-1)
	return math.Round(max(-90, min(lat, 90))*1e6) / 1e6, math.Round(lon*1e6) / 1e6
}

// geopoint writes a place in one of the formats of geopoints.
func (g *generator) geopoint(lat, lon float64) string {
	a, b := fmt.Sprint(lat), fmt.Sprint(lon)
	text := `"` + a + g.pick(",", ", ", " , ") + b + `"`
	pair, object := "["+a+","+b+"]", `{"lat":`+a+`,"lon":`+b+`}`
	blank := g.pick(" ", `\t`, `\n`, `\u000b`, `\u00a0`, `\u2003`, `\u2028`, `\ufeff`)
	hash := `"` + geohash(lat, lon, 4+g.IntN(7)) + `"`
	return g.pick(text, pair, object, hash, pair, object, `["`+a+`","`+b+`"]`, `["`+blank+a+`","`+blank+b+`x"]`, `{"lon":"`+b+`","alt":520,"lat":"`+a+`"}`,
		`{"`+g.pick("latLon", "lat_lon")+`":`+g.pick(text, pair, object, hash)+`}`)
}

// geohash returns the name of the cell of a place, of so many characters.
func geohash(lat, lon float64, length int) string {
	const letters = "0123456789bcdefghjkmnpqrstuvwxyz"
	low, high := [2]float64{-180, -90}, [2]float64{180, 90}
	at := [2]float64{math.Remainder(lon, 360), lat}
	var text strings.Builder
	letter := 0
	for bit := range 5 * length {
		i := bit % 2
		letter <<= 1
		if middle := (low[i] + high[i]) / 2; at[i] >= middle {
			letter |= 1
			low[i] = middle
		} else {
			high[i] = middle
		}
		if bit%5 == 4 {
			text.WriteByte(letters[letter])
			letter = 0
		}
	}
	return text.String()
}

// distance writes so many metres with one of the units.
func (g *generator) distance(meters float64) string {
	units := []struct {
		name   string
		meters float64
	}{{"m", 1}, {"km", 1000}, {"cm", 0.01}, {"ft", 0.3048}, {"feet", 0.3048}, {"yd", 0.9144}, {"inches", 0.0254}, {"kilometers", 1000}, {"mi", 1609.344}, {"Miles", 1609.344}, {"KM", 1000},
		{"kms", 1000}, {"dam", 10}, {"dekameters", 10}, {"kilom", 1000}, {"hectometeres", 100}, {"feets", 0.3048}, {"fts", 0.3048}, {"ins", 0.0254}, {"inchs", 0.0254}, {"inch", 0.0254}, {"yards", 0.9144}, {"mis", 1609.344}}
	u := units[g.IntN(len(units))]
	text := fmt.Sprintf("%.3f", meters/u.meters)
	if g.IntN(3) == 0 {
		text = strings.Replace(text, ".", ",", 1)
	}
	return `"` + g.pick("", "", "", "+") + text + g.pick("", " ", "  ") + u.name + `"`
}

// radius returns a radius from 10 m to 100 km, or one whose edge is near a place
// where a document is.
func (g *generator) radius(lat, lon float64) float64 {
	if g.IntN(4) > 0 {
		for _, i := range g.Perm(len(g.places)) {
			if d := andoyer(place{lat, lon}, g.places[i]); 1 < d && d < 100_000 {
				return d * (1 + math.Pow(10, -2-3*g.Float64())*(2*g.Float64()-1))
			}
		}
	}
	return math.Pow(10, 1+4*g.Float64())
}

// geoField is mostly p: two of them make Koncorde fail.
func (g *generator) geoField() string { return g.pick("p", "p", "p", "p", "p", "p", "p", "q") }

func (g *generator) geoDistance() string {
	lat, lon := g.near(0.5)
	members := []string{`"` + g.geoField() + `":` + g.geopoint(lat, lon), `"distance":` + g.distance(g.radius(lat, lon))}
	if g.IntN(2) == 0 {
		members[0], members[1] = members[1], members[0]
	}
	return `{"geoDistance":{` + strings.Join(members, ",") + `}}`
}

func (g *generator) geoDistanceRange() string {
	lat, lon := g.near(0.5)
	to := g.radius(lat, lon)
	return `{"geoDistanceRange":{"` + g.geoField() + `":` + g.geopoint(lat, lon) + `,"from":` + g.distance(0.9*to*g.Float64()) + `,"to":` + g.distance(to) + `}}`
}

func (g *generator) geoBoundingBox() string {
	lat, lon := g.near(0.5)
	top, left, bottom, right := min(lat+0.01+g.Float64(), 90), lon-0.01-g.Float64(), max(lat-0.01-g.Float64(), -90), lon+0.01+g.Float64()
	if g.IntN(2) == 0 {
		quote := g.pick("", `"`)
		return fmt.Sprintf(`{"geoBoundingBox":{"%s":{"top":%[2]s%[3]v%[2]s,"left":%[4]v,"bottom":%[5]v,"right":%[2]s%[6]v%[2]s}}}`,
			g.geoField(), quote, top, left, bottom, right)
	}
	names := [2]string{"topLeft", "bottomRight"}
	if g.IntN(2) == 0 {
		names = [2]string{"top_left", "bottom_right"}
	}
	return fmt.Sprintf(`{"geoBoundingBox":{"%s":{"%s":%s,"%s":%s}}}`,
		g.geoField(), names[0], g.geopoint(top, left), names[1], g.geopoint(bottom, right))
}

// geoPolygon returns a star around a place, which does not cross itself, or a
// tangle of its points.
func (g *generator) geoPolygon() string {
	if g.IntN(6) == 0 {
		return g.polarPolygon()
	}
	lat, lon := g.near(0.5)
	corners, points := 3+g.IntN(6), []string{}
	for i := range corners {
		sin, cos := math.Sincos(2 * math.Pi * (float64(i) + 0.8*g.Float64()) / float64(corners))
		reach := 0.02 + g.Float64()
		points = append(points, g.geopoint(max(-90, min(lat+reach*sin, 90)), lon+reach*cos/max(0.1, math.Cos(lat*math.Pi/180))))
	}
	switch g.IntN(6) {
	case 0, 1:
		points = append(points, points[0])
	case 2:
		g.Shuffle(len(points), func(i, j int) { points[i], points[j] = points[j], points[i] })
	case 3:
		points = append(points, points...)
	}
	return `{"geoPolygon":{"` + g.geoField() + `":{"points":[` + strings.Join(points, ",") + `]}}}`
}

// polarPolygon returns a star around a pole, in one of the two directions.
func (g *generator) polarPolygon() string {
	corners, points := 3+g.IntN(6), []string{}
	north, east, reach := float64(2*g.IntN(2)-1), float64(2*g.IntN(2)-1), 80*g.Float64()
	for i := range corners {
		lon := east * (float64(i) + 0.8*g.Float64()) * 360 / float64(corners)
		points = append(points, g.geopoint(north*(90-reach*(0.2+0.8*g.Float64())), math.Remainder(lon, 360)))
	}
	return `{"geoPolygon":{"` + g.geoField() + `":{"points":[` + strings.Join(points, ",") + `]}}}`
}
