package main

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"

	"github.com/ambitmq/ambit/geofilter"
)

// A fix is where a taxi was.
type fix struct {
	at       geofilter.Point
	occupied bool
}

// fixes reads the fixes of the taxis of San Francisco, in the order of time, once.
var fixes = sync.OnceValues(func() ([]fix, error) {
	file, err := os.Open("../../../shared/data/sf-taxis-2008-05-31.csv.gz")
	if err != nil {
		return nil, fmt.Errorf("the traces are not there: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	text, err := gzip.NewReader(file)
	if err != nil {
		return nil, err
	}
	lines := csv.NewReader(text)
	lines.ReuseRecord = true
	if _, err := lines.Read(); err != nil {
		return nil, err
	}
	var list []fix
	for {
		line, err := lines.Read()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		lat, latErr := strconv.ParseFloat(line[2], 64)
		lon, lonErr := strconv.ParseFloat(line[3], 64)
		if err := errors.Join(latErr, lonErr); err != nil {
			return nil, err
		}
		list = append(list, fix{geofilter.Point{Lat: lat, Lon: lon}, line[4] == "1"})
	}
})

// taxis is W1: circles of 50 to 300 m where taxis were, give or take 300 m, and
// the taxis.
func taxis(size int) (problem, error) {
	list, err := fixes()
	if err != nil {
		return problem{}, err
	}
	p := problem{size: size, filter: func(random *rand.Rand, _ int) condition {
		return circle(moved(random, list[random.IntN(len(list))].at, 300), uniform(random, 50, 300))
	}}
	for i := range documentCount {
		f := list[i%len(list)]
		p.documents = append(p.documents, fmt.Sprintf(`{"p":%s,"occupied":%v}`, position(f.at), f.occupied))
	}
	return p, nil
}
