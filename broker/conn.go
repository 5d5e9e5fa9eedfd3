package broker

import (
	"errors"
	"net"
	"sync"
	"time"
)

// A conn is a client's connection with limits: a deadline for the whole
// CONNECT, a size for every packet, and a deadline for every write, so that
// nobody waits for a client that does not read.
type conn struct {
	net.Conn
	writeTimeout time.Duration
	framing      framing // only the reader touches it

	mu sync.Mutex // makes a deadline and its write one step
}

func newConn(c net.Conn, l Limits) *conn {
	_ = c.SetReadDeadline(time.Now().Add(l.ConnectTimeout)) // fails only when the connection is gone
	return &conn{
		Conn: c, writeTimeout: l.WriteTimeout,
		framing: framing{connectBytes: l.ConnectBytes, packetBytes: l.PacketBytes},
	}
}

// Read reads, and ends the connection at the header of a packet that is too
// large.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if e := c.framing.follow(p[:n]); e != nil {
		c.disconnect(e)
		return 0, e
	}
	return n, err
}

// disconnect tells an MQTT 5 client why its connection ends [MQTT-4.13.1-1].
func (c *conn) disconnect(err error) {
	if c.framing.version != 5 {
		return
	}
	code := byte(0x81) // malformed packet
	if errors.Is(err, errPacketTooLarge) {
		code = 0x95
	}
	_, _ = c.Write([]byte{0xe0, 2, code, 0}) // the connection ends either way
}

// Write writes all of p or closes the connection.
func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.SetWriteDeadline(time.Now().Add(c.writeTimeout)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(p)
	if err != nil {
		_ = c.Close() // the packet that broke off cannot be mended
	}
	return n, err
}

// SetDeadline sets the deadline for reading alone: mochi calls it for keep-alive
// and would undo that of a write in progress.
func (c *conn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }
