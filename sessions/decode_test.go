package sessions

import (
	"bytes"
	"errors"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/test/mutate"
)

// packetOf returns a PUBLISH header for a body of n bytes, and the body.
func packetOf(n int) []byte {
	b := []byte{0x30}
	for rest := n; ; {
		digit := byte(rest % 128)
		if rest /= 128; rest > 0 {
			b = append(b, digit|0x80)
			continue
		}
		return append(append(b, digit), make([]byte, n)...)
	}
}

func TestCutRefusesAPacketAtItsHeader(t *testing.T) {
	const limit = 1000
	for _, tt := range []struct {
		name   string
		stream []byte
		code   byte
	}{
		{"packets within the limit", append(packetOf(997), packetOf(0)...), 0},
		{"a packet beyond it", packetOf(998)[:3], 0x95},
		{"the longest length, and nothing behind it", []byte{0x10, 0xff, 0xff, 0xff, 0x7f}, 0x95},
		{"a length of five bytes", []byte{0x30, 0xff, 0xff, 0xff, 0xff, 0x01}, 0x81},
		{"a length that is longer than needed", []byte{0x30, 0x82, 0x00, 0, 0}, 0x81},
		{"flags that are reserved", []byte{0x61, 2, 0, 1}, 0x81},
		{"no such packet", []byte{0x00, 0}, 0x81},
		{"a packet of servers", []byte{0xd0, 0}, 0x82},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var err error
			for rest, size := tt.stream, 1; err == nil && size > 0; rest = rest[size:] {
				_, size, err = cut(rest, limit)
			}
			var fault *Error
			if code := byte(0); errors.As(err, &fault) {
				code = fault.Code
				if code != tt.code {
					t.Errorf("code 0x%02X, want 0x%02X", code, tt.code)
				}
			} else if tt.code != 0 {
				t.Errorf("no fault, want 0x%02X", tt.code)
			}
		})
	}
}

// FuzzCut holds that the answer does not depend on where reads cut the stream.
func FuzzCut(f *testing.F) {
	seeds := [][]byte{
		{0x10, 2, 0, 0, 0x30, 0x80, 1}, packetOf(200), {0x10, 0xff, 0xff, 0xff, 0x7f}, {0x30, 0xff, 0xff, 0xff, 0xff, 0x01},
		{0xc0, 0, 0xe0, 0, 0xf0, 0}, {0x40, 2, 0, 7, 0x50, 2, 0, 7, 0x62, 2, 0, 7, 0x70, 2, 0, 7}, {0x82, 6, 0, 1, 0, 1, 'a', 0, 0xa2, 5, 0, 1, 0, 1, 'a'},
	}
	for _, stream := range seeds {
		f.Add(stream, byte(1))
	}
	for stream := range mutate.Bytes(20_000, seeds...) {
		f.Add(stream, byte(len(stream)))
	}
	f.Fuzz(func(t *testing.T, stream []byte, piece byte) {
		whole, size, want := cut(stream, 200)
		for n := 0; n < len(stream); n += int(piece) + 1 {
			part, at, err := cut(stream[:n], 200)
			switch {
			case err != nil && want == nil:
				t.Fatalf("%d bytes: %v, all of them are right", n, err)
			case at > 0 && (at != size || !bytes.Equal(part.body, whole.body)):
				t.Fatalf("%d bytes: a packet of %d, want %d", n, at, size)
			}
		}
	})
}

// packetsOfEveryType are those of clients, of MQTT 5, without their lengths.
func packetsOfEveryType() [][]byte {
	reason := []byte{0, 5, 0x1f, 0, 2, 'o', 'k'}
	all := [][]byte{
		{0x10, 0, 4, 'M', 'Q', 'T', 'T', 5, 0xee, 0, 60, 3, 0x21, 0, 9, 0, 1, 'a', 5, 0x18, 0, 0, 0, 1, 0, 1, 'w', 0, 1, 'x', 0, 1, 'u', 0, 1, 'p'},
		{0x34, 0, 1, 'a', 0, 7, 3, 0x23, 0, 1, '{', '}'},
		{0x82, 0, 7, 2, 0x0b, 5, 0, 1, 'a', 0x19, 0, 1, 'b', 2},
		{0xa2, 0, 7, 7, 0x26, 0, 1, 'k', 0, 1, 'v', 0, 1, 'a', 0, 1, 'b'},
		{0xc0}, append([]byte{0xe0}, reason...), {0xf0, 0x18, 4, 0x15, 0, 1, 'm'},
	}
	for _, kind := range []byte{0x40, 0x50, 0x62, 0x70} {
		all = append(all, append([]byte{kind, 0, 7}, reason...))
	}
	return all
}

// FuzzDecode holds that no packet panics, and that what one reads of a packet
// is within it.
func FuzzDecode(f *testing.F) {
	for _, version := range []byte{4, 5} {
		f.Add([]byte{0x10, 0, 4, 'M', 'Q', 'T', 'T', version, 2, 0, 60, 0, 0, 1, 'a'}, version)
		f.Add([]byte{0x82, 0, 1, 0, 0, 1, 'a', 0}, version)
		f.Add([]byte{0x40, 0, 1, 0x10, 0}, version)
		f.Add([]byte{0xe0, 0x04, 5, 0x11, 0, 0, 0, 1}, version)
		for packet := range mutate.Bytes(10_000, packetsOfEveryType()...) {
			f.Add(packet, version)
		}
	}
	for _, packet := range packetsOfEveryType() {
		f.Add(packet, byte(5))
	}
	f.Fuzz(func(t *testing.T, packet []byte, version byte) {
		if len(packet) == 0 {
			return
		}
		body := packet[1:]
		switch kind := packet[0] >> 4; kind {
		case packets.Connect:
			if pk, err := decodeConnect(body); pk == nil || err == nil && len(pk.ClientID) > len(body) {
				t.Fatalf("%+v %v", pk, err)
			}
		case packets.Subscribe, packets.Unsubscribe:
			if pk, err := decodeSubscribe(body, kind, version); err == nil && len(pk.requests) == 0 {
				t.Fatal("no topic filter, and no fault")
			}
		case packets.Puback, packets.Pubrec, packets.Pubrel, packets.Pubcomp, packets.Disconnect, packets.Auth:
			if r, err := decodeReply(body, kind, version); err == nil && !allowed(kind, r.code) {
				t.Fatalf("code 0x%02X", r.code)
			}
		case packets.Publish:
			c := cursor{rest: body}
			for p := range all(c.properties(packets.Publish).passed) {
				if len(p.Value) > len(body) {
					t.Fatal("a property is longer than its packet")
				}
			}
		}
	})
}
