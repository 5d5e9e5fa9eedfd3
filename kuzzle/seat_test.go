package kuzzle

import (
	"sync"
	"testing"
	"time"
)

type outlet struct{}

func (outlet) Hold(time.Time) {}
func (outlet) Release() error { return nil }

var _ Outlet = outlet{}

// The race detector says whether a limit may be set while something is written.
func TestALimitMayBeSetDuringAWrite(t *testing.T) {
	s := &seat{connection: &connection{out: outlet{}}}
	var both sync.WaitGroup
	both.Go(func() { _, _ = s.Write(nil) })
	both.Go(func() { _ = s.SetWriteDeadline(time.Now()) })
	both.Wait()
}
