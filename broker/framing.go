package broker

import (
	"errors"
	"fmt"
)

// A framing follows the packets in what a client sends, so that one that is too
// large is refused at its header, before anybody makes room for it.
type framing struct {
	connectBytes, packetBytes int

	version  byte // the protocol version of CONNECT, once it is known
	first    int  // bytes of the first packet's body that were seen
	started  bool // the first packet's header is complete
	inLength bool // the type byte was seen, the length is being read
	length   int
	shift    uint
	rest     int // of the current packet's body
}

var (
	errPacketTooLarge  = errors.New("the packet is too large")
	errMalformedLength = errors.New("the packet has a malformed length") // [MQTT-1.5.5-1]
)

// versionAt is where the protocol version stands in the body of a CONNECT:
// behind the protocol name and its length.
const versionAt = 2 + len("MQTT")

// follow takes the next bytes of the stream.
func (f *framing) follow(p []byte) error {
	for len(p) > 0 {
		if f.rest > 0 {
			n := min(f.rest, len(p))
			f.readFirst(p[:n])
			f.rest -= n
			p = p[n:]
			continue
		}
		b := p[0]
		p = p[1:]
		if !f.inLength {
			f.inLength, f.length, f.shift = true, 0, 0
			continue
		}
		if err := f.readLength(b); err != nil {
			return err
		}
	}
	return nil
}

// readLength takes one byte of a remaining length.
func (f *framing) readLength(b byte) error {
	f.length |= int(b&0x7f) << f.shift
	f.shift += 7
	if b&0x80 != 0 {
		if f.shift > 21 {
			return errMalformedLength
		}
		return nil
	}
	limit := f.packetBytes
	if !f.started {
		limit = f.connectBytes
	}
	if size := f.length + 1 + int(f.shift/7); size > limit {
		return fmt.Errorf("%w: %d bytes, the limit is %d", errPacketTooLarge, size, limit)
	}
	f.started, f.inLength, f.rest = true, false, f.length
	return nil
}

// readFirst finds the protocol version in the body of the first packet.
func (f *framing) readFirst(body []byte) {
	if f.version != 0 || f.first > versionAt {
		return
	}
	if at := versionAt - f.first; at < len(body) {
		f.version = body[at]
	}
	f.first = min(f.first+len(body), versionAt+1)
}
