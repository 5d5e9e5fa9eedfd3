package filter

import (
	"hash/maphash"
	"math"
	"math/bits"
	"sync/atomic"
)

// A fingerprint stands for a text, or for a value of a field. It has 128 bits,
// under seeds that nobody outside the process knows: among a million filters, a
// billion documents a second would meet a false one in 10^15 years.
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

// A table finds numbers other than 0 by the first halves of fingerprints; who
// asks can tell a number that is meant from one that looks so. It is a hash
// table with linear probing, of 8 bytes a slot.
type table struct {
	slots atomic.Pointer[[]atomic.Uint64] // 32 bits of the fingerprint, and the number, or removed
	sieve atomic.Pointer[[]atomic.Uint64] // two bits of one word are set for every fingerprint
	used  int                             // slots with a number or removed
	n     int                             // numbers
}

const minSlots = 8

// perWord is how many slots there are for a word of the sieve: it passes one in
// twenty that is not there, and for a million numbers fits the cache of a core, as
// the slots do not.
const perWord = 16

// sieved returns the word of the sieve for a fingerprint, and its bits there. A
// slot is as good as the fingerprint.
func sieved(sieve []atomic.Uint64, first uint64) (*atomic.Uint64, uint64) {
	return &sieve[slotOf(first, len(sieve))], 1<<(first>>32%64) | 1<<(first>>38%64)
}

// tagOf returns what a slot holds of a fingerprint: the upper bits, so that
// they say where it is, however many slots there are.
func tagOf(first uint64) uint64 { return first &^ (1<<32 - 1) }

func slotOf(first uint64, slots int) int { return int(first >> 32 * uint64(slots) >> 32) }

// find returns the number of a fingerprint, or 0.
func (t *table) find(first uint64, same func(number uint32) bool) uint32 {
	slots := t.slots.Load()
	if slots == nil {
		return 0
	}
	tag := tagOf(first)
	for i := slotOf(first, len(*slots)); ; i = (i + 1) & (len(*slots) - 1) {
		slot := (*slots)[i].Load()
		if slot == 0 {
			return 0
		}
		if number := uint32(slot); tagOf(slot) == tag && number != removed && same(number) {
			return number
		}
	}
}

// has says of many fingerprints which may be there. The loads overlap: seven
// look-ups in a million take as long as two.
func (t *table) has(maybe []probe) {
	sieve := t.sieve.Load()
	if sieve == nil {
		return
	}
	for i := range maybe {
		word, bits := sieved(*sieve, maybe[i].first)
		maybe[i].there = word.Load()&bits == bits
	}
}

// insert adds the number of a fingerprint that has none.
func (t *table) insert(first uint64, number uint32) {
	if slots := t.slots.Load(); slots == nil || t.used >= len(*slots)*3/4 {
		t.rebuild()
	}
	t.used++
	t.n++
	putSlot(*t.slots.Load(), *t.sieve.Load(), tagOf(first)|uint64(number))
}

func putSlot(slots, sieve []atomic.Uint64, slot uint64) {
	word, bits := sieved(sieve, slot)
	word.Or(bits)
	i := slotOf(slot, len(slots))
	for slots[i].Load() != 0 {
		i = (i + 1) & (len(slots) - 1)
	}
	slots[i].Store(slot)
}

// rebuild makes new slots without the removed ones, at most half of them in
// use.
func (t *table) rebuild() {
	size := minSlots
	for size < 2*(t.n+1) {
		size *= 2
	}
	slots, sieve := make([]atomic.Uint64, size), make([]atomic.Uint64, max(1, size/perWord))
	if old := t.slots.Load(); old != nil {
		for i := range *old {
			if slot := (*old)[i].Load(); slot != 0 && uint32(slot) != removed {
				putSlot(slots, sieve, slot)
			}
		}
	}
	t.used = t.n
	t.slots.Store(&slots)
	t.sieve.Store(&sieve)
}

// remove removes the number of a fingerprint, which it has.
func (t *table) remove(first uint64, number uint32) {
	slots := *t.slots.Load()
	i := slotOf(first, len(slots))
	for slots[i].Load() != tagOf(first)|uint64(number) {
		i = (i + 1) & (len(slots) - 1)
	}
	slots[i].Store(tagOf(first) | removed)
	t.n--
}

// A probe is a field with the first half of its value's fingerprint. It has no
// pointer, which would cost more to store while garbage is collected.
type probe struct {
	first uint64
	field int32 // of the search's fields
	there bool  // unless false, it is worth to look
}

func hashString(s string, half int) uint64 { return maphash.String(seeds[half], s) }

// hashNumber hashes a number, under the seeds as well.
func hashNumber(f float64, half int) uint64 {
	return mix(math.Float64bits(f), salts[half])
}

// salts are two random numbers.
var salts = fingerprintOf("number")
