package persistence

import "time"

// A clock tells the time at which it was started, and how long ago that was. One that
// the machine's clock jumps under goes on as before, so that nothing ends early.
type clock struct{ started time.Time }

func startClock() clock { return clock{time.Now()} }

func (c clock) now() time.Time { return c.started.Add(time.Since(c.started)) }
