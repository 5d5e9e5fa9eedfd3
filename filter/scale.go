package filter

import (
	"encoding/binary"
	"math"
	"net/netip"
)

// A scale is a way to read a string as a number.
type scale int

const (
	timeScale    scale = iota // seconds since 1970, rounded down
	addressScale              // of an IP address: see addressNumber
	scales                    // how many there are
)

// A scaled condition is found by the numbers of the strings that match. Others
// may have the same number, so it is tested then.
type scaled interface {
	leaf
	scale() scale
	bounds() (low, high float64)
}

func (s scale) number(text string) (float64, bool) {
	if s == timeScale {
		t, ok := timeOf(text)
		return float64(t.Unix()), ok
	}
	address, ok := addressOf(text)
	return addressNumber(address), ok
}

func (n timing) scale() scale { return timeScale }
func (n subnet) scale() scale { return addressScale }

func (n timing) bounds() (low, high float64) {
	at := float64(n.instant.Unix())
	if n.after {
		return at, math.Inf(1)
	}
	return math.Inf(-1), at
}

func (n subnet) bounds() (low, high float64) {
	last := n.block.Addr().AsSlice()
	for i := n.block.Bits(); i < 8*len(last); i++ {
		last[i/8] |= 1 << (7 - i%8)
	}
	address, _ := netip.AddrFromSlice(last) // 4 or 16 bytes, as they were
	return addressNumber(n.block.Addr()), addressNumber(address)
}

// addressNumber returns a number below 0 for an IPv4 address, and for one of
// IPv6 its first 53 bits, which is what a float64 holds.
func addressNumber(a netip.Addr) float64 {
	if !a.IsValid() {
		return 0
	}
	if a.Is4() {
		bytes := a.As4()
		return float64(binary.BigEndian.Uint32(bytes[:])) - 1<<32
	}
	bytes := a.As16()
	return float64(binary.BigEndian.Uint64(bytes[:]) >> 11)
}

// linkScaled makes an entry be tested where the number of a string is within
// its bounds.
func (x *index) linkScaled(id uint32, n scaled, f *field) {
	x.linkUnder(id, &detail{node: n}, x.compile(n, never))
	low, high := n.bounds()
	f.scales[n.scale()].add(entryInterval{low, high, id})
}

func (f *field) unlinkScaled(id uint32, n scaled) {
	low, high := n.bounds()
	f.scales[n.scale()].remove(entryInterval{low, high, id})
}

// scaled finds what may hold for the number of a string.
func (s *search) scaled(f *field, v value) {
	text, ok := v.string()
	if !ok {
		return
	}
	for i := range f.scales {
		if f.scales[i].root.Load() == nil {
			continue
		}
		if number, ok := scale(i).number(text); ok {
			s.ids = f.scales[i].search(s.ids[:0], number)
			for _, id := range s.ids {
				s.candidate(id)
			}
		}
	}
}
