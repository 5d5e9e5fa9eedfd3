package events

import (
	"errors"
	"net/http"
	"sync"
	"time"
)

// ErrClosed says that a stream is written to that has been closed.
var ErrClosed = errors.New("events: the stream is closed")

// A Stream is the answer to a request that goes on. It may be used by many goroutines at once.
type Stream struct {
	timeout time.Duration
	conn    *http.ResponseController

	writing sync.Mutex // held while something is written; taken before mu. Guards w
	w       http.ResponseWriter

	mu     sync.Mutex // guards the rest
	limit  time.Time
	busy   bool // something is being written
	closed bool
}

// NewStream returns a stream that gives each write so long, unless a limit says until when.
func NewStream(w http.ResponseWriter, timeout time.Duration) *Stream {
	return &Stream{timeout: timeout, w: w, conn: http.NewResponseController(w)}
}

// Open writes what stands before the first event, with it.
func (s *Stream) Open() {
	s.writing.Lock()
	defer s.writing.Unlock()
	h := s.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // of nginx, which else would keep it back
	h.Set("X-Content-Type-Options", "nosniff")
	s.w.WriteHeader(http.StatusOK)
}

// SetLimit says until when the next write has time, and the one that is under way. It does not wait for that
// one: whoever ends a client that does not read has others wait for him.
func (s *Stream) SetLimit(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = t
	if s.busy && !t.IsZero() {
		_ = s.conn.SetWriteDeadline(t) // fails when the connection is gone
	}
}

// Write writes events, and has them go out.
func (s *Stream) Write(b []byte) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.begin(); err != nil {
		return err
	}
	defer s.done()
	if _, err := s.w.Write(b); err != nil {
		return err
	}
	return s.conn.Flush()
}

// begin gives a write its time.
func (s *Stream) begin() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	limit := s.limit
	s.limit = time.Time{}
	if limit.IsZero() {
		limit = time.Now().Add(s.timeout)
	}
	s.busy = true
	if err := s.conn.SetWriteDeadline(limit); err != nil && !errors.Is(err, http.ErrNotSupported) {
		s.busy = false
		return err
	}
	return nil
}

func (s *Stream) done() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = false
}

// Close has nothing be written any more: the answer is over. It waits for the write that is under way.
func (s *Stream) Close() {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}
