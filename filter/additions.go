package filter

import "sync/atomic"

// recent is how many of the filters that were added last are known one by one.
// An update that has missed no more of them tests these instead of all.
const recent = 64

// Additions are the filters that came last. One writer adds, any number of
// readers look.
type additions struct {
	begun atomic.Uint64 // how many there were so far, with the one in progress
	done  atomic.Uint64 // and without
	last  [recent]atomic.Pointer[addition]
}

// An addition is a filter that became one: under a key, which had not been there.
type addition struct {
	number uint64 // from 1
	entry  uint32
	filter *Filter
}

// begin notes an addition before the filter can be found, so that a reader who
// finds it can tell that it was not there when he began.
func (a *additions) begin(entry uint32, f *Filter) {
	n := a.begun.Load() + 1
	a.last[n%recent].Store(&addition{n, entry, f})
	a.begun.Store(n)
}

// end says that the filter that began last is found by all who begin now.
func (a *additions) end() { a.done.Store(a.begun.Load()) }

// at returns an addition, or nil if it is not known any more.
func (a *additions) at(number uint64) *addition {
	if last := a.last[number%recent].Load(); last != nil && last.number == number {
		return last
	}
	return nil
}
