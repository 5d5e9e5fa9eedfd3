package koncorde

import (
	"encoding/json"
	"math"

	"github.com/ambitmq/ambit/filter"
)

// Koncorde takes what is to the left of a line around a pole for its inside, be
// it all but the cap, and misses places near the pole even so.

// pointsOf returns the points of a geoPolygon.
func pointsOf(source string) []place {
	f, err := filter.Parse([]byte(source))
	if err != nil {
		return nil
	}
	var canonical struct {
		GeoPolygon map[string]struct{ Points [][2]float64 }
	}
	if json.Unmarshal([]byte(f.String()), &canonical) != nil {
		return nil
	}
	points := []place{}
	for _, polygon := range canonical.GeoPolygon {
		for _, p := range polygon.Points {
			points = append(points, place{p[0], p[1]})
		}
	}
	return points
}

// goesAroundAPole says whether the longitudes of points come once around, all
// of them on one side of the equator, and whether an edge leads over the pole.
func goesAroundAPole(points []place) (around, over bool) {
	if len(points) == 0 {
		return false, false
	}
	turn, before, north := 0.0, points[len(points)-1], points[0].Lat > 0
	for _, p := range points {
		if p.Lat == 0 || p.Lat > 0 != north {
			return false, false
		}
		step := math.Remainder(p.Lon-before.Lon, 360)
		over = over || math.Abs(step) == 180
		turn, before = turn+step, p
	}
	return math.Abs(turn) > 359, over
}

// capHolds says whether a polygon around a pole holds a place. On a map from the
// centre of the Earth, with the pole in the middle, its edges are straight.
func capHolds(points []place, at place) bool {
	if at.Lat == 0 || at.Lat > 0 != (points[0].Lat > 0) {
		return false
	}
	project := func(p place) (x, y float64) {
		sin, cos := math.Sincos(p.Lon * math.Pi / 180)
		out := 1 / math.Tan(math.Abs(p.Lat)*math.Pi/180)
		return out * cos, out * sin
	}
	x, y := project(at)
	is := false
	x1, y1 := project(points[len(points)-1])
	for _, p := range points {
		x2, y2 := project(p)
		if (y1 > y) != (y2 > y) && x < x1+(y-y1)*(x2-x1)/(y2-y1) {
			is = !is
		}
		x1, y1 = x2, y2
	}
	return is
}
