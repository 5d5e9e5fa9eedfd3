package main

import (
	"math/rand/v2"

	"github.com/ambitmq/ambit/geofilter"
)

// A workload is a kind of filters and documents.
type workload struct {
	name, filters string
	sizes         []int // how many filters
	// aim is how many nanoseconds a document should cost, at the largest size; 0
	// if nobody has said.
	aim float64
	// open makes the workload of so many filters, the same one each time. The
	// error is why it cannot be had here.
	open func(size int) (problem, error)
	// moves says that documents are moved besides, and filters changed.
	moves bool
}

// A problem is what a workload asks at one size.
type problem struct {
	size int
	// filter makes the ith filter, with a source of random numbers of its own.
	filter func(random *rand.Rand, i int) condition
	// documents are bodies, the same number for every size.
	documents []string
	// next makes the next body of a document that moves; nil if none does.
	next func(random *rand.Rand, i int) string
}

// A condition is a filter, and the area that it is about, for an R-tree.
type condition struct {
	text string
	area *area
}

// An area is a shape and the box around it.
type area struct {
	shape     geofilter.Shape
	low, high [2]float64 // longitude and latitude
	rest      bool       // the filter has conditions besides
}

// each yields the filters of a problem.
func (p problem) each(yield func(i int, c condition) bool) {
	for i := range p.size {
		if !yield(i, p.some(i, i+1)[0]) {
			return
		}
	}
}

// some returns the filters from one number to before another.
func (p problem) some(from, to int) []condition {
	list := make([]condition, 0, to-from)
	for i := from; i < to; i++ {
		list = append(list, p.filter(rand.New(rand.NewPCG(uint64(i), 2)), i))
	}
	return list
}

// inAreas says whether all filters are about areas.
func (p problem) inAreas() bool {
	return p.some(0, 1)[0].area != nil
}

// documentCount is how many documents a workload has: so many that few of the
// nodes they visit are in the caches when the next one comes.
const documentCount = 100_000

// bodies makes the documents of a problem.
func bodies(body func(random *rand.Rand) string) []string {
	random := rand.New(rand.NewPCG(3, 4))
	list := make([]string, documentCount)
	for i := range list {
		list[i] = body(random)
	}
	return list
}

func uniform(random *rand.Rand, low, high float64) float64 { return low + (high-low)*random.Float64() }
