package sessions

import "sync"

// tasks are goroutines of the engine. Unlike those of a sync.WaitGroup, the first one may be
// started while somebody waits for all of them: whoever drains the store's tail starts some
// when it likes.
type tasks struct {
	mu      sync.Mutex // guards what follows
	running int
	stopped bool
	changed *sync.Cond // nil until somebody has waited
}

// Go runs a function, unless the tasks are stopped.
func (t *tasks) Go(task func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopped {
		return
	}
	t.running++
	go func() {
		defer t.end()
		task()
	}()
}

func (t *tasks) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running--; t.running == 0 && t.changed != nil {
		t.changed.Broadcast()
	}
}

// wait waits until none is running.
func (t *tasks) wait() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.changed == nil {
		t.changed = sync.NewCond(&t.mu)
	}
	for t.running > 0 {
		t.changed.Wait()
	}
}

// stop has no more started, and waits for the others.
func (t *tasks) stop() {
	t.mu.Lock()
	t.stopped = true
	t.mu.Unlock()
	t.wait()
}
