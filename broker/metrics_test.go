package broker

import (
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// pack returns a packet of less than 128 bytes.
func pack(first byte, parts ...string) []byte {
	body := strings.Join(parts, "")
	return append([]byte{first, byte(len(body))}, body...)
}

// text is a string as MQTT writes it.
func text(s string) string { return string(binary.BigEndian.AppendUint16(nil, uint16(len(s)))) + s }

// receiveAny reads a packet of any length, and returns its first byte.
func receiveAny(t *testing.T, c net.Conn) byte {
	t.Helper()
	return receiveAll(t, c)[0]
}

// receiveAll reads a packet of any length, and returns it without its length.
func receiveAll(t *testing.T, c net.Conn) string {
	t.Helper()
	one := make([]byte, 1)
	next := func() byte {
		if _, err := io.ReadFull(c, one); err != nil {
			t.Fatal(err)
		}
		return one[0]
	}
	first, length := next(), 0
	for shift := 0; ; shift += 7 {
		b := next()
		length |= int(b&0x7f) << shift
		if b < 0x80 {
			break
		}
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(c, body); err != nil {
		t.Fatal(err)
	}
	return string([]byte{first}) + string(body)
}

// expectMetrics waits until /metrics has all of these lines.
func expectMetrics(t *testing.T, b *Broker, lines ...string) {
	t.Helper()
	for until := time.Now().Add(deadline); ; {
		status, text := page(t, b, "/metrics", "")
		if status != http.StatusOK {
			t.Fatalf("status %d: %s", status, text)
		}
		var missing []string
		for _, line := range lines {
			if !strings.Contains(text, "\n"+line+"\n") {
				missing = append(missing, line)
			}
		}
		if len(missing) == 0 {
			return
		}
		if time.Now().After(until) {
			t.Fatalf("missing: %q in\n%s", missing, text)
		}
	}
}

func TestMetricsCountWhatClientsDo(t *testing.T) {
	b := start(t, testConfig(t))
	c := connect(t, b, 5, "watcher")
	send(t, c, pack(0x82, "\x00\x01\x00", text(`fleet/trucks/?{"range":{"speed":{"gt":50}}}`), "\x00"))
	for i, body := range []string{`{"speed":60}`, `{"speed":70}`, `{"speed":20}`} {
		send(t, c, pack(0x32, text("fleet/trucks/1"), string([]byte{0, byte(i + 1), 0}), body))
	}
	send(t, c, pack(0x32, text("$x/y"), "\x00\x09\x00", "1"))
	send(t, c, []byte{0xC0, 0})
	counts := map[byte]int{}
	for range 9 { // SUBACK, 3 notifications, 4 PUBACK, PINGRESP
		counts[receiveAny(t, c)>>4]++
	}
	if counts[3] != 3 || counts[4] != 4 {
		t.Fatalf("packets by type: %v", counts)
	}
	expectMetrics(t, b,
		`ambit_packets_received_total{type="connect"} 1`, `ambit_packets_received_total{type="publish"} 4`,
		`ambit_packets_received_total{type="pingreq"} 1`, `ambit_packets_received_total{type="subscribe"} 1`,
		`ambit_packets_sent_total{type="publish"} 3`, `ambit_packets_sent_total{type="puback"} 4`,
		`ambit_packets_sent_total{type="pingresp"} 1`, `ambit_packets_sent_total{type="connack"} 1`,
		`ambit_refusals_total{code="0x90",of="publish"} 1`,
		`ambit_notifications_total{kind="enter"} 1`, `ambit_notifications_total{kind="stay"} 1`, `ambit_notifications_total{kind="exit"} 1`,
		`ambit_changes_total 3`, `ambit_match_candidates_count 1`, `ambit_match_candidates_sum 1`, `ambit_connections 1`,
	)
	send(t, c, []byte{0xE0, 1, 4})
	d := dial(t, b)
	send(t, d, connectPacket(t, 5, strings.Repeat("x", 90)+"/#"))
	receiveAny(t, d)
	e := connect(t, b, 5, "violator")
	send(t, e, []byte{0xF0, 0})
	receiveAny(t, e)
	_ = connect(t, b, 4, "lost").Close()
	expectMetrics(t, b,
		`ambit_disconnections_total{by="client",code="0x04"} 1`, `ambit_refusals_total{code="0x85",of="connect"} 1`,
		`ambit_disconnections_total{by="server",code="0x82"} 1`, `ambit_disconnections_total{by="lost",code=""} 1`,
		`ambit_connections 0`,
	)
}
