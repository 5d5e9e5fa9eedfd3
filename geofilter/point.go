// Package geofilter answers whether a shape on the Earth contains a point.
//
// Positions are in degrees, distances in metres on the WGS 84 ellipsoid. Every
// shape contains its own edge. The package knows nothing of JSON or of
// filters: package filter reads shapes and points, and asks here.
package geofilter

import "math"

// A Point is a position in degrees.
type Point struct {
	Lat float64 // from -90 to 90
	Lon float64 // any finite number: longitudes are taken modulo 360
}

// Valid reports whether p is a place on the Earth. No shape contains a point
// that is not.
func (p Point) Valid() bool {
	return p.Lat >= -90 && p.Lat <= 90 && !math.IsNaN(p.Lon) && !math.IsInf(p.Lon, 0)
}

// Normal returns the same place with its longitude from -180, included, to
// 180, excluded. It is exact: no rounding moves the point.
func (p Point) Normal() Point {
	return Point{Lat: p.Lat, Lon: wrap(p.Lon)}
}

// wrap brings a longitude into [-180, 180). math.Remainder rounds nothing.
func wrap(lon float64) float64 {
	if lon >= -180 && lon < 180 {
		return lon + 0 // -0 becomes 0
	}
	lon = math.Remainder(lon, 360)
	if lon == 180 {
		return -180
	}
	return lon + 0
}
