package filter

import (
	"math/bits"
	"sync/atomic"
)

// A set holds numbers other than 0: a hash table with linear probing, so that
// adding and removing take constant time, and walking it reads 5 to 16 bytes a
// number. A reader sees every number that is there all the time.
type set struct {
	slots atomic.Pointer[[]atomic.Uint32]
	used  int // slots with a number or removed
	n     int // numbers
}

// removed stands where a number was. Numbers are below.
const removed = 1<<32 - 1

// walk returns the slots. Those with 0 and removed are empty.
func (s *set) walk() []atomic.Uint32 {
	if slots := s.slots.Load(); slots != nil {
		return *slots
	}
	return nil
}

// start returns where in so many slots a number would be first.
func start(number uint32, slots int) int {
	return int(uint64(number*0x9e3779b1) * uint64(slots) >> 32)
}

func (s *set) add(number uint32) {
	if slots := s.walk(); s.used >= len(slots)*3/4 {
		s.rebuild()
	}
	s.used++
	s.n++
	putNumber(s.walk(), number)
}

func putNumber(slots []atomic.Uint32, number uint32) {
	i := start(number, len(slots))
	for slots[i].Load() != 0 {
		i = (i + 1) & (len(slots) - 1)
	}
	slots[i].Store(number)
}

// rebuild makes new slots, at most half of them in use.
func (s *set) rebuild() {
	slots := make([]atomic.Uint32, max(minSlots, 1<<bits.Len(uint(2*s.n+1))))
	for i := range s.walk() {
		if number := s.walk()[i].Load(); number != 0 && number != removed {
			putNumber(slots, number)
		}
	}
	s.used = s.n
	s.slots.Store(&slots)
}

// remove removes a number that is in the set.
func (s *set) remove(number uint32) {
	slots := s.walk()
	i := start(number, len(slots))
	for slots[i].Load() != number {
		i = (i + 1) & (len(slots) - 1)
	}
	slots[i].Store(removed)
	s.n--
	if s.n == 0 {
		s.used = 0
		s.slots.Store(nil)
	}
}
