package rooms

import (
	"math/bits"
	"sync/atomic"
	"time"

	"github.com/ambitmq/ambit/topics"
)

// MatchedEvery is of how many changes one is measured for Options.Matched: the clock
// and the histograms cost as much as a small match. It is a prime number, so that of
// devices that take turns each is measured.
const MatchedEvery = 17

// Figures are what an [Engine] has, and has done since it was made.
type Figures struct {
	Rooms int
	// Changes are those of documents that it was told of, and Enter, Stay, Exit and
	// Ephemeral the notifications of each kind: one for each member. Those that were read
	// from the change log for whoever came back are not among them.
	Changes, Enter, Stay, Exit, Ephemeral int64
}

// counts are what Figures are made of. But for reading, Apply alone uses them.
type counts struct {
	changes, ephemeral atomic.Int64
	transitions        [3]atomic.Int64
}

// told counts notifications.
func (c *counts) told(t topics.Transition, members int) {
	c.transitions[bits.TrailingZeros8(uint8(t))].Add(int64(members))
}

// begin returns when a change begins to be matched, if it is one to be measured.
func (e *Engine) begin() time.Time {
	if e.matched == nil || e.counts.changes.Load()%MatchedEvery != 1 {
		return time.Time{}
	}
	return time.Now()
}

// measure ends what begin began.
func (e *Engine) measure(began time.Time, candidates int) {
	if !began.IsZero() {
		e.matched(time.Since(began), candidates)
	}
}

// Figures returns the figures of now.
func (e *Engine) Figures() Figures {
	c := &e.counts
	return Figures{
		Rooms: e.Len(), Changes: c.changes.Load(), Ephemeral: c.ephemeral.Load(),
		Enter: c.transitions[0].Load(), Stay: c.transitions[1].Load(), Exit: c.transitions[2].Load(),
	}
}
