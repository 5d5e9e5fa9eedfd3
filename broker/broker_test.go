package broker

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/mochi-mqtt/server/v2/packets"
)

const deadline = 10 * time.Second

// TestMain fails when goroutines are left behind.
func TestMain(m *testing.M) {
	before := runtime.NumGoroutine()
	code := m.Run()
	end := time.Now().Add(deadline)
	for runtime.NumGoroutine() > before && time.Now().Before(end) {
		runtime.Gosched()
	}
	fuzzing := flag.Lookup("test.fuzz").Value.String() != "" // which leaves some of its own
	if n := runtime.NumGoroutine(); n > before && code == 0 && !fuzzing {
		buf := make([]byte, 1<<20)
		fmt.Fprintf(os.Stderr, "%d goroutines are left:\n%s\n", n-before, buf[:runtime.Stack(buf, true)])
		code = 1
	}
	os.Exit(code)
}

// testConfig listens on free ports and keeps its data in a directory of its own.
func testConfig(t *testing.T) Config {
	t.Helper()
	c := DefaultConfig()
	c.MQTT, c.HTTP, c.Data = "127.0.0.1:0", "127.0.0.1:0", t.TempDir()
	return c
}

func start(t *testing.T, cfg Config) *Broker {
	t.Helper()
	b, err := Start(t.Context(), cfg, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, b) })
	return b
}

func stop(t *testing.T, b *Broker) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	if err := b.Close(ctx); err != nil {
		t.Error(err)
	}
}

// dial connects a TCP client that has said nothing yet.
func dial(t *testing.T, b *Broker) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", b.MQTTAddr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(deadline)); err != nil {
		t.Fatal(err)
	}
	return c
}

// connect connects an MQTT client with this id and reads its CONNACK.
func connect(t *testing.T, b *Broker, version byte, id string) net.Conn {
	t.Helper()
	c := dial(t, b)
	send(t, c, connectPacket(t, version, id))
	if ack := receive(t, c); ack[0] != 0x20 || ack[3] != 0 {
		t.Fatalf("CONNACK % x", ack)
	}
	return c
}

func send(t *testing.T, c net.Conn, b []byte) {
	t.Helper()
	if _, err := c.Write(b); err != nil {
		t.Fatal(err)
	}
}

// receive reads one packet, of less than 128 bytes.
func receive(t *testing.T, c net.Conn) []byte {
	t.Helper()
	header := make([]byte, 2)
	if _, err := io.ReadFull(c, header); err != nil {
		t.Fatal(err)
	}
	body := make([]byte, header[1])
	if _, err := io.ReadFull(c, body); err != nil {
		t.Fatal(err)
	}
	return append(header, body...)
}

// expectEnd expects that the connection ends without another byte.
func expectEnd(t *testing.T, c net.Conn) {
	t.Helper()
	n, err := c.Read(make([]byte, 1))
	if n > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("read %d bytes, %v, want the end of the connection", n, err)
	}
}

func TestTruncatedSubscribeEndsItsConnectionAlone(t *testing.T) {
	b := start(t, testConfig(t))
	other := connect(t, b, 5, "other")
	c := connect(t, b, 5, "cut")
	send(t, c, []byte{0x82, 0x06, 0x00, 0x01, 0x00, 0x00, 0x01, 'a'}) // no option byte
	if bye := receive(t, c); bye[0] != 0xe0 || bye[2] != 0x81 {
		t.Errorf("% x, want DISCONNECT 0x81", bye)
	}
	expectEnd(t, c)
	send(t, other, []byte{0xc0, 0})
	if pong := receive(t, other); pong[0] != 0xd0 {
		t.Errorf("PINGRESP % x", pong)
	}
	connect(t, b, 5, "cut") // there is nothing left of the first one
}

func TestASocketWithoutConnectIsClosed(t *testing.T) {
	cfg := testConfig(t)
	cfg.Limits.ConnectTimeout = 100 * time.Millisecond
	b := start(t, cfg)
	expectEnd(t, dial(t, b))
	slow := dial(t, b)
	send(t, slow, connectPacket(t, 4, "slow")[:5])
	expectEnd(t, slow)
}

func TestAPacketThatIsTooLargeIsRefusedAtItsHeader(t *testing.T) {
	b := start(t, testConfig(t))
	first := dial(t, b)
	send(t, first, []byte{0x10, 0xff, 0xff, 0xff, 0x7f})
	expectEnd(t, first)
	v5 := connect(t, b, 5, "five")
	send(t, v5, []byte{0x30, 0xff, 0xff, 0xff, 0x7f})
	if pk := receive(t, v5); pk[0] != 0xe0 || pk[2] != 0x95 {
		t.Errorf("DISCONNECT % x, want 0x95", pk)
	}
	expectEnd(t, v5)
	v3 := connect(t, b, 4, "three")
	send(t, v3, []byte{0x30, 0xff, 0xff, 0xff, 0x7f})
	expectEnd(t, v3)
}

func TestCloseTellsMQTT5Clients(t *testing.T) {
	b := start(t, testConfig(t))
	v5 := connect(t, b, 5, "five")
	stop(t, b)
	if pk := receive(t, v5); pk[0] != 0xe0 || pk[2] != 0x8b {
		t.Errorf("DISCONNECT % x, want 0x8b", pk)
	}
	expectEnd(t, v5)
	if _, err := net.Dial("tcp", b.MQTTAddr()); err == nil {
		t.Error("it still accepts clients")
	}
}

