package persistence

import (
	"maps"
	"math/bits"
	"slices"
)

// A seqSet is a set of numbers that lie close to each other: a bit for
// each in runs of 4,096.
type seqSet struct {
	runs map[uint64]*[64]uint64
}

func (s *seqSet) add(seq uint64) {
	if s.runs == nil {
		s.runs = map[uint64]*[64]uint64{}
	}
	run := s.runs[seq>>12]
	if run == nil {
		run = new([64]uint64)
		s.runs[seq>>12] = run
	}
	run[seq>>6&63] |= 1 << (seq & 63)
}

func (s *seqSet) has(seq uint64) bool {
	run := s.runs[seq>>12]
	return run != nil && run[seq>>6&63]&(1<<(seq&63)) != 0
}

// remove reports whether seq was there.
func (s *seqSet) remove(seq uint64) bool {
	if !s.has(seq) {
		return false
	}
	s.runs[seq>>12][seq>>6&63] &^= 1 << (seq & 63)
	return true
}

// each calls f for all, in order.
func (s *seqSet) each(f func(seq uint64)) {
	for _, high := range slices.Sorted(maps.Keys(s.runs)) {
		for i, word := range s.runs[high] {
			for ; word != 0; word &= word - 1 {
				f(high<<12 | uint64(i)<<6 | uint64(bits.TrailingZeros64(word)))
			}
		}
	}
}
