package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/tidwall/rtree"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/geofilter"
)

// An entry is an area in the R-tree, and the filter if it asks for more.
type entry struct {
	number int
	shape  geofilter.Shape
	rest   *filter.Filter
}

// An rTree finds boxes, and tests the shapes in them exactly.
type rTree struct{ rtree.RTreeG[entry] }

// plant makes the R-tree of a problem.
func plant(p problem) (*rTree, error) {
	t := new(rTree)
	for i, c := range p.each {
		e := entry{number: i, shape: c.area.shape}
		if c.area.rest {
			f, err := filter.Parse([]byte(c.text))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.text, err)
			}
			e.rest = f
		}
		// What lies across the antimeridian is there on either side.
		for _, turn := range []float64{0, 360, -360} {
			low, high := c.area.low, c.area.high
			low[0], high[0] = low[0]+turn, high[0]+turn
			if turn == 0 || low[0] < 180 && high[0] >= -180 {
				t.Insert(low, high, e)
			}
		}
	}
	return t, nil
}

// match appends what contains a document at a place.
func (t *rTree) match(dst []int, d located) []int {
	where := [2]float64{d.at.Lon, d.at.Lat}
	t.Search(where, where, func(_, _ [2]float64, e entry) bool {
		if e.shape.Contains(d.at) && (e.rest == nil || e.rest.Match(d.Document)) {
			dst = append(dst, e.number)
		}
		return true
	})
	return dst
}

// A located document is one whose geopoint has been read: for the R-tree, that
// is not counted.
type located struct {
	*filter.Document
	at geofilter.Point
}

func locate(bodies []string) ([]located, error) {
	list, err := parsedAll(bodies)
	if err != nil {
		return nil, err
	}
	documents := make([]located, len(list))
	for i, d := range list {
		var position struct{ P geofilter.Point }
		if err := json.Unmarshal([]byte(bodies[i]), &position); err != nil {
			return nil, fmt.Errorf("%s: %w", bodies[i], err)
		}
		documents[i] = located{d, position.P}
	}
	return documents, nil
}

// measureRTree returns the nanoseconds per document, and the first answers.
func measureRTree(p problem, least time.Duration, count int) (float64, [][]int, error) {
	tree, err := plant(p)
	if err != nil {
		return 0, nil, err
	}
	documents, err := locate(p.documents)
	if err != nil {
		return 0, nil, err
	}
	var found []int
	var took []float64
	const group = batch * batches
	for n, spent := 0, time.Duration(0); spent < least || len(took) < 9; n = (n + group) % len(documents) {
		start := cpuTime()
		for _, d := range documents[n : n+group] {
			found = tree.match(found[:0], d)
		}
		some := cpuTime() - start
		spent += some
		took = append(took, float64(some)/group)
	}
	answers := make([][]int, count)
	for i := range answers {
		answers[i] = tree.match(nil, documents[i])
	}
	return median(took), answers, nil
}
