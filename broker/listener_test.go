package broker

import (
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// dialListener connects to a listener by its name.
func dialListener(t *testing.T, b *Broker, network, listener string) net.Conn {
	t.Helper()
	c, err := net.Dial(network, b.Addr(listener))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(deadline)); err != nil {
		t.Fatal(err)
	}
	return c
}

// expectConnack says CONNECT and expects this reason code.
func expectConnack(t *testing.T, c net.Conn, id string, code byte) []byte {
	t.Helper()
	send(t, c, connectPacket(t, 5, id))
	ack := receive(t, c)
	if ack[0] != 0x20 || ack[3] != code {
		t.Fatalf("CONNACK % x, want reason code 0x%02X", ack, code)
	}
	return ack
}

func TestASecureWebSocketServes(t *testing.T) {
	ca := newAuthority(t)
	cfg := testConfig(t)
	cfg.Listeners = []Listener{ca.secureListener("wss")}
	b := start(t, cfg)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ca.pool()}}
	defer transport.CloseIdleConnections()
	url := "wss://" + b.Addr("secure") + "/mqtt"
	for _, tt := range []struct {
		name, origin string
		ok           bool
	}{
		{"a program", "", true},
		{"a page of the broker's own", "https://" + b.Addr("secure"), true},
		{"another page", "https://evil.example", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := &websocket.DialOptions{
				HTTPClient: &http.Client{Transport: transport}, Subprotocols: []string{"mqtt"}, HTTPHeader: http.Header{},
			}
			if tt.origin != "" {
				o.HTTPHeader.Set("Origin", tt.origin)
			}
			ws, _, err := websocket.Dial(t.Context(), url, o) //nolint:bodyclose // of an upgrade there is none
			if (err == nil) != tt.ok {
				t.Fatalf("%v, want success: %v", err, tt.ok)
			}
			if err != nil {
				return
			}
			defer func() { _ = ws.CloseNow() }()
			expectConnack(t, websocket.NetConn(t.Context(), ws, websocket.MessageBinary), "web", 0)
		})
	}
}

func TestAUnixSocketCountsAsThisMachine(t *testing.T) {
	cfg := testConfig(t)
	path := filepath.Join(t.TempDir(), "mqtt")
	cfg.Listeners = []Listener{{Name: "local", Type: "unix", Address: path, Permissions: "0620"}}
	b := start(t, cfg)
	expectConnack(t, dialListener(t, b, "unix", "local"), "one", 0)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o620 {
		t.Errorf("%v, %v, want the permissions 0620", info, err)
	}
	stop(t, b)
	if _, err := os.Stat(path); err == nil {
		t.Error("the socket is left behind")
	}
}

func TestAUnixSocketIsReplacedOnlyWhenNobodyListens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mqtt")
	local := []Listener{{Name: "local", Type: "unix", Address: path}}
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false)
	_ = left.Close() // as a process that was killed

	first := testConfig(t)
	first.Listeners = local
	b := start(t, first)
	expectConnack(t, dialListener(t, b, "unix", "local"), "one", 0)

	second := testConfig(t)
	second.Listeners = local
	expectNoStart(t, second, "listeners[0]: "+path+": address already in use")
	expectConnack(t, dialListener(t, b, "unix", "local"), "two", 0)
	stop(t, b)

	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	expectNoStart(t, second, "is there, and is not a socket")
}

