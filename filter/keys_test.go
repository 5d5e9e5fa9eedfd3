package filter

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestKeysKnowTheirFilters(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var s keys[string]
	truth := map[string]uint32{}
	for range 20_000 {
		k := fmt.Sprint(random.IntN(100))
		if id := truth[k]; id != 0 {
			s.forget(k, id)
			if more := slices.ContainsFunc(keysOf(truth, id), func(other string) bool { return other != k }); s.remove(k, id) != more {
				t.Fatalf("filter %d had other keys than %s: want %v", id, k, more)
			}
			delete(truth, k)
		} else {
			truth[k] = 1 + random.Uint32N(80)
			s.add(k, truth[k])
		}
		if k := fmt.Sprint(random.IntN(100)); s.filter(k) != truth[k] || s.len() != len(truth) {
			t.Fatalf("%s has filter %d of %d keys, want %d of %d", k, s.filter(k), s.len(), truth[k], len(truth))
		}
	}
	for id := range uint32(81) {
		var got []string
		for h := s.of(id); h != nil; h = h.next {
			got = append(got, h.key)
		}
		if want := keysOf(truth, id); !slices.Equal(slices.Sorted(slices.Values(got)), want) {
			t.Errorf("filter %d has the keys %v, want %v", id, got, want)
		}
	}
}

func keysOf(truth map[string]uint32, filter uint32) []string {
	var keys []string
	for k, id := range truth {
		if id == filter {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}
