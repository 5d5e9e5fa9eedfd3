package filter

import (
	"hash/maphash"
	"math"
	"math/bits"
	"sync/atomic"
)

// A fingerprint stands for a text, or for a value of a field. Of it 96 bits are
// compared, under seeds that nobody outside the process knows: among a million
// filters, a billion documents a second would meet a false one once in 10^12
// years.
type fingerprint [2]uint64

var seeds = [2]maphash.Seed{pathSeed, maphash.MakeSeed()}

func fingerprintOf(s string) fingerprint {
	return fingerprint{maphash.String(seeds[0], s), maphash.String(seeds[1], s)}
}

// with returns the fingerprint of a pair.
func (f fingerprint) with(g fingerprint) fingerprint {
	return fingerprint{mix(f[0], g[0]), mix(f[1], g[1])}
}

func mix(a, b uint64) uint64 {
	high, low := bits.Mul64(a^0x9e3779b97f4a7c15, bits.RotateLeft64(b, 32)^0xd6e8feb86659fd93)
	return high ^ low
}

// A table maps fingerprints to numbers other than 0: a hash table with linear
// probing. 16 bytes a slot, and 33 ns for a look-up in a million, of which
// several overlap.
type table struct {
	slots atomic.Pointer[[]tableSlot]
	used  int // slots with a key, those of removed numbers included
	n     int // numbers
}

// The key of a slot is set once. Rest is half of the other half of the
// fingerprint, and the number, which is 0 once removed.
type tableSlot struct{ key, rest atomic.Uint64 }

const minSlots = 8

// keyOf returns the first half of a fingerprint: not 0, which marks a slot that
// is empty.
func keyOf(half uint64) uint64 { return half | 1 }

// find returns the number of a fingerprint, or 0, given the first half and who
// can tell by the rest of a slot whether it is the one.
func (t *table) find(first uint64, same func(rest uint64) bool) uint32 {
	slots := t.slots.Load()
	if slots == nil {
		return 0
	}
	key, mask := keyOf(first), uint64(len(*slots)-1)
	for i := key >> 1 & mask; ; i = (i + 1) & mask {
		slot := &(*slots)[i]
		switch slot.key.Load() {
		case 0:
			return 0
		case key:
			rest := slot.rest.Load()
			if number := uint32(rest); number != 0 && same(rest) {
				return number
			}
		}
	}
}

func (t *table) get(f fingerprint) uint32 {
	return t.find(f[0], func(rest uint64) bool { return rest>>32 == f[1]>>32 })
}

// has says of many fingerprints which may be there, given the first halves. The
// loads overlap: seven look-ups in a million take as long as two.
func (t *table) has(maybe []probe) {
	slots := t.slots.Load()
	if slots == nil {
		return
	}
	mask := uint64(len(*slots) - 1)
	for i := range maybe {
		maybe[i].there = (*slots)[keyOf(maybe[i].first)>>1&mask].key.Load() != 0
	}
}

// A probe is a field with the first half of its value's fingerprint.
type probe struct {
	field *field
	first uint64
	there bool // unless false, it is worth to look
}

// insert adds the number of a fingerprint that has none.
func (t *table) insert(f fingerprint, number uint32) {
	if slots := t.slots.Load(); slots == nil || t.used >= len(*slots)*3/4 {
		t.rebuild()
	}
	t.used++
	t.n++
	put(*t.slots.Load(), keyOf(f[0]), f[1]>>32<<32|uint64(number))
}

func put(slots []tableSlot, key, rest uint64) {
	mask := uint64(len(slots) - 1)
	i := key >> 1 & mask
	for slots[i].key.Load() != 0 {
		i = (i + 1) & mask
	}
	slots[i].rest.Store(rest) // before the key, by which readers find it
	slots[i].key.Store(key)
}

// rebuild makes new slots without the removed ones, at most half of them in
// use.
func (t *table) rebuild() {
	size := minSlots
	for size < 2*(t.n+1) {
		size *= 2
	}
	slots := make([]tableSlot, size)
	if old := t.slots.Load(); old != nil {
		for i := range *old {
			if rest := (*old)[i].rest.Load(); uint32(rest) != 0 {
				put(slots, (*old)[i].key.Load(), rest)
			}
		}
	}
	t.used = t.n
	t.slots.Store(&slots)
}

// remove removes the number of a fingerprint, which has one.
func (t *table) remove(f fingerprint) {
	slots := *t.slots.Load()
	key, mask := keyOf(f[0]), uint64(len(slots)-1)
	for i := key >> 1 & mask; ; i = (i + 1) & mask {
		rest := slots[i].rest.Load()
		if slots[i].key.Load() == key && uint32(rest) != 0 && rest>>32 == f[1]>>32 {
			slots[i].rest.Store(0)
			t.n--
			return
		}
	}
}

func hashString(s string, half int) uint64 { return maphash.String(seeds[half], s) }

// hashNumber hashes a number, under the seeds as well.
func hashNumber(f float64, half int) uint64 {
	return mix(math.Float64bits(f), salts[half])
}

// salts are two random numbers.
var salts = fingerprintOf("number")
