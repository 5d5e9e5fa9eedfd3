package sessions_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"
)

// table is table 2-4 of MQTT 5: a value of each property, and which packets of
// clients may have it. 0 is a will.
var table = map[byte]struct {
	value []byte
	in    []byte
}{
	0x01: {[]byte{1}, []byte{packets.Publish, 0}},
	0x02: {[]byte{0, 0, 0, 9}, []byte{packets.Publish, 0}},
	0x03: {text("t"), []byte{packets.Publish, 0}},
	0x08: {text("r"), []byte{packets.Publish, 0}},
	0x09: {text("c"), []byte{packets.Publish, 0}},
	0x0b: {[]byte{5}, []byte{packets.Subscribe}},
	0x11: {[]byte{0, 0, 0, 1}, []byte{packets.Connect, packets.Disconnect}},
	0x12: {text("a"), nil},
	0x13: {[]byte{0, 9}, nil},
	0x15: {text("m"), []byte{packets.Connect, packets.Auth}},
	0x16: {text("d"), []byte{packets.Connect, packets.Auth}},
	0x17: {[]byte{1}, []byte{packets.Connect}},
	0x18: {[]byte{0, 0, 0, 0}, []byte{0}},
	0x19: {[]byte{1}, []byte{packets.Connect}},
	0x1a: {text("r"), nil},
	0x1c: {text("s"), nil},
	0x1f: {text("r"), []byte{packets.Puback, packets.Pubrec, packets.Pubrel, packets.Pubcomp, packets.Disconnect, packets.Auth}},
	0x21: {[]byte{0, 9}, []byte{packets.Connect}},
	0x22: {[]byte{0, 9}, []byte{packets.Connect}},
	0x23: {[]byte{0, 1}, []byte{packets.Publish}},
	0x24: {[]byte{1}, nil},
	0x25: {[]byte{1}, nil},
	0x26: {append(text("k"), text("v")...), []byte{
		packets.Connect, packets.Publish, packets.Puback, packets.Pubrec, packets.Pubrel, packets.Pubcomp,
		packets.Subscribe, packets.Unsubscribe, packets.Disconnect, packets.Auth, 0,
	}},
	0x27: {[]byte{0, 1, 0, 0}, []byte{packets.Connect}},
	0x28: {[]byte{1}, nil},
	0x29: {[]byte{1}, nil},
	0x2a: {[]byte{1}, nil},
}

// withProperties are the packets that have properties, with these.
var withProperties = map[byte]func(properties []byte) []byte{
	packets.Connect: func(p []byte) []byte { return connectPacket(5, 2, p, text("sweep")) },
	0: func(p []byte) []byte {
		return connectPacket(5, 6, nil, text("sweep"), section(5, p), text("w"), text("bye"))
	},
	packets.Publish:     func(p []byte) []byte { return pack(0x30, text("a/b"), section(5, p), []byte("on")) },
	packets.Puback:      func(p []byte) []byte { return pack(0x40, []byte{0, 7, 0}, section(5, p)) },
	packets.Pubrec:      func(p []byte) []byte { return pack(0x50, []byte{0, 7, 0}, section(5, p)) },
	packets.Pubrel:      func(p []byte) []byte { return pack(0x62, []byte{0, 7, 0}, section(5, p)) },
	packets.Pubcomp:     func(p []byte) []byte { return pack(0x70, []byte{0, 7, 0}, section(5, p)) },
	packets.Subscribe:   func(p []byte) []byte { return pack(0x82, []byte{0, 7}, section(5, p), text("a/b"), []byte{1}) },
	packets.Unsubscribe: func(p []byte) []byte { return pack(0xa2, []byte{0, 7}, section(5, p), text("a/b")) },
	packets.Disconnect:  func(p []byte) []byte { return pack(0xe0, []byte{0}, section(5, p)) },
}

// Every property in every packet: what must not stand there is malformed, what
// stands twice is a protocol error [MQTT-2.2.2.2].
func TestPropertiesStandOnceWhereTheyMay(t *testing.T) {
	n := startWatched(t)
	connect := connectPacket(5, 2, prop(0x11, 0, 0, 0, 1), text("sweep"))
	for kind, packet := range withProperties {
		for id := range byte(0x80) {
			known, ok := table[id]
			if !ok {
				known.value = []byte{0}
			}
			once := append([]byte{id}, known.value...)
			want, twice := byte(0), byte(0x82)
			switch {
			case id == 0x0b && kind == packets.Publish: // [MQTT-3.3.4-6]
				want = 0x82
			case !slices.Contains(known.in, kind):
				want, twice = 0x81, 0x81
			case id == 0x26:
				twice = 0
			case id == 0x15: // there is no such method
				want = 0x8c
			case id == 0x16: // and no method at all
				want = 0x82
			}
			for _, tt := range []struct {
				name       string
				properties []byte
				want       byte
			}{
				{"once", once, want},
				{"twice", append(slices.Clip(once), once...), twice},
				{"twice, with others between", slices.Concat(once, userKV, once), twice},
				{"cut off", once[:len(once)-1], 0x81},
			} {
				pieces := [][]byte{connect, packet(tt.properties), pingreq}
				if kind == packets.Connect || kind == 0 {
					pieces = pieces[1:]
				}
				all, err := n.play(5, pieces...)
				if code := ending(all); err != nil || code != tt.want {
					t.Errorf("property 0x%02X %s in %s: 0x%02X %v, want 0x%02X", id, tt.name, kindName(kind), code, err, tt.want)
				}
			}
		}
	}
}

func kindName(kind byte) string {
	if kind == 0 {
		return "a will"
	}
	return fmt.Sprint(packets.PacketNames[kind])
}