func expectNoStart(t *testing.T, cfg Config, want string) {
	t.Helper()
	b, err := Start(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err == nil {
		stop(t, b)
		t.Fatal("it starts")
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want …%s…", err, want)
	}
}

func TestAListenerHasLimitsOfItsOwn(t *testing.T) {
	cfg := testConfig(t)
	cfg.Listeners = []Listener{{
		Name: "small", Type: "tcp", Address: "127.0.0.1:0",
		Limits: ListenerLimits{Connections: 2, PacketBytes: 1024, ConnectTimeout: 100 * time.Millisecond},
	}}
	b := start(t, cfg)
	for _, id := range []string{"one", "two"} {
		c := dialListener(t, b, "tcp", "small")
		ack := expectConnack(t, c, id, 0)
		if !strings.Contains(string(ack), "\x27\x00\x00\x04\x00") {
			t.Errorf("CONNACK % x, want a Maximum Packet Size of 1024", ack)
		}
		defer func() {
			send(t, c, []byte{0x30, 0x80, 0x10})
			if bye := receive(t, c); bye[0] != 0xe0 || bye[2] != 0x95 {
				t.Errorf("% x, want DISCONNECT 0x95", bye)
			}
		}()
	}
	full := dialListener(t, b, "tcp", "small")
	expectConnack(t, full, "three", 0x89)
	expectEnd(t, full)
	expectEnd(t, dialListener(t, b, "tcp", "small")) // which says nothing
	connect(t, b, 5, "elsewhere")
}

func TestWhoFindsNoRoomIsToldOfAnotherServer(t *testing.T) {
	cfg := testConfig(t)
	cfg.Redirect = "broker2.example.com:1883"
	cfg.Limits.Connections = 1
	cfg.Listeners = []Listener{{Name: "small", Type: "tcp", Address: "127.0.0.1:0", Limits: ListenerLimits{Connections: 1}}}
	b := start(t, cfg)
	const reference = "\x1c\x00\x18broker2.example.com:1883"
	only := dialListener(t, b, "tcp", "small")
	expectConnack(t, only, "only", 0)
	for _, listener := range []string{"small", "mqtt"} { // its own limit, and that of the broker
		ack := expectConnack(t, dialListener(t, b, "tcp", listener), "late", 0x9c)
		if !strings.Contains(string(ack), reference) {
			t.Errorf("%s: CONNACK %q, want …%q…", listener, ack, reference)
		}
	}
	three := dial(t, b)
	send(t, three, connectPacket(t, 4, "three"))
	if ack := receive(t, three); ack[3] != 3 {
		t.Errorf("CONNACK % x of MQTT 3.1.1, want 3", ack)
	}
	stop(t, b)
	if bye := receive(t, only); bye[0] != 0xe0 || bye[2] != 0x9c || !strings.Contains(string(bye), reference) {
		t.Errorf("%q, want DISCONNECT 0x9C with %q", bye, reference)
	}
}

func TestTheSimpleListenersCanBeSwitchedOff(t *testing.T) {
	cfg := testConfig(t)
	cfg.MQTT, cfg.HTTP = "none", "none"
	cfg.Listeners = []Listener{{Name: "other", Type: "tcp", Address: "127.0.0.1:0"}}
	b := start(t, cfg)
	if b.MQTTAddr() != "none" || b.HTTPAddr() != "none" {
		t.Errorf("they listen on %s and %s", b.MQTTAddr(), b.HTTPAddr())
	}
	expectConnack(t, dialListener(t, b, "tcp", "other"), "one", 0)
}

func TestEveryFaultOfAListenerIsNamed(t *testing.T) {
	for _, tt := range []struct {
		name string
		l    Listener
		want []string
	}{
		{"nothing is said", Listener{}, []string{
			`listeners[0].name: "" is not allowed: must be a name that no other listener has`,
			`listeners[0].type: "" is not allowed: must be one of tcp, tls, ws, wss, unix`,
			`listeners[0].address: "" is not allowed: must be an address such as "127.0.0.1:1883"`,
		}},
		{"the name of a simple one", Listener{Name: "mqtt", Type: "tcp", Address: ":0"}, []string{
			`listeners[0].name: "mqtt" is not allowed: must be a name that no other listener has`,
		}},
		{"TLS without files", Listener{Name: "a", Type: "tls", Address: ":0", TLS: TLS{ClientAuth: "require"}}, []string{
			`listeners[0].tls.cert: "" is not allowed: must be the name of a file in PEM`,
			`listeners[0].tls.key: "" is not allowed: must be the name of a file in PEM`,
			`listeners[0].tls.client_ca: "" is not allowed: must be the name of a file in PEM: client_auth is require`,
		}},
		{"files without TLS", Listener{Name: "a", Type: "ws", Address: ":0", TLS: TLS{Key: "k"}}, []string{
			`listeners[0].tls.key: "k" is not allowed: must be absent unless type is tls or wss`,
		}},
		{"settings of a socket", Listener{Name: "a", Type: "tcp", Address: ":0", Permissions: "0660"}, []string{
			`listeners[0].permissions: "0660" is not allowed: must be absent unless type is unix`,
		}},
		{"a socket without any", Listener{Name: "a", Type: "unix", Permissions: "rw"}, []string{
			`listeners[0].address: "" is not allowed: must be the path of a socket`,
			`listeners[0].permissions: "rw" is not allowed: must be permissions in octal, such as "0660"`,
		}},
		{"proxies", Listener{Name: "a", Type: "tcp", Address: ":0", Proxies: []string{"10.0.0.0/8", "lb"}}, []string{
			`listeners[0].proxies[1]: "lb" is not allowed: must be an address, or a network such as "10.1.0.0/16"`,
			`listeners[0].proxies: [10.0.0.0/8 lb] is not allowed: must be absent: it needs proxy_protocol`,
		}},
		{"limits", Listener{
			Name: "a", Type: "tcp", Address: ":0",
			Limits: ListenerLimits{Connections: -1, PacketBytes: 3, ConnectTimeout: time.Nanosecond},
		}, []string{
			`listeners[0].limits.connections: -1 is not allowed: must be from 1 to 10000000`,
			`listeners[0].limits.packet_bytes: 3 is not allowed: must be from 1024 to 268435456`,
			`listeners[0].limits.connect_timeout: 1ns is not allowed: must be from 100ms to 1h0m0s`,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := DefaultConfig()
			c.Listeners = []Listener{tt.l}
			err := c.Validate()
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("Validate: %v, want …%s…", err, want)
				}
			}
		})
	}
	c := DefaultConfig()
	for redirect, ok := range map[string]bool{
		"other": true, "other:1883": true, "[::1]:1883 10.0.0.1": true, "a  b": false, "mqtt://other": false, "other:x": false,
	} {
		if c.Redirect = redirect; (c.Validate() == nil) != ok {
			t.Errorf("redirect %q: %v", redirect, c.Validate())
		}
	}
	c.MQTT, c.HTTP = none, none
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "there is no other listener") {
		t.Errorf("Validate: %v", err)
	}
}

func TestEveryListenerThatCannotBeOpenedIsNamed(t *testing.T) {
	ca := newAuthority(t)
	absent, mixed, empty := ca.secureListener("tls"), ca.secureListener("tls"), ca.secureListener("wss")
	absent.TLS.Cert, absent.Name = "absent.pem", "absent"
	mixed.TLS.Key, mixed.Name = ca.secureListener("tls").TLS.Key, "mixed"
	empty.TLS.ClientCA, empty.Name = empty.TLS.Key, "empty"
	cfg := testConfig(t)
	cfg.Listeners = []Listener{absent, mixed, empty, {Name: "deep", Type: "unix", Address: "/absent/dir/mqtt"}}
	_, err := Start(t.Context(), cfg, slog.New(slog.DiscardHandler))
	for _, want := range []string{
		`listeners[0].tls.cert: "absent.pem" cannot be used: open absent.pem: no such file or directory`,
		`cannot be used: tls: private key does not match public key`,
		`cannot be used: there is no certificate in it`,
		`listeners[3]: listen unix /absent/dir/mqtt: `,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Start: %v, want …%s…", err, want)
		}
	}
}
