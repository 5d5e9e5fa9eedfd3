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

	mu     sync.Mutex // guards the rest, and is held while it writes
	w      http.ResponseWriter
	conn   *http.ResponseController
	limit  time.Time
	closed bool
}

// NewStream returns a stream that gives each write so long, unless a limit says until when.
func NewStream(w http.ResponseWriter, timeout time.Duration) *Stream {
	return &Stream{timeout: timeout, w: w, conn: http.NewResponseController(w)}
}

// Open writes what stands before the first event, with it.
func (s *Stream) Open() {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // of nginx, which else would keep it back
	h.Set("X-Content-Type-Options", "nosniff")
	s.w.WriteHeader(http.StatusOK)
}

// SetLimit says until when the next write has time.
func (s *Stream) SetLimit(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = t
}

// Write writes events, and has them go out.
func (s *Stream) Write(b []byte) error {
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
	if err := s.conn.SetWriteDeadline(limit); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := s.w.Write(b); err != nil {
		return err
	}
	return s.conn.Flush()
}

// Close has nothing be written any more: the answer is over.
func (s *Stream) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}
