package sessions_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// startWatched starts a node on which a panic fails the test, and no session
// outlives its client for long.
func startWatched(t *testing.T) *node {
	t.Helper()
	return startNode(t, func(o *options) {
		o.Log = slog.New(slog.NewTextHandler(failures{t}, &slog.HandlerOptions{Level: slog.LevelError}))
		o.hook.Log = o.Log
		o.SessionExpiry = time.Second
	})
}

// validConnects are CONNECTs that are let in.
func validConnects(version byte) [][]byte {
	properties := slices.Concat(prop(0x11, 0, 0, 0, 1), prop(0x21, 0, 9), prop(0x27, 0, 1, 0, 0), prop(0x22, 0, 3),
		prop(0x19, 1), prop(0x17, 1), userKV)
	will := section(version, slices.Concat(prop(0x18, 0, 0, 0, 0), prop(0x01, 1), prop(0x02, 0, 0, 0, 9), append([]byte{3}, text("t")...),
		append([]byte{8}, text("r")...), append([]byte{9}, text("c")...), userKV))
	return [][]byte{
		connectPacket(version, 2, nil, text("sweep")),
		connectPacket(version, 2, nil, text("")),
		connectPacket(version, 0, properties, text("sweep")),
		connectPacket(version, 0b11101110, properties, text("sweep"), will, text("w"), text("bye"), text("user"), text("password")),
	}
}

// validPackets are the other packets of clients.
func validPackets(version byte) [][]byte {
	publish := slices.Concat(prop(0x01, 1), prop(0x02, 0, 0, 0, 9), prop(0x23, 0, 1), append([]byte{3}, text("t")...),
		append([]byte{8}, text("r")...), append([]byte{9}, text("c")...), userKV)
	id := []byte{0, 7}
	all := [][]byte{
		pingreq,
		pack(0xe0),
		pack(0x30, text("a/b"), section(version), []byte("on")),
		pack(0x33, text("a/b"), id, section(version), []byte("on")),
		pack(0x3c, text("fleet/trucks/1"), id, section(version), []byte(`{"speed":60}`)),
		pack(0x30, text("fleet/trucks/1"), section(version), []byte(`{"speed":60}`)),
		pack(0x34, text("a/b"), id, section(version, publish), []byte("on")),
		pack(0x82, id, section(version), text("a/+"), []byte{1}),
		pack(0x82, id, section(version), text(fast), []byte{2}, text("$share/g/a/#"), []byte{0}),
		pack(0xa2, id, section(version), text("a/+")),
	}
	for _, first := range []byte{0x40, 0x50, 0x62, 0x70} {
		all = append(all, pack(first, id))
	}
	if version < 5 {
		return all
	}
	reason := append(append([]byte{0x1f}, text("r")...), userKV...)
	for _, first := range []byte{0x40, 0x50, 0x62, 0x70} {
		all = append(all, pack(first, id, []byte{0}), pack(first, id, []byte{0}, section(version, reason)))
	}
	return append(all,
		pack(0xe0, []byte{0}, section(version, reason, prop(0x11, 0, 0, 0, 0))),
		pack(0xf0, []byte{0x18}, section(version, append([]byte{0x15}, text("m")...))),
		pack(0x82, id, section(version, prop(0x0b, 5), userKV), text("a/b"), []byte{0b00011001}, text("b"), []byte{0b00100110}),
		pack(0xa2, id, section(version, userKV), text("a/b"), text("b")),
	)
}

// damaged yields every truncation of a packet, as a stream that ends and with a
// length that is right, and every flip of a bit.
func damaged(packet []byte, yield func([]byte)) {
	head := 2
	if packet[1] >= 0x80 {
		head = 3
	}
	for n := range len(packet) {
		yield(packet[:n])
		if n >= head {
			yield(pack(packet[0], packet[head:n]))
		}
	}
	for bit := range 8 * len(packet) {
		flipped := bytes.Clone(packet)
		flipped[bit/8] ^= 1 << (bit % 8)
		yield(flipped)
	}
}

// answeredIn returns the version of what a CONNECT is answered with.
func answeredIn(connect []byte) byte {
	if len(connect) > 8 && bytes.Equal(connect[2:8], text("MQTT")) && connect[8] >= 5 {
		return 5
	}
	return 4
}

// endings are the reason codes with which a server may answer what it cannot
// read: malformed, a protocol error, a version, an identifier or a method it does
// not know, a packet that is too large, a topic name, an alias. MQTT 3.1.1 knows
// fewer.
var endings = map[byte][]byte{
	4: {0, 1, 2, 5},
	5: {0, 0x81, 0x82, 0x84, 0x85, 0x8c, 0x90, 0x94, 0x95},
}

func TestDamagedPacketsEndTheirConnectionOrAreHandled(t *testing.T) {
	n := startWatched(t)
	good, dev := n.connect(5, "good", nil), n.connect(4, "dev", nil)
	good.subscribe(1, "good/+")
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	goroutines := runtime.NumGoroutine()
	played := 0
	play := func(version byte, first, packet []byte) {
		if first == nil {
			version = answeredIn(packet)
		}
		all, err := n.play(version, first, packet, pingreq)
		code := ending(all)
		if played++; played%1000 == 0 {
			dev.put("good/1", fmt.Sprint(played))
			good.message("good/1")
		}
		if err != nil || !slices.Contains(endings[version], code) {
			t.Errorf("version %d, % x: ends with 0x%02X, %v", version, packet, code, err)
		}
		if testing.Short() {
			return
		}
		again, err := n.play(version, append([][]byte{first}, slices.Collect(slices.Chunk(slices.Concat(packet, pingreq), 1))...)...)
		if err != nil || ending(again) != code || ponged(again) != ponged(all) {
			t.Errorf("version %d, % x: byte by byte, it ends with 0x%02X, %v", version, packet, ending(again), err)
		}
	}
	for _, version := range versions {
		for _, packet := range validConnects(version) {
			if all, err := n.play(version, packet, pingreq); err != nil || !ponged(all) {
				t.Fatalf("version %d, % x: %v %v", version, packet, all, err)
			}
			damaged(packet, func(b []byte) { play(version, nil, b) })
		}
		connect := connectPacket(version, 2, nil, text("sweep"))
		for _, packet := range validPackets(version) {
			if all, err := n.play(version, connect, packet, pingreq); err != nil || packet[0] < 0xe0 && !ponged(all) {
				t.Fatalf("version %d, % x: %v %v", version, packet, all, err)
			}
			damaged(packet, func(b []byte) { play(version, connect, b) })
		}
	}
	for _, p := range []*peer{good, dev} {
		p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Disconnect}})
		p.expectEnd(0)
	}
	waitFor(t, "all sessions to go", n.engine.Empty)
	waitFor(t, "all goroutines to end", func() bool { return runtime.NumGoroutine() <= goroutines })
	runtime.GC()
	runtime.ReadMemStats(&after)
	// 4 MB of it are the log of the store, whose disk is memory; twice that where commits are
	// slow, and fewer share one.
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 16<<20 {
		t.Errorf("%d bytes more are in use after %d connections", grown, played)
	}
	t.Logf("%d connections", played)
}
