package persistence

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
)

// valueFormat is the first byte of every value. After it come the fields:
// integers as varints, strings and bytes behind their length, times as seconds
// and nanoseconds. A new field goes to the end of its value and raises
// valueFormat; its decoder reads it from values of that format on.
const valueFormat byte = 4

var errMalformed = errors.New("malformed value")

func appendUint(b []byte, v uint64) []byte { return binary.AppendUvarint(b, v) }

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendBytes(b, v []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(v))), v...)
}

func appendTime(b []byte, t time.Time) []byte {
	b = binary.AppendVarint(b, t.Unix())
	return binary.AppendUvarint(b, uint64(t.Nanosecond()))
}

// appendOptionalTime appends t, the zero time in one byte.
func appendOptionalTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return appendBool(b, false)
	}
	return appendTime(appendBool(b, true), t)
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// A reader takes fields off rest. After the first error it returns zero values
// and keeps that error for end.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.rest = nil
}

// format reads the first byte of a value.
func (r *reader) format() byte {
	v := r.byte()
	if r.err == nil && (v < 1 || v > valueFormat) {
		r.fail(fmt.Errorf("value of format %d, this version reads %d", v, valueFormat))
	}
	return v
}

func (r *reader) byte() byte {
	if len(r.rest) == 0 {
		r.fail(errMalformed)
		return 0
	}
	v := r.rest[0]
	r.rest = r.rest[1:]
	return v
}

func (r *reader) bool() bool { return r.byte() != 0 }

func (r *reader) uint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.fail(errMalformed)
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) uint32() uint32 {
	v := r.uint()
	if v > math.MaxUint32 {
		r.fail(errMalformed)
		return 0
	}
	return uint32(v)
}

// bytes returns a part of the value itself, never nil.
func (r *reader) bytes() []byte {
	n := r.uint()
	if n > uint64(len(r.rest)) {
		r.fail(errMalformed)
		return []byte{}
	}
	v := r.rest[:n:n]
	r.rest = r.rest[n:]
	return v
}

// optionalBytes is bytes with nil for none.
func (r *reader) optionalBytes() []byte {
	if v := r.bytes(); len(v) > 0 {
		return v
	}
	return nil
}

func (r *reader) string() string { return string(r.bytes()) }

func (r *reader) time() time.Time {
	sec, n := binary.Varint(r.rest)
	if n <= 0 {
		r.fail(errMalformed)
		return time.Time{}
	}
	r.rest = r.rest[n:]
	nsec := r.uint()
	if nsec >= uint64(time.Second) {
		r.fail(errMalformed)
		return time.Time{}
	}
	return time.Unix(sec, int64(nsec)).UTC()
}

func (r *reader) optionalTime() time.Time {
	if !r.bool() {
		return time.Time{}
	}
	return r.time()
}

// end returns the first error; a value with bytes left over is one.
func (r *reader) end() error {
	if r.err == nil && len(r.rest) > 0 {
		r.err = errMalformed
	}
	return r.err
}
