package broker

import (
	"bufio"
	"net"
	"net/http"
	"sync"
	"time"
)

// maxCorked is how much is held back before it is written all the same.
const maxCorked = 64 << 10

// A corked is a connection that can hold back what is written, so that many frames of a WebSocket go out by
// one system call, for the library writes each by itself. It may be used by many goroutines at once.
type corked struct {
	net.Conn

	mu    sync.Mutex // guards what follows, and is held while it writes
	held  int        // how many hold it back
	until time.Time  // how long what was held back may take to go out
	out   []byte
}

// Write writes b, or holds it back.
func (c *corked) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held == 0 {
		return c.Conn.Write(b)
	}
	c.out = append(c.out, b...)
	if len(c.out) < maxCorked {
		return len(b), nil
	}
	return len(b), c.flush()
}

// Hold has what is written wait for Release, and then go out before a time, if that is not zero.
func (c *corked) Hold(until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held++
	c.until = until
}

// Release undoes Hold, and writes what waits.
func (c *corked) Release() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held--
	return c.flush()
}

// flush writes what waits. The caller holds c.mu.
func (c *corked) flush() error {
	if len(c.out) == 0 {
		return nil
	}
	err := c.SetWriteDeadline(c.until)
	if err == nil {
		_, err = c.Conn.Write(c.out)
	}
	if err == nil {
		err = c.SetWriteDeadline(time.Time{}) // others have times of their own
	}
	c.out = nil // what is seldom needed is not kept
	return err
}

// A corkable has the connection be corked that a request becomes.
type corkable struct {
	http.ResponseWriter
	conn *corked // once it is hijacked
}

// Hijack implements [http.Hijacker].
func (w *corkable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, buffers, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	w.conn = &corked{Conn: c}
	return w.conn, bufio.NewReadWriter(buffers.Reader, bufio.NewWriterSize(w.conn, buffers.Writer.Size())), nil
}
