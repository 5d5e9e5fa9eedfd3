package netpoll

import (
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Who waits for the network comes before the next stretch of work, and not after ten milliseconds.
func TestWhoeverIsReadyAtTheNetworkRunsBeforeABellIsAnswered(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var b Bell
	defer b.Close()
	answered := make(chan struct{}, 1)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = w.Close(), r.Close() }()
	var reading sync.WaitGroup
	var got atomic.Int64
	reading.Go(func() {
		var one [1]byte
		for {
			if _, err := r.Read(one[:]); err != nil {
				return
			}
			got.Add(1)
		}
	})
	defer reading.Wait()
	defer func() { _ = w.Close() }()
	for n := range int64(20) {
		if _, err := w.Write([]byte{0}); err != nil {
			t.Fatal(err)
		}
		for answers := 0; got.Load() == n; answers++ {
			if answers == 3 {
				t.Fatal("nobody ran until the third answer")
			}
			for begun := time.Now(); time.Since(begun) < time.Millisecond/2; {
				continue // it works
			}
			if !b.Ring(func() { answered <- struct{}{} }) {
				t.Fatal("it cannot be rung")
			}
			<-answered
		}
	}
}
