package persistence

import (
	"os"
	"runtime"
	"sync"
	"time"
)

// breathEvery is for how long the committer works before it lets others run.
const breathEvery = 500 * time.Microsecond

// A breath has whoever works for long let those run who become ready at the network. Go's
// scheduler looks there when nothing else is ready to run, and else every ten milliseconds. So
// the worker waits for a goroutine that waits for the network itself, for a pipe.
type breath struct {
	last    time.Time
	bell    *os.File // what the goroutine waits for, once there is one
	handle  *os.File
	taken   chan struct{}
	keeping sync.WaitGroup
}

// begin is called when work begins.
func (b *breath) begin() { b.last = time.Now() }

// take waits until the network was looked at, if that is due.
func (b *breath) take() {
	if time.Since(b.last) < breathEvery {
		return
	}
	if b.bell != nil || b.open() {
		if _, err := b.handle.Write([]byte{0}); err == nil {
			<-b.taken
		}
	}
	b.last = time.Now()
}

// open starts the goroutine, if there is a pipe for it.
func (b *breath) open() bool {
	r, w, err := os.Pipe()
	if err != nil {
		return false
	}
	b.bell, b.handle, b.taken = r, w, make(chan struct{}, 1)
	b.keeping.Go(func() {
		var rung [1]byte
		for {
			if _, err := b.bell.Read(rung[:]); err != nil {
				return
			}
			runtime.Gosched() // behind all who became ready with the bell
			b.taken <- struct{}{}
		}
	})
	return true
}

// close ends it.
func (b *breath) close() {
	if b.bell != nil {
		_, _ = b.handle.Close(), b.bell.Close() // a pipe has nothing to lose
		b.keeping.Wait()
	}
}
