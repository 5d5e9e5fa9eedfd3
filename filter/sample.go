package filter

import (
	"slices"
	"sync/atomic"
)

// A sample holds copies of some of the documents that were matched: readers put
// them in, the writer asks how many of them have a condition. Without that, the
// first filters, of which no other says what is common, could be found under
// what all documents have.
type sample struct {
	taken     atomic.Uint64
	documents [sampleSize]atomic.Pointer[Document]
}

const (
	sampleSize = 32
	// sampleEvery is of how many documents one is copied, but for the first ones.
	sampleEvery = 256
	// sampleBytes is how large a document in the sample may be.
	sampleBytes = 16 << 10
	// sampleGlance is how many documents are asked at first: if a condition is
	// guessed to be rarer than rare, and none of them has it, that will do.
	sampleGlance = sampleSize / 4
	rare         = 0.01
	// guessWeight is how many documents a guess is as good as.
	guessWeight = 4
)

// offer puts a copy of a document in now and then. seen is how many documents
// the caller has offered.
func (s *sample) offer(d *Document, seen uint64) {
	if seen&(seen-1) != 0 && seen%sampleEvery != 0 || d.text.Len() > sampleBytes {
		return
	}
	s.documents[s.taken.Add(1)%sampleSize].Store(d.clone())
}

// clone returns a copy that shares nothing with d, without what it follows.
func (d *Document) clone() *Document {
	c := &Document{cells: slices.Clone(d.cells)}
	c.text.WriteString(d.text.String())
	return c
}

// size returns how many documents there are.
func (s *sample) size() int { return int(min(s.taken.Load(), sampleSize)) }

// count returns how many of them have a condition, given a guess.
func (s *sample) count(n node, guess float64) int {
	if s.taken.Load() == 0 {
		return 0
	}
	count := 0
	for i := range s.documents {
		if i == sampleGlance && count == 0 && guess < rare {
			break
		}
		if d := s.documents[i].Load(); d != nil && n.match(d) {
			count++
		}
	}
	return count
}

// chance returns what share of all documents has a condition, given a guess and
// how many have it here.
func (s *sample) chance(count int, guess float64) float64 {
	return (float64(count) + guess*guessWeight) / float64(s.size()+guessWeight)
}