func TestWebSocketWantsItsSubprotocolAndOrigin(t *testing.T) {
	cfg := testConfig(t)
	cfg.Origins = []string{"maps.example.com"}
	b := start(t, cfg)
	try := func(path, subprotocol, origin string) error {
		o := &websocket.DialOptions{HTTPHeader: http.Header{}}
		if subprotocol != "" {
			o.Subprotocols = []string{subprotocol}
		}
		if origin != "" {
			o.HTTPHeader.Set("Origin", origin)
		}
		ws, _, err := websocket.Dial(t.Context(), "ws://"+b.HTTPAddr()+path, o) //nolint:bodyclose // of an upgrade there is none
		if err != nil {
			return err
		}
		defer func() { _ = ws.CloseNow() }()
		c := websocket.NetConn(t.Context(), ws, websocket.MessageBinary)
		if _, err := c.Write(connectPacket(t, 5, "web")); err != nil {
			return err
		}
		_, err = io.ReadFull(c, make([]byte, 4))
		return err
	}
	for _, tt := range []struct {
		name, path, subprotocol, origin string
		ok                              bool
	}{
		{"a program", "/mqtt", "mqtt", "", true},
		{"a page of the broker's own", "/mqtt", "mqtt", "http://" + b.HTTPAddr(), true},
		{"a page that is allowed", "/mqtt", "mqtt", "https://maps.example.com", true},
		{"another page", "/mqtt", "mqtt", "https://evil.example", false},
		{"no sub-protocol", "/mqtt", "", "", false},
		{"another sub-protocol", "/mqtt", "amqp", "", false},
		{"another path", "/elsewhere", "mqtt", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := try(tt.path, tt.subprotocol, tt.origin); (err == nil) != tt.ok {
				t.Errorf("%v, want success: %v", err, tt.ok)
			}
		})
	}
}

func TestStartSaysWhyItCannot(t *testing.T) {
	runningCfg := testConfig(t)
	running := start(t, runningCfg)
	taken := testConfig(t)
	taken.MQTT = running.MQTTAddr()
	web := testConfig(t)
	web.HTTP = running.HTTPAddr()
	locked := testConfig(t)
	locked.Data = runningCfg.Data
	newer := testConfig(t)
	stop(t, start(t, newer))
	markNewer(t, newer.Data)
	bad := testConfig(t)
	bad.Limits.PacketBytes = 1
	for _, tt := range []struct {
		name string
		cfg  Config
		want string
	}{
		{"MQTT port in use", taken, "address already in use"},
		{"HTTP port in use", web, "address already in use"},
		{"directory of another process", locked, "in use by another process"},
		{"directory from a newer version", newer, "newer version of Ambit"},
		{"bad setting", bad, "limits.packet_bytes: 1 is not allowed: must be from 1024 to 268435456"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, err := Start(t.Context(), tt.cfg, slog.New(slog.DiscardHandler))
			if err == nil {
				stop(t, b)
				t.Fatal("it starts")
			}
			if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v, want one line with %s", err, tt.want)
			}
		})
	}
}

// markNewer makes a data directory look as a later version would leave it.
func markNewer(t *testing.T, dir string) {
	t.Helper()
	marker := filepath.Join(dir, "AMBIT")
	text, err := os.ReadFile(marker)
	if err != nil {
		t.Fatal(err)
	}
	newer := strings.Replace(string(text), "format 1", "format 99", 1)
	if newer == string(text) {
		t.Fatalf("the marker is %q", text)
	}
	if err := os.WriteFile(marker, []byte(newer), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestValidateReportsEveryFault(t *testing.T) {
	c := DefaultConfig()
	c.MQTT, c.Log.Level, c.Limits.QueueBytes = "1883", "loud", 1
	c.Collections = []Collection{{Name: "fleet"}, {Name: "fleet/trucks", TTL: time.Millisecond, Write: "append", Index: []string{"a", "", "a"}, Geo: []string{"_id"}}, {Name: "fleet/vans", Index: make([]string, 40)}}
	err := c.Validate()
	for _, want := range []string{
		`mqtt: "1883" is not allowed: must be an address`,
		`log.level: "loud" is not allowed: must be one of debug, info, warn, error`,
		"limits.queue_bytes: 1 is not allowed: must be from",
		`collections[0].name: "fleet" is not allowed: must be "<index>/<collection>"`,
		`collections[1].ttl: 1ms is not allowed: must be from 1s to`,
		`collections[1].write: "append" is not allowed: must be one of replace, merge`,
		`collections[1].index[1]: "" is not allowed: must be a field, of 512 bytes at most`,
		`collections[1].index[2]: "a" is not allowed: must be another field: it is there twice`,
		`collections[1].geo[0]: "_id" is not allowed: must be another field: documents are found by their id anyway`,
		`collections[2].index: 40 is not allowed: must be no more than 32 fields, those of geo included`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Validate: %v, want …%s…", err, want)
		}
	}
	if err := DefaultConfig().Validate(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
}

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
