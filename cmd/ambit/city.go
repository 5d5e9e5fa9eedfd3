package main

import (
	"fmt"
	"math"
	"slices"
)

// A point is a place on the map of a city, in metres from its centre: x to the
// east, y to the north.
type point struct{ x, y float64 }

func (p point) distance(q point) float64 { return math.Hypot(q.x-p.x, q.y-p.y) }

// A degrees is a place on the earth.
type degrees struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

// A city is where the simulated fleet drives. Its streets are a grid, its
// places are real.
type city struct {
	name   string
	centre degrees
	grid   float64 // angle of the grid, in radians from east
	places []place
}

// A place is where vehicles go to.
type place struct {
	name string
	at   degrees
	// supplies says that parcels are loaded there, and batteries.
	supplies bool
}

// Every city has these three places, which the fences are about.
const (
	airport = "airport"
	harbour = "harbour"
	oldTown = "old town"
)

// cities returns the cities that can be driven in. The first is the default.
func cities() []city {
	return []city{
		{"Hamburg", degrees{53.5550, 9.9950}, 0.35, []place{
			{airport, degrees{53.6304, 10.0063}, true},
			{harbour, degrees{53.5330, 9.9300}, true},
			{oldTown, degrees{53.5498, 9.9960}, false},
			{"Altona", degrees{53.5497, 9.9354}, false},
			{"Eppendorf", degrees{53.5928, 9.9812}, false},
			{"Barmbek", degrees{53.5872, 10.0447}, false},
			{"Wandsbek", degrees{53.5723, 10.0842}, false},
			{"Wilhelmsburg", degrees{53.4960, 10.0080}, false},
		}},
		{"Barcelona", degrees{41.3874, 2.1686}, 0.78, []place{
			{airport, degrees{41.2974, 2.0833}, true},
			{harbour, degrees{41.3440, 2.1560}, true},
			{oldTown, degrees{41.3830, 2.1770}, false},
			{"Gràcia", degrees{41.4036, 2.1560}, false},
			{"Sarrià", degrees{41.3996, 2.1215}, false},
			{"Sant Andreu", degrees{41.4350, 2.1900}, false},
			{"Poblenou", degrees{41.4030, 2.2040}, false},
			{"L'Hospitalet", degrees{41.3600, 2.1000}, false},
		}},
		{"Lisbon", degrees{38.7280, -9.1450}, 1.2, []place{
			{airport, degrees{38.7742, -9.1342}, true},
			{harbour, degrees{38.7030, -9.1700}, true},
			{oldTown, degrees{38.7118, -9.1330}, false},
			{"Belém", degrees{38.6980, -9.2060}, false},
			{"Benfica", degrees{38.7510, -9.2020}, false},
			{"Oriente", degrees{38.7680, -9.0990}, false},
			{"Lumiar", degrees{38.7720, -9.1600}, false},
			{"Marvila", degrees{38.7400, -9.1040}, false},
		}},
	}
}

// place returns a place by its name, which must be that of one.
func (c city) place(name string) place {
	return c.places[slices.IndexFunc(c.places, func(p place) bool { return p.name == name })]
}

// metersPerDegree is the length of a degree of latitude.
const metersPerDegree = 111_195

func (c city) point(d degrees) point {
	east := metersPerDegree * math.Cos(c.centre.Lat*math.Pi/180)
	return point{(d.Lon - c.centre.Lon) * east, (d.Lat - c.centre.Lat) * metersPerDegree}
}

func (c city) degrees(p point) degrees {
	east := metersPerDegree * math.Cos(c.centre.Lat*math.Pi/180)
	round := func(d float64) float64 { return math.Round(d*1e6) / 1e6 } // a tenth of a metre
	return degrees{round(c.centre.Lat + p.y/metersPerDegree), round(c.centre.Lon + p.x/east)}
}

// A fence is a filter that the demo watches, and how it speaks of it.
type fence struct {
	name   string
	filter string
	enters string // truck-07 …
	leaves string
}

// fences returns the fences of a city: a circle, a box, another circle, and one
// filter that asks for place and speed at once.
func (c city) fences() []fence {
	circle := func(name string, meters int) string {
		at := c.place(name).at
		return fmt.Sprintf(`{"geoDistance":{"position":{"lat":%v,"lon":%v},"distance":"%dm"}}`, at.Lat, at.Lon, meters)
	}
	h := c.place(harbour).at
	box := fmt.Sprintf(`{"geoBoundingBox":{"position":{"topLeft":{"lat":%.4f,"lon":%.4f},"bottomRight":{"lat":%.4f,"lon":%.4f}}}}`,
		h.Lat+0.010, h.Lon-0.020, h.Lat-0.010, h.Lon+0.020)
	old := circle(oldTown, oldTownMeters)
	fast := fmt.Sprintf(`{"and":[%s,{"range":{"speed":{"gt":%d}}}]}`, old, oldTownLimit)
	return []fence{
		{airport, circle(airport, 1500), "enters the airport", "leaves the airport"},
		{harbour, box, "enters the harbour", "leaves the harbour"},
		{oldTown, old, "enters the old town", "leaves the old town"},
		{"fast in the old town", fast, "is fast in the old town", "is fast in the old town no longer"},
	}
}
