package main

import (
	"math"
	"testing"
)

// The geodesic from Flinders Peak to Buninyong is the usual check of Vincenty's
// formula (Geoscience Australia, on GRS 80, which differs by less than 0.1 mm).
func TestVincentyAgreesWithPublishedGeodesics(t *testing.T) {
	for _, tt := range []struct {
		name                   string
		lat1, lon1, lat2, lon2 float64
		meters                 float64
	}{
		{"Flinders Peak to Buninyong", -37.95103341666667, 144.42486788888888, -37.65282113888889, 143.92649552777777, 54972.271},
		{"a degree of the equator", 0, 0, 0, 1, 111319.491},
		{"a degree of a meridian at the equator", 0, 0, 1, 0, 110574.389},
		{"no way at all", 37.6, -122.4, 37.6, -122.4, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := vincenty(tt.lat1, tt.lon1, tt.lat2, tt.lon2); math.Abs(got-tt.meters) > 0.001 {
				t.Errorf("%.4f m, want %.3f", got, tt.meters)
			}
		})
	}
}
