// Package netpoll lets work that is always ready to go on give way to whoever becomes ready at the network.
package netpoll

import (
	"os"
	"runtime"
	"sync"
)

// A Bell is answered once Go's scheduler has looked at the network, and behind all who were ready there. The
// scheduler does so when nothing else is ready to run, and else every ten milliseconds: runtime.Gosched and
// channels do not make it. So the bell is a pipe, which is waited for as the network is. The zero value is
// a bell, which takes two files and a goroutine when it is first rung. Its methods are called by one
// goroutine at a time.
type Bell struct {
	inner, outer *os.File
	answering    sync.WaitGroup
}

// Ring has answer called, which is the same function each time. It reports whether it will be: too many files may
// be open.
func (b *Bell) Ring(answer func()) bool {
	if b.outer == nil && !b.hang(answer) {
		return false
	}
	_, err := b.outer.Write([]byte{0})
	return err == nil
}

func (b *Bell) hang(answer func()) bool {
	inner, outer, err := os.Pipe()
	if err != nil {
		return false
	}
	b.inner, b.outer = inner, outer
	b.answering.Go(func() {
		var rung [1]byte
		for {
			if _, err := inner.Read(rung[:]); err != nil {
				return
			}
			runtime.Gosched() // behind all who became ready with the bell
			answer()
		}
	})
	return true
}

// Close waits for what is answered. The bell is not rung any more.
func (b *Bell) Close() {
	if b.outer != nil {
		_, _ = b.outer.Close(), b.inner.Close() // a pipe has nothing to lose
		b.answering.Wait()
	}
}
