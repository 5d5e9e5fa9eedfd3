package sessions

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// A cursor reads the body of a packet from its start. The first fault stays;
// whatever is read after it is zero.
type cursor struct {
	rest []byte
	err  *Error
}

func (c *cursor) fail(err *Error) {
	if c.err == nil {
		c.err = err
	}
	c.rest = nil
}

// take returns the next n bytes.
func (c *cursor) take(n int) []byte {
	if n > len(c.rest) {
		c.fail(malformed("the packet ends too early"))
		return nil
	}
	b := c.rest[:n:n]
	c.rest = c.rest[n:]
	return b
}

func (c *cursor) byte() byte {
	if b := c.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) uint16() uint16 {
	if b := c.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (c *cursor) uint32() uint32 {
	if b := c.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// varint reads a variable byte integer, which must not be longer than needed
// [MQTT-1.5.5-1].
func (c *cursor) varint() int {
	v, n := varint(c.rest)
	switch {
	case n == 0:
		c.fail(malformed("the packet ends within an integer"))
	case n < 0 || n > 1 && c.rest[n-1] == 0:
		c.fail(malformed("a variable byte integer is too long"))
	default:
		c.rest = c.rest[n:]
	}
	return v
}

// varint reads a variable byte integer, and how many bytes it has: 0 if it is
// not complete, -1 if it is too long.
func varint(b []byte) (v, n int) {
	for i := range b {
		if i == 4 {
			return 0, -1
		}
		v |= int(b[i]&0x7f) << (7 * i)
		if b[i] < 0x80 {
			return v, i + 1
		}
	}
	if len(b) >= 4 {
		return 0, -1
	}
	return 0, 0
}

// binary reads bytes behind their length.
func (c *cursor) binary() []byte { return c.take(int(c.uint16())) }

// text reads a UTF-8 string [MQTT-1.5.4-1], [MQTT-1.5.4-2].
func (c *cursor) text() []byte {
	b := c.binary()
	if !utf8.Valid(b) {
		c.fail(malformed("a string is not UTF-8"))
		return nil
	}
	if bytes.IndexByte(b, 0) >= 0 {
		c.fail(malformed("a string contains U+0000"))
		return nil
	}
	return b
}

// end reports the first fault, or bytes that are left.
func (c *cursor) end() error {
	if c.err == nil && len(c.rest) > 0 {
		c.fail(malformed("%d bytes follow the end of the packet", len(c.rest)))
	}
	if c.err != nil {
		return c.err
	}
	return nil
}
