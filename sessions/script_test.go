package sessions_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/sessions"
)

// A script is a connection whose client sends what it has to say piece by piece,
// whatever it is answered, and then hangs up.
type script struct {
	net.Conn // that of nobody
	pieces   [][]byte

	mu     sync.Mutex // guards what follows
	out    []byte
	closed chan struct{}
	once   sync.Once
}

func newScript(pieces ...[]byte) *script {
	return &script{pieces: pieces, closed: make(chan struct{})}
}

func (s *script) Read(b []byte) (int, error) {
	select {
	case <-s.closed:
		return 0, net.ErrClosed
	default:
	}
	for len(s.pieces) > 0 && len(s.pieces[0]) == 0 {
		s.pieces = s.pieces[1:]
	}
	if len(s.pieces) == 0 {
		return 0, io.EOF
	}
	n := copy(b, s.pieces[0])
	s.pieces[0] = s.pieces[0][n:]
	return n, nil
}

func (s *script) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out = append(s.out, b...)
	return len(b), nil
}

func (s *script) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

func (s *script) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }
func (s *script) SetReadDeadline(time.Time) error  { return nil }
func (s *script) SetWriteDeadline(time.Time) error { return nil }

// play serves a script to its end, and returns what the server has written.
func (n *node) play(version byte, pieces ...[]byte) ([]packets.Packet, error) {
	s := newScript(pieces...)
	served := make(chan struct{})
	n.serving.Go(func() {
		defer close(served)
		n.engine.Serve(s, sessions.Via{Name: "test"})
	})
	late := time.NewTimer(deadline)
	defer late.Stop()
	for _, end := range []chan struct{}{served, s.closed} {
		select {
		case <-end:
		case <-late.C:
			return nil, os.ErrDeadlineExceeded
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return readAll(s.out, version)
}

// readAll decodes what a server has written.
func readAll(out []byte, version byte) ([]packets.Packet, error) {
	var all []packets.Packet
	for r := bufio.NewReader(bytes.NewReader(out)); ; {
		pk, err := readPacket(r, version)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, pk)
	}
}

// ending returns the reason code of the packet that tells of the end of a
// connection, or 0 if there is none.
func ending(all []packets.Packet) byte {
	if len(all) == 0 {
		return 0
	}
	last := all[len(all)-1]
	if last.FixedHeader.Type == packets.Disconnect || last.FixedHeader.Type == packets.Connack {
		return last.ReasonCode
	}
	return 0
}

// ponged says whether a PINGREQ was answered.
func ponged(all []packets.Packet) bool {
	return slices.ContainsFunc(all, func(pk packets.Packet) bool { return pk.FixedHeader.Type == packets.Pingresp })
}

// Packets of clients, byte by byte.

func pack(first byte, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	b := []byte{first}
	for n := len(body); ; {
		digit := byte(n % 128)
		if n /= 128; n > 0 {
			b = append(b, digit|0x80)
			continue
		}
		return append(append(b, digit), body...)
	}
}

func text(s string) []byte { return append([]byte{byte(len(s) >> 8), byte(len(s))}, s...) }

// section is the properties of a packet, none before MQTT 5.
func section(version byte, properties ...[]byte) []byte {
	if version < 5 {
		return nil
	}
	all := bytes.Join(properties, nil)
	return append([]byte{byte(len(all))}, all...)
}

func prop(id byte, value ...byte) []byte { return append([]byte{id}, value...) }

func connectPacket(version, flags byte, properties []byte, rest ...[]byte) []byte {
	head := append(text("MQTT"), version, flags, 0, 60)
	return pack(0x10, head, section(version, properties), bytes.Join(rest, nil))
}

var (
	pingreq = []byte{0xc0, 0}
	userKV  = append(append([]byte{0x26}, text("k")...), text("v")...)
)

// failures are log lines, of which one that tells of a panic fails the test.
type failures struct{ t *testing.T }

func (f failures) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("a packet has ended its connection")) {
		f.t.Errorf("%s", line)
	}
	return len(line), nil
}
