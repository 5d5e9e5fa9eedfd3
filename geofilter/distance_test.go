package geofilter

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestDistanceIsWithinACentimeterOfTheGeodesicUpTo100Kilometers(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	worst := 0.0
	for range 100_000 {
		a := randomPoint(random)
		b := near(random, a, 100_000)
		want := vincenty(a, b)
		if want > 100_000 {
			continue
		}
		worst = max(worst, math.Abs(float64(Distance(a, b))-want))
	}
	if worst > 0.01 {
		t.Errorf("Distance is %v m off, 1 cm is promised", worst)
	}
}

func TestDistanceIsWithin5MetersUpTo15000Kilometers(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	worst := 0.0
	for range 100_000 {
		a, b := randomPoint(random), randomPoint(random)
		if want := vincenty(a, b); want < 15_000_000 {
			worst = max(worst, math.Abs(float64(Distance(a, b))-want))
		}
	}
	if worst > 5 {
		t.Errorf("Distance is %v m off, 5 m are promised", worst)
	}
}

func TestDistanceOfKnownPlaces(t *testing.T) {
	for _, tt := range []struct {
		name            string
		a, b            Point
		want, tolerance Meters
	}{
		{"the same place", Point{45, 7}, Point{45, 7}, 0, 0},
		{"the same place a turn later", Point{45, 7}, Point{45, 367}, 0, 0},
		{"a pole by two names", Point{90, 0}, Point{90, 123}, 0, 1e-6},
		{"a degree of the equator", Point{0, 0}, Point{0, 1}, 111319.491, 0.01},
		{"a degree of a meridian at the equator", Point{0, 0}, Point{1, 0}, 110574.389, 0.01},
		{"across the antimeridian", Point{0, 179.5}, Point{0, -179.5}, 111319.491, 0.01},
		{"across the pole", Point{89.5, 0}, Point{89.5, 180}, 111693.9, 0.1},
		{"a millimetre", Point{45, 7}, Point{45, 7.0000000127}, 0.001, 1e-5},
		{"Paris to London", Point{48.8566, 2.3522}, Point{51.5074, -0.1278}, 343923.1, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Distance(tt.a, tt.b); math.Abs(float64(got-tt.want)) > float64(tt.tolerance) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			if there, back := Distance(tt.a, tt.b), Distance(tt.b, tt.a); math.Abs(float64(there-back)) > 1e-6 {
				t.Errorf("%v there, %v back", there, back)
			}
		})
	}
}

func TestDistanceIsAlwaysANumber(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 100_000 {
		a := randomPoint(random)
		antipode := near(random, Point{Lat: -a.Lat, Lon: a.Lon + 180}, 1)
		for _, b := range []Point{a, antipode, {Lat: -a.Lat, Lon: a.Lon + 180}, near(random, a, 1e-6)} {
			if d := Distance(a, b); !(d >= 0 && d < 20_100_000) {
				t.Fatalf("Distance(%v, %v) = %v", a, b, d)
			}
		}
	}
}

func BenchmarkDistance(b *testing.B) {
	from, to := Point{48.1, 11.5}, Point{48.2, 11.6}
	for b.Loop() {
		Distance(from, to)
	}
}

// randomPoint is evenly spread over the sphere.
func randomPoint(random *rand.Rand) Point {
	return Point{Lat: math.Asin(2*random.Float64()-1) * 180 / math.Pi, Lon: 360*random.Float64() - 180}
}

// near returns a point about as far from p as meters, or nearer.
func near(random *rand.Rand, p Point, meters float64) Point {
	degrees := meters / 111_000
	lat := p.Lat + degrees*(2*random.Float64()-1)
	stretch := max(0.001, math.Cos(p.Lat*math.Pi/180))
	return Point{Lat: max(-90, min(90, lat)), Lon: p.Lon + degrees*(2*random.Float64()-1)/stretch}
}

// vincenty returns the length of the geodesic by Vincenty's inverse formula
// (Survey Review XXIII, 1975), which is good to 0.5 mm, or infinity near the
// antipodes, where it does not converge.
func vincenty(p, q Point) float64 {
	const b = semiMajorAxis * (1 - flattening)
	l := radians(q.Normal().Lon - p.Normal().Lon)
	sinU1, cosU1 := math.Sincos(math.Atan((1 - flattening) * math.Tan(radians(p.Lat))))
	sinU2, cosU2 := math.Sincos(math.Atan((1 - flattening) * math.Tan(radians(q.Lat))))
	lambda := l
	for range 200 {
		sinLambda, cosLambda := math.Sincos(lambda)
		sinSigma := math.Hypot(cosU2*sinLambda, cosU1*sinU2-sinU1*cosU2*cosLambda)
		if sinSigma == 0 {
			return 0
		}
		cosSigma := sinU1*sinU2 + cosU1*cosU2*cosLambda
		sigma := math.Atan2(sinSigma, cosSigma)
		sinAlpha := cosU1 * cosU2 * sinLambda / sinSigma
		cos2Alpha := 1 - sinAlpha*sinAlpha
		cos2SigmaM := 0.0
		if cos2Alpha > 0 {
			cos2SigmaM = cosSigma - 2*sinU1*sinU2/cos2Alpha
		}
		c := flattening / 16 * cos2Alpha * (4 + flattening*(4-3*cos2Alpha))
		next := l + (1-c)*flattening*sinAlpha*(sigma+c*sinSigma*(cos2SigmaM+c*cosSigma*(2*cos2SigmaM*cos2SigmaM-1)))
		if math.Abs(next-lambda) > 1e-12 {
			lambda = next
			continue
		}
		u2 := cos2Alpha * (semiMajorAxis*semiMajorAxis - b*b) / (b * b)
		bigA := 1 + u2/16384*(4096+u2*(-768+u2*(320-175*u2)))
		bigB := u2 / 1024 * (256 + u2*(-128+u2*(74-47*u2)))
		deltaSigma := bigB * sinSigma * (cos2SigmaM + bigB/4*(cosSigma*(2*cos2SigmaM*cos2SigmaM-1)-
			bigB/6*cos2SigmaM*(4*sinSigma*sinSigma-3)*(4*cos2SigmaM*cos2SigmaM-3)))
		return b * bigA * (sigma - deltaSigma)
	}
	return math.Inf(1)
}
