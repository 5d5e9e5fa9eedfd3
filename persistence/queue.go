package persistence

import (
	"context"
	"slices"
	"sync"
)

// A queue holds the ops that await the committer, bounded in number and bytes.
// Pushers that find it full wait for room one behind the other.
type queue struct {
	maxOps, maxBytes int

	turn   chan struct{} // holds a token while somebody pushes
	room   chan struct{} // told after ops were taken
	filled chan struct{} // told while there is something to take
	ended  chan struct{} // closed by close

	mu     sync.Mutex // guards the fields below
	ops    []*Op
	bytes  int
	closed bool
}

func newQueue(maxOps, maxBytes int) *queue {
	return &queue{
		maxOps:   maxOps,
		maxBytes: maxBytes,
		turn:     make(chan struct{}, 1),
		room:     make(chan struct{}, 1),
		filled:   make(chan struct{}, 1),
		ended:    make(chan struct{}),
	}
}

// push appends op, and blocks while there is no room for it.
func (q *queue) push(ctx context.Context, op *Op) error {
	if ctx.Err() != nil { // select would pick any of several
		return context.Cause(ctx)
	}
	select {
	case q.turn <- struct{}{}:
	case <-q.ended:
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-q.turn }()
	for {
		added, err := q.add(op)
		if added || err != nil {
			return err
		}
		select {
		case <-q.room:
		case <-q.ended:
			return ErrClosed
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// add appends op if there is room. An empty queue has room for any op, or a
// large one would wait for ever.
func (q *queue) add(op *Op) (bool, error) {
	size := op.size()
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false, ErrClosed
	}
	if n := len(q.ops); n > 0 && (n >= q.maxOps || q.bytes+size > q.maxBytes) {
		return false, nil
	}
	q.ops = append(q.ops, op)
	q.bytes += size
	tell(q.filled)
	return true, nil
}

// take moves up to limit ops to the end of dst. More is false when the queue
// is closed and empty.
func (q *queue) take(dst []*Op, limit int) (ops []*Op, more bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(limit, len(q.ops))
	for _, op := range q.ops[:n] {
		q.bytes -= op.size()
	}
	dst = append(dst, q.ops[:n]...)
	q.ops = slices.Delete(q.ops, 0, n)
	tell(q.room)
	if len(q.ops) > 0 || q.closed {
		tell(q.filled)
	}
	return dst, n > 0 || !q.closed
}

// close lets no more ops in. What is in can still be taken.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	close(q.ended)
	tell(q.filled)
}

// tell makes sure that the next receive from c, of capacity 1, succeeds.
func tell(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
