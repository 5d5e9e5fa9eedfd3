//go:build unix

package sessions

import (
	"errors"
	"io"
	"syscall"
)

// A direct writes to a socket without waiting. Only one goroutine may use it at
// a time, and none while another writes to the connection.
type direct struct {
	raw syscall.RawConn
	try func(fd uintptr) bool // made once, so that a write allocates nothing
	buf []byte
	n   int
	err error
}

// newDirect returns nil if conn is no socket.
func newDirect(conn io.Writer) *direct {
	c, ok := conn.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return nil
	}
	d := &direct{raw: raw}
	d.try = func(fd uintptr) bool {
		d.n, d.err = syscall.Write(int(fd), d.buf)
		return true
	}
	return d
}

// write returns how many bytes the socket has taken.
func (d *direct) write(b []byte) (int, error) {
	d.buf = b
	err := d.raw.Write(d.try)
	d.buf = nil
	switch {
	case err != nil:
		return 0, err
	case errors.Is(d.err, syscall.EAGAIN), errors.Is(d.err, syscall.EINTR):
		return 0, nil
	case d.err != nil:
		return 0, d.err
	}
	return d.n, nil
}
