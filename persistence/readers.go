package persistence

import "sync"

// A readers counts who reads the database, so that Close can wait for them:
// Pebble must not be closed under an iterator.
type readers struct {
	mu        sync.Mutex // guards the fields below
	active    int
	closed    bool
	drained   chan struct{} // made by close, closed by the last reader
	snapshots map[*Snapshot]struct{}
}

// enter fails once close was called. Every nil wants a leave.
func (r *readers) enter() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return ErrClosed
	}
	r.active++
	return nil
}

func (r *readers) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.active--
	if r.active == 0 && r.closed {
		close(r.drained)
	}
}

// ending tells long reads to stop.
func (r *readers) ending() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed
}

func (r *readers) remember(s *Snapshot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.snapshots[s] = struct{}{}
}

func (r *readers) forget(s *Snapshot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.snapshots, s)
}

// close waits for those who read and releases the snapshots that are open.
func (r *readers) close() {
	r.mu.Lock()
	r.closed = true
	r.drained = make(chan struct{})
	if r.active == 0 {
		close(r.drained)
	}
	r.mu.Unlock()
	<-r.drained
	r.mu.Lock()
	defer r.mu.Unlock()
	for s := range r.snapshots {
		s.release()
	}
	clear(r.snapshots)
}
