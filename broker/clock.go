package broker

import "time"

// leastJump is by how much the machine's clock has to be put forward or back at once for that
// to be told: what keeps it right makes smaller steps all the time.
const leastJump = 2 * time.Second

// A wallClock notices that somebody has put the machine's clock. What the broker waits for
// goes by another one, which nobody can put; see docs/upgrade.md.
type wallClock struct {
	started time.Time
	drift   time.Duration // of the machine's clock since then
}

// look returns by how much the clock was put since the last look, if it was. now is what it
// says, and passed how long ago the start was by a clock that nobody can put.
func (w *wallClock) look(now time.Time, passed time.Duration) (jump time.Duration, jumped bool) {
	drift := now.Round(0).Sub(w.started.Round(0)) - passed
	jump, w.drift = drift-w.drift, drift
	return jump, jump.Abs() >= leastJump
}
