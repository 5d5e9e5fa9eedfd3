package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os/exec"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/ambitmq/ambit/geofilter"
)

// towns are the towns of the world, with the sum of the populations up to each.
type towns struct {
	places []geofilter.Point
	people []float64
	upTo   []float64
}

// worldTowns reads the towns once.
var worldTowns = sync.OnceValues(func() (towns, error) {
	var t towns
	sum := 0.0
	err := places("towns", func(line []byte) error {
		var town [3]float64
		if err := json.Unmarshal(line, &town); err != nil {
			return err
		}
		sum += town[2]
		t.places = append(t.places, geofilter.Point{Lat: town[0], Lon: town[1]})
		t.people = append(t.people, town[2])
		t.upTo = append(t.upTo, sum)
		return nil
	})
	return t, err
})

// places reads what node/places.js prints.
func places(kind string, read func(line []byte) error) error {
	out, err := exec.Command("node", "node/places.js", kind).Output()
	if err != nil {
		return fmt.Errorf("%s cannot be read: %w", kind, err)
	}
	lines := bufio.NewScanner(strings.NewReader(string(out)))
	lines.Buffer(nil, len(out)+1)
	for lines.Scan() {
		if err := read(lines.Bytes()); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	return lines.Err()
}

// somebody returns where somebody is: a town with more people is likelier, and
// larger. That of a million is spread by 6 km.
func (t towns) somebody(random *rand.Rand) geofilter.Point {
	i := sort.SearchFloat64s(t.upTo, random.Float64()*t.upTo[len(t.upTo)-1])
	i = min(i, len(t.places)-1)
	return moved(random, t.places[i], 1000*math.Sqrt(t.people[i])/160)
}

// moved returns a place around another, spread by so many metres.
func moved(random *rand.Rand, p geofilter.Point, meters float64) geofilter.Point {
	degrees := meters / 111_195
	p.Lat = max(-89, min(p.Lat+degrees*random.NormFloat64(), 89))
	p.Lon += degrees * random.NormFloat64() / math.Cos(p.Lat*math.Pi/180)
	return p.Normal()
}

// circle makes the condition of a circle.
func circle(p geofilter.Point, meters float64) condition {
	text := fmt.Sprintf(`{"geoDistance":{"p":[%.6f,%.6f],"distance":"%.0fm"}}`, p.Lat, p.Lon, meters)
	p = geofilter.Point{Lat: roundTo(p.Lat, 1e6), Lon: roundTo(p.Lon, 1e6)}
	meters = math.Round(meters)
	// A degree is at least 110,574 m; the box may be a little too large.
	lat := meters / 110_500
	lon := lat / math.Cos((math.Abs(p.Lat)+lat)*math.Pi/180)
	return condition{text, &area{
		shape: geofilter.Circle{Center: p, Radius: geofilter.Meters(meters)},
		low:   [2]float64{p.Lon - lon, p.Lat - lat}, high: [2]float64{p.Lon + lon, p.Lat + lat},
	}}
}

func roundTo(v, digits float64) float64 { return math.Round(v*digits) / digits }

func position(p geofilter.Point) string { return fmt.Sprintf(`{"lat":%.6f,"lon":%.6f}`, p.Lat, p.Lon) }

// walkers is W2: circles of 100 to 2,000 m, and as many walkers as documents. A
// walker goes 20 m at a time; three in ten are parked, and seem to move by 3 m.
func walkers(size int) (problem, error) {
	t, err := worldTowns()
	if err != nil {
		return problem{}, err
	}
	random := rand.New(rand.NewPCG(5, 6))
	at := make([]geofilter.Point, documentCount)
	for i := range at {
		at[i] = t.somebody(random)
	}
	body := func(p geofilter.Point) string { return `{"speed":5,"p":` + position(p) + `,"heading":121}` }
	p := problem{
		size: size,
		filter: func(random *rand.Rand, _ int) condition {
			return circle(t.somebody(random), uniform(random, 100, 2000))
		},
		next: func(random *rand.Rand, i int) string {
			if i%10 < 3 {
				return body(moved(random, at[i], 3))
			}
			sin, cos := math.Sincos(uniform(random, 0, 2*math.Pi))
			at[i].Lat += 20 * sin / 111_195
			at[i].Lon += 20 * cos / 111_195 / math.Cos(at[i].Lat*math.Pi/180)
			return body(at[i])
		},
	}
	for _, a := range at {
		p.documents = append(p.documents, body(a))
	}
	return p, nil
}

// trucks is W3: a circle, and a value, and a range.
func trucks(size int) (problem, error) {
	t, err := worldTowns()
	if err != nil {
		return problem{}, err
	}
	return problem{
		size: size,
		filter: func(random *rand.Rand, _ int) condition {
			c := circle(t.somebody(random), uniform(random, 100, 2000))
			low := random.IntN(60)
			c.text = fmt.Sprintf(`{"and":[%s,{"equals":{"occupied":%v}},{"range":{"speed":{"gte":%d,"lt":%d}}}]}`,
				c.text, random.IntN(2) == 0, low, low+40)
			c.area.rest = true
			return c
		},
		documents: bodies(func(random *rand.Rand) string {
			return fmt.Sprintf(`{"plate":"T-%d","speed":%.1f,"occupied":%v,"p":%s,"heading":%d,"line":"N%d","fuel":0.5}`,
				random.IntN(1000), uniform(random, 0, 80), random.IntN(2) == 0, position(t.somebody(random)), random.IntN(360), random.IntN(20))
		}),
	}, nil
}

// countries is W7: the outlines of countries and of their islands, thinned where
// a filter may not have so many points, and people.
func countries(size int) (problem, error) {
	t, err := worldTowns()
	if err != nil {
		return problem{}, err
	}
	var outlines []condition
	err = places("countries", func(line []byte) error {
		var outline [][2]float64
		if err := json.Unmarshal(line, &outline); err != nil {
			return err
		}
		if c, ok := outlineOf(outline); ok {
			outlines = append(outlines, c)
		}
		return nil
	})
	if err != nil {
		return problem{}, err
	}
	size = min(size, len(outlines))
	return problem{
		size:      size,
		filter:    func(_ *rand.Rand, i int) condition { return outlines[i] },
		documents: bodies(func(random *rand.Rand) string { return `{"p":` + position(t.somebody(random)) + `}` }),
	}, nil
}

// outlineOf makes the condition of an outline, of at most 500 points, unless it
// goes around the Earth.
func outlineOf(outline [][2]float64) (condition, bool) {
	every := 1 + len(outline)/500
	var points []string
	var vertices []geofilter.Point
	a := &area{low: [2]float64{math.Inf(1), math.Inf(1)}, high: [2]float64{math.Inf(-1), math.Inf(-1)}}
	for i := 0; i < len(outline); i += every {
		lat, lon := roundTo(outline[i][0], 1e3), roundTo(outline[i][1], 1e3)
		points = append(points, fmt.Sprintf("[%v,%v]", lat, lon))
		vertices = append(vertices, geofilter.Point{Lat: lat, Lon: lon})
		a.low[0], a.low[1] = min(a.low[0], lon), min(a.low[1], lat)
		a.high[0], a.high[1] = max(a.high[0], lon), max(a.high[1], lat)
	}
	if vertices = slices.Compact(vertices); len(vertices) < 4 {
		return condition{}, false
	}
	polygon, err := geofilter.NewPolygon(vertices)
	if err != nil {
		return condition{}, false
	}
	// An edge along a parallel bends towards the pole.
	a.low[1], a.high[1] = a.low[1]-1, a.high[1]+1
	a.shape = polygon
	return condition{`{"geoPolygon":{"p":{"points":[` + strings.Join(points, ",") + `]}}}`, a}, true
}
