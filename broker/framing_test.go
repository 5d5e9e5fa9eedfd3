package broker

import (
	"bytes"
	"errors"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"
)

// connectPacket returns the bytes of a CONNECT.
func connectPacket(t *testing.T, version byte, id string) []byte {
	t.Helper()
	pk := packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Connect}, ProtocolVersion: version,
		Connect: packets.ConnectParams{ProtocolName: []byte("MQTT"), ClientIdentifier: id, Clean: true},
	}
	buf := new(bytes.Buffer)
	if err := pk.ConnectEncode(buf); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

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

func TestFramingRefusesAPacketAtItsHeader(t *testing.T) {
	for _, tt := range []struct {
		name   string
		stream func(connect []byte) []byte
		want   error
	}{
		{"packets within the limit", func(c []byte) []byte { return append(append(c, packetOf(997)...), packetOf(0)...) }, nil},
		{"a packet beyond it", func(c []byte) []byte { return append(c, packetOf(998)...) }, errPacketTooLarge},
		{"a first packet beyond its own", func([]byte) []byte { return packetOf(99) }, errPacketTooLarge},
		{"the longest length, and nothing behind it", func([]byte) []byte { return []byte{0x10, 0xff, 0xff, 0xff, 0x7f} }, errPacketTooLarge},
		{"a length of five bytes", func([]byte) []byte { return []byte{0x10, 0xff, 0xff, 0xff, 0xff, 0x01} }, errMalformedLength},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stream := tt.stream(connectPacket(t, 5, "c"))
			for piece := 1; piece <= len(stream); piece++ { // wherever the reads cut it
				f := framing{connectBytes: 100, packetBytes: 1000}
				var err error
				for rest := stream; err == nil && len(rest) > 0; {
					n := min(piece, len(rest))
					err = f.follow(rest[:n])
					rest = rest[n:]
				}
				if !errors.Is(err, tt.want) {
					t.Fatalf("in pieces of %d: %v, want %v", piece, err, tt.want)
				}
			}
		})
	}
}

func TestFramingKnowsTheProtocolVersion(t *testing.T) {
	for _, version := range []byte{4, 5} {
		f := framing{connectBytes: 100, packetBytes: 100}
		for _, b := range connectPacket(t, version, "c") {
			if err := f.follow([]byte{b}); err != nil {
				t.Fatal(err)
			}
		}
		if f.version != version {
			t.Errorf("version %d, want %d", f.version, version)
		}
	}
}

// FuzzFraming holds that the answer does not depend on where reads cut the
// stream.
func FuzzFraming(f *testing.F) {
	f.Add([]byte{0x10, 2, 0, 0, 0x30, 0x80, 1}, byte(1))
	f.Fuzz(func(t *testing.T, stream []byte, piece byte) {
		whole := framing{connectBytes: 50, packetBytes: 200}
		parts := whole
		want := whole.follow(stream)
		var got error
		for rest := stream; got == nil && len(rest) > 0; {
			n := min(int(piece)+1, len(rest))
			got = parts.follow(rest[:n])
			rest = rest[n:]
		}
		if (want == nil) != (got == nil) || want == nil && whole != parts {
			t.Errorf("at once: %v %+v, in pieces: %v %+v", want, whole, got, parts)
		}
	})
}
