package filter

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func TestTableAndSetForgetWhatIsRemoved(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var tab table
	var numbers set
	truth := map[uint32]bool{}
	name := func(n uint32) fingerprint { return fingerprintOf(fmt.Sprint(n)) }
	for range 20_000 {
		n := uint32(1 + random.IntN(500))
		if truth[n] {
			tab.remove(name(n)[0], n)
			numbers.remove(n)
			delete(truth, n)
		} else {
			tab.insert(name(n)[0], n)
			numbers.add(n)
			truth[n] = true
		}
	}
	there := map[uint32]int{}
	for i := range numbers.walk() {
		there[numbers.walk()[i].Load()]++
	}
	for n := range uint32(600) {
		got := tab.find(name(n)[0], func(m uint32) bool { return m == n }) == n && n != 0
		if got != truth[n] || (there[n] == 1) != truth[n] && n != 0 {
			t.Fatalf("%d: in the table %v, in the set %d times, want %v", n, got, there[n], truth[n])
		}
	}
	if numbers.n != len(truth) || tab.n != len(truth) || len(numbers.walk()) > 8*len(truth) {
		t.Errorf("%d in the set, %d in the table, %d slots, want %d", numbers.n, tab.n, len(numbers.walk()), len(truth))
	}
}
