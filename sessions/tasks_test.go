package sessions

import "testing"

// A sync.WaitGroup panics here, or the race detector finds fault with it.
func TestTasksAreStartedWhileSomebodyWaits(t *testing.T) {
	var all tasks
	const times = 20_000
	started := make(chan struct{})
	go func() {
		defer close(started)
		for range times {
			all.Go(func() {})
		}
	}()
	for range times {
		all.wait()
	}
	<-started
	all.stop()
	all.Go(func() { t.Error("a task is started behind the end") })
	all.wait()
}
