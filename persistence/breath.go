package persistence

import (
	"time"

	"github.com/ambitmq/ambit/netpoll"
)

// breathEvery is for how long the committer works before it lets others run.
const breathEvery = 500 * time.Microsecond

// A breath has whoever works for long let those run who become ready at the network.
type breath struct {
	last  time.Time
	bell  netpoll.Bell
	taken chan struct{}
}

// begin is called when work begins.
func (b *breath) begin() { b.last = time.Now() }

// take waits until the network was looked at, if that is due.
func (b *breath) take() {
	if time.Since(b.last) < breathEvery {
		return
	}
	if b.taken == nil {
		b.taken = make(chan struct{}, 1)
	}
	if b.bell.Ring(func() { b.taken <- struct{}{} }) {
		<-b.taken
	}
	b.last = time.Now()
}

// close ends it.
func (b *breath) close() { b.bell.Close() }
