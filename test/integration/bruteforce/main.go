// Command bruteforce computes who enters and leaves a few fences from the rows
// of a trace, one row after the other, without an index and without anything of
// Ambit: the integration tests compare Ambit with it.
//
//	bruteforce [-rows N] FILE FENCE…
//
// FILE is CSV, compressed with gzip, with the columns time, taxi, lat, lon and
// occupied. A FENCE is one of
//
//	name:circle:lat,lon,meters          within a distance on the WGS 84 ellipsoid
//	name:box:north,west,south,east      between these degrees, edges included
//
// and name:occupied+circle:… counts taxis with a fare only. It prints a line
// "name taxi enter" or "name taxi exit" for each row that changes something.
//
// A distance is computed to within a millimetre here, and Ambit promises a
// metre. A row that is within a metre of a circle's edge would decide nothing:
// the program fails on it, so that the fences are laid elsewhere.
package main

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
)

func main() {
	rows := flag.Int("rows", math.MaxInt, "read this many rows only")
	flag.Parse()
	if err := run(flag.Args(), *rows); err != nil {
		fmt.Fprintln(os.Stderr, "bruteforce:", err)
		os.Exit(1)
	}
}

func run(args []string, rows int) error {
	if len(args) < 2 {
		return errors.New("usage: bruteforce [-rows N] FILE FENCE…")
	}
	var fences []*fence
	for _, text := range args[1:] {
		f, err := parseFence(text)
		if err != nil {
			return fmt.Errorf("fence %q: %w", text, err)
		}
		fences = append(fences, f)
	}
	file, err := os.Open(args[0])
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was only read
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	out := bufio.NewWriter(os.Stdout)
	if err := walk(unzipped, rows, fences, out); err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	return out.Flush()
}

// walk reads the rows and prints the transitions.
func walk(r io.Reader, rows int, fences []*fence, out io.Writer) error {
	lines := csv.NewReader(r)
	if _, err := lines.Read(); err != nil { // the header
		return err
	}
	for range rows {
		row, err := lines.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, f := range fences {
			if err := f.see(row, out); err != nil {
				line, _ := lines.FieldPos(0)
				return fmt.Errorf("line %d: %w", line, err)
			}
		}
	}
	return nil
}

// A fence is a shape and who is inside.
type fence struct {
	name     string
	occupied bool // only taxis with a fare
	circle   bool
	numbers  []float64
	inside   map[string]bool // taxis
}

func parseFence(text string) (*fence, error) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return nil, errors.New("must be name:shape:numbers")
	}
	shape, occupied := strings.CutPrefix(parts[1], "occupied+")
	f := &fence{name: parts[0], occupied: occupied, circle: shape == "circle", inside: map[string]bool{}}
	for word := range strings.SplitSeq(parts[2], ",") {
		n, err := strconv.ParseFloat(word, 64)
		if err != nil {
			return nil, err
		}
		f.numbers = append(f.numbers, n)
	}
	if f.circle && len(f.numbers) == 3 || shape == "box" && len(f.numbers) == 4 {
		return f, nil
	}
	return nil, errors.New("a circle has three numbers, a box four")
}

// see looks at one row: time, taxi, lat, lon, occupied.
func (f *fence) see(row []string, out io.Writer) error {
	lat, err := strconv.ParseFloat(row[2], 64)
	if err != nil {
		return err
	}
	lon, err := strconv.ParseFloat(row[3], 64)
	if err != nil {
		return err
	}
	isIn, err := f.contains(lat, lon)
	if err != nil {
		return err
	}
	isIn = isIn && (!f.occupied || row[4] == "1")
	taxi := row[1]
	if isIn == f.inside[taxi] {
		return nil
	}
	f.inside[taxi] = isIn
	transition := map[bool]string{true: "enter", false: "exit"}[isIn]
	_, err = fmt.Fprintln(out, f.name, taxi, transition)
	return err
}

func (f *fence) contains(lat, lon float64) (bool, error) {
	n := f.numbers
	if !f.circle {
		return lat <= n[0] && lon >= n[1] && lat >= n[2] && lon <= n[3], nil
	}
	meters := vincenty(n[0], n[1], lat, lon)
	if math.Abs(meters-n[2]) < 1 || math.IsNaN(meters) {
		return false, fmt.Errorf("%g, %g is %.3f m from the centre of %s: too near its edge to say", lat, lon, meters, f.name)
	}
	return meters <= n[2], nil
}

// The ellipsoid of WGS 84.
const (
	equatorMeters = 6378137.0
	flattening    = 1 / 298.257223563
	poleMeters    = equatorMeters * (1 - flattening)
)

// vincenty returns the distance of two points that are not nearly antipodal.
// T. Vincenty, Direct and Inverse Solutions of Geodesics on the Ellipsoid with
// Application of Nested Equations, Survey Review 23 (176), 1975.
func vincenty(lat1, lon1, lat2, lon2 float64) float64 {
	const rad = math.Pi / 180
	sinU1, cosU1 := math.Sincos(math.Atan((1 - flattening) * math.Tan(lat1*rad)))
	sinU2, cosU2 := math.Sincos(math.Atan((1 - flattening) * math.Tan(lat2*rad)))
	difference := (lon2 - lon1) * rad
	for lambda, step := difference, 0; step < 100; step++ {
		sinLambda, cosLambda := math.Sincos(lambda)
		sinSigma := math.Hypot(cosU2*sinLambda, cosU1*sinU2-sinU1*cosU2*cosLambda)
		if sinSigma == 0 {
			return 0 // the same point
		}
		cosSigma := sinU1*sinU2 + cosU1*cosU2*cosLambda
		sigma := math.Atan2(sinSigma, cosSigma)
		sinAlpha := cosU1 * cosU2 * sinLambda / sinSigma
		cos2Alpha := 1 - sinAlpha*sinAlpha
		cos2SigmaM := 0.0 // on the equator
		if cos2Alpha != 0 {
			cos2SigmaM = cosSigma - 2*sinU1*sinU2/cos2Alpha
		}
		c := flattening / 16 * cos2Alpha * (4 + flattening*(4-3*cos2Alpha))
		previous := lambda
		lambda = difference + (1-c)*flattening*sinAlpha*
			(sigma+c*sinSigma*(cos2SigmaM+c*cosSigma*(2*cos2SigmaM*cos2SigmaM-1)))
		if math.Abs(lambda-previous) < 1e-12 {
			return arc(sigma, sinSigma, cosSigma, cos2Alpha, cos2SigmaM)
		}
	}
	return math.NaN()
}

// arc is the last step of vincenty: the length of the geodesic.
func arc(sigma, sinSigma, cosSigma, cos2Alpha, cos2SigmaM float64) float64 {
	u2 := cos2Alpha * (equatorMeters*equatorMeters - poleMeters*poleMeters) / (poleMeters * poleMeters)
	a := 1 + u2/16384*(4096+u2*(-768+u2*(320-175*u2)))
	b := u2 / 1024 * (256 + u2*(-128+u2*(74-47*u2)))
	square := cos2SigmaM * cos2SigmaM
	delta := b * sinSigma * (cos2SigmaM + b/4*(cosSigma*(2*square-1)-
		b/6*cos2SigmaM*(4*sinSigma*sinSigma-3)*(4*square-3)))
	return poleMeters * a * (sigma - delta)
}
