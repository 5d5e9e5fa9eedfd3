package filter

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestIntervalsFindsWhatHoldsANumber(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var tree intervals
	truth := map[uint32]entryInterval{}
	for step := range 20_000 {
		id := uint32(1 + random.IntN(3000))
		e, ok := truth[id]
		if remove := step > 10_000; ok || remove {
			if ok {
				tree.remove(e)
				delete(truth, id)
			}
			continue
		}
		e = entryInterval{entry: id, low: float64(random.IntN(100)), high: math.Inf(1)}
		switch random.IntN(3) {
		case 0:
			e.low = math.Inf(-1)
			e.high = float64(random.IntN(100))
		case 1:
			e.high = e.low + float64(random.IntN(1+random.IntN(100)))
		}
		truth[id] = e
		tree.add(e)
		if step%50 == 0 {
			checkIntervals(t, &tree, truth, random)
		}
	}
	checkIntervals(t, &tree, truth, random)
	for _, e := range truth {
		tree.remove(e)
	}
	if tree.root.Load() != nil {
		t.Errorf("an empty tree has a root")
	}
}

func checkIntervals(t *testing.T, tree *intervals, truth map[uint32]entryInterval, random *rand.Rand) {
	t.Helper()
	for range 5 {
		v := float64(random.IntN(220)-10) / 2
		var want []uint32
		for id, e := range truth {
			if e.low <= v && v <= e.high {
				want = append(want, id)
			}
		}
		got := tree.search(nil, v)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Fatalf("%d of %d intervals hold %v, want %d", len(got), len(truth), v, len(want))
		}
	}
}

// The complement must hold what the interval does not, to the last bit.
func TestComplementOfAnInterval(t *testing.T) {
	bounds := []float64{math.Inf(-1), -math.MaxFloat64, -1, math.Nextafter(0, -1), 0, math.Nextafter(0, 1), 1, math.Nextafter(1, 2), math.MaxFloat64, math.Inf(1)}
	for _, low := range bounds {
		for _, high := range bounds {
			for kind := range 4 {
				i := interval{low, high, kind&1 != 0 && !math.IsInf(low, 0), kind&2 != 0 && !math.IsInf(high, 0)}
				if i.low >= i.high {
					continue
				}
				checkComplement(t, i, bounds)
			}
		}
	}
}

func checkComplement(t *testing.T, i interval, numbers []float64) {
	t.Helper()
	low, high := i.closed()
	for _, v := range numbers {
		outside := 0
		for _, part := range i.complement(1) {
			if v >= part.low && v <= part.high {
				outside++
			}
		}
		inside := v >= low && v <= high
		if want := i.contains(v); inside != want || (outside == 1) == want || outside > 1 {
			t.Errorf("%v is in %+v: %v; closed says %v, %d complements hold it", v, i, want, inside, outside)
		}
	}
}
