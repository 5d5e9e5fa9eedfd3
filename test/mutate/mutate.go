// Package mutate changes inputs of fuzz tests at random, so that go test, which runs but what a
// fuzz test adds, tries more than that.
package mutate

import (
	"flag"
	"iter"
	"math/rand/v2"
	"testing"
)

// pieces are put into inputs: what has a meaning in topics, filters, JSON, YAML, tokens and packets.
var pieces = []string{
	"", "{", "}", "[", "]", "\"", "\\", ":", ",", ".", "-", "/", "+", "#", "$", "$share/", "?", "&", "~", "@", "%u", "\n", "  ", "*x", "&x ", "null", "true", "1e400", "-0", "\\u0000", "\\ud800",
	"\x00", "\xff", "\x80", "\x7f", "\xff\xff\xff\x7f", "\x00\x04MQTT\x05", "eyJ", "==",
}

// Bytes yields n mutations of some seeds, always the same; a tenth of them with -short, and none
// while a fuzz test is fuzzed, which finds better ones.
func Bytes(n int, seeds ...[]byte) iter.Seq[[]byte] {
	switch f := flag.Lookup("test.fuzz"); {
	case len(seeds) == 0 || f != nil && f.Value.String() != "":
		n = 0
	case testing.Short():
		n /= 10
	}
	return func(yield func([]byte) bool) {
		r := rand.New(rand.NewPCG(uint64(n), uint64(len(seeds))))
		for i := range n {
			b := append([]byte{}, seeds[i%len(seeds)]...)
			for range 1 + r.IntN(6) {
				b = change(r, b, seeds)
			}
			if !yield(b) {
				return
			}
		}
	}
}

// change makes one change.
func change(r *rand.Rand, b []byte, seeds [][]byte) []byte {
	from := r.IntN(len(b) + 1)
	to := from + r.IntN(len(b)-from+1)
	switch r.IntN(6) {
	case 0:
		if from < len(b) {
			b[from] ^= 1 << r.IntN(8)
		}
		return b
	case 1:
		return append(b[:from:from], b[to:]...)
	case 2:
		return append(b[:to:to], b[from:]...)
	case 3: // goes on as another one
		other := seeds[r.IntN(len(seeds))]
		return append(b[:from:from], other[r.IntN(len(other)+1):]...)
	case 4:
		return b[:from]
	}
	return append(append(b[:from:from], pieces[r.IntN(len(pieces))]...), b[from:]...)
}

// Texts is Bytes for texts.
func Texts(n int, seeds ...string) iter.Seq[string] {
	all := make([][]byte, len(seeds))
	for i, s := range seeds {
		all[i] = []byte(s)
	}
	return func(yield func(string) bool) {
		for b := range Bytes(n, all...) {
			if !yield(string(b)) {
				return
			}
		}
	}
}
