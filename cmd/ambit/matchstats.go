package main

import (
	"encoding/json"
	"io"
	"math"
	"runtime"
	"time"
)

// matchTotals are what ambit match counts as it goes: candidates for --stats
// alone, as it takes another search, which is not timed.
type matchTotals struct {
	documents, matches, candidates int
	parsing, matching              time.Duration
}

// matchStats are what ambit match --stats prints.
type matchStats struct {
	Filters               int     `json:"filters"`
	Documents             int     `json:"documents"`
	Matches               int     `json:"matches"`
	CandidatesPerDocument float64 `json:"candidates_per_document"`
	NsPerDocument         float64 `json:"ns_per_document"`
	BytesPerFilter        float64 `json:"bytes_per_filter"`
	ParseNsPerDocument    float64 `json:"parse_ns_per_document"`
}

// stats sums the task up. It drops the filters, to see what memory that frees.
func (t *matchTask) stats() matchStats {
	filters := t.filters.matcher.Len()
	full := heapBytes()
	t.filters.matcher, t.filters.filters = nil, nil
	freed := max(0, full-heapBytes())
	return matchStats{
		Filters:               filters,
		Documents:             t.documents,
		Matches:               t.matches,
		CandidatesPerDocument: share(float64(t.candidates), t.documents),
		NsPerDocument:         share(float64(t.matching.Nanoseconds()), t.documents),
		BytesPerFilter:        share(freed, filters),
		ParseNsPerDocument:    share(float64(t.parsing.Nanoseconds()), t.documents),
	}
}

// share returns a total's share of each of n, to a thousandth; of none, 0.
func share(total float64, n int) float64 {
	if n == 0 {
		return 0
	}
	return math.Round(1000*total/float64(n)) / 1000
}

// heapBytes returns the memory of all that is still in use.
func heapBytes() float64 {
	runtime.GC()
	runtime.GC() // what a sync.Pool keeps goes with the second one
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

func (s matchStats) print(w io.Writer) error { return json.NewEncoder(w).Encode(s) }
