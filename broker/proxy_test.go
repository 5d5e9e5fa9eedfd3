package broker

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/coder/websocket"
	"github.com/pires/go-proxyproto"
)

// header returns what a proxy says of a client, in version 2.
func header(t *testing.T, command proxyproto.ProtocolVersionAndCommand, family proxyproto.AddressFamilyAndProtocol, from net.Addr) string {
	t.Helper()
	h := &proxyproto.Header{Version: 2, Command: command, TransportProtocol: family, SourceAddr: from, DestinationAddr: from}
	b, err := h.Format()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAClientBehindAProxyHasTheAddressThatTheProxySays(t *testing.T) {
	far4, far6 := &net.TCPAddr{IP: net.IPv4(203, 0, 113, 9), Port: 5}, &net.TCPAddr{IP: net.ParseIP("2001:db8::1"), Port: 5}
	near := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 5}
	const refused, ends = 0x87, 0xff
	cfg := testConfig(t)
	cfg.Listeners = []Listener{
		{Name: "proxied", Type: "tcp", Address: "127.0.0.1:0", ProxyProtocol: true, Proxies: []string{"192.0.2.1", "127.0.0.0/8"}},
		{Name: "socket", Type: "unix", Address: filepath.Join(t.TempDir(), "s"), ProxyProtocol: true},
	}
	b := start(t, cfg)
	for _, tt := range []struct {
		name, header string
		want         byte // of CONNACK, as long as anonymous clients may come from this machine only
	}{
		{"version 1, this machine", "PROXY TCP4 127.0.0.1 127.0.0.1 5 1883\r\n", 0},
		{"version 1, another machine", "PROXY TCP4 203.0.113.9 127.0.0.1 5 1883\r\n", refused},
		{"version 1, IPv6", "PROXY TCP6 2001:db8::1 ::1 5 1883\r\n", refused},
		{"version 1, unknown", "PROXY UNKNOWN\r\n", refused},
		{"version 2, this machine", header(t, proxyproto.PROXY, proxyproto.TCPv4, near), 0},
		{"version 2, another machine", header(t, proxyproto.PROXY, proxyproto.TCPv4, far4), refused},
		{"version 2, IPv6", header(t, proxyproto.PROXY, proxyproto.TCPv6, far6), refused},
		{"version 2, somebody's Unix socket", header(t, proxyproto.PROXY, proxyproto.UnixStream, &net.UnixAddr{Name: "/x", Net: "unix"}), refused},
		{"version 2, the proxy itself", header(t, proxyproto.LOCAL, proxyproto.UNSPEC, nil), 0},
		{"no header", "", ends},
		{"half a header", "PROXY TCP4 127.0.0.1\r\n", ends},
		{"an address that is none", "PROXY TCP4 127.0.0.256 127.0.0.1 5 1883\r\n", ends},
	} {
		for listener, network := range map[string]string{"proxied": "tcp", "socket": "unix"} {
			t.Run(tt.name+" at "+listener, func(t *testing.T) {
				c := dialListener(t, b, network, listener)
				send(t, c, []byte(tt.header+string(connectPacket(t, 5, "client"))))
				if tt.want == ends {
					expectEnd(t, c)
					return
				}
				if ack := receive(t, c); ack[0] != 0x20 || ack[3] != tt.want {
					t.Fatalf("CONNACK % x, want reason code 0x%02X", ack, tt.want)
				}
				if tt.want == 0 {
					send(t, c, []byte{0xc0, 0})
					receive(t, c) // PINGRESP, which is written past what has read the header
				}
			})
		}
	}
}

func TestThisMachineIsOnlyWhatAProxyOnItSays(t *testing.T) {
	tcp := func(ip string) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: 5} }
	for _, tt := range []struct {
		proxy, named net.Addr
		want         string
	}{
		{tcp("127.0.0.1"), tcp("127.0.0.2"), "127.0.0.2:5"}, {&net.UnixAddr{Name: "s"}, tcp("::1"), "[::1]:5"},
		{tcp("10.0.0.2"), tcp("203.0.113.9"), "203.0.113.9:5"}, {tcp("10.0.0.2"), tcp("127.0.0.1"), "unknown"}, {tcp("10.0.0.2"), tcp("::ffff:127.0.0.1"), "unknown"},
		{tcp("10.0.0.2"), &net.UnixAddr{Name: "x"}, "unknown"},
	} {
		if got := clientOf(tt.proxy, tt.named).String(); got != tt.want {
			t.Errorf("%s of %s is %s, want %s", tt.named, tt.proxy, got, tt.want)
		}
	}
}

func TestAProxyThatIsNotTrustedIsRefused(t *testing.T) {
	cfg := testConfig(t)
	cfg.Listeners = []Listener{{Name: "proxied", Type: "tcp", Address: "127.0.0.1:0", ProxyProtocol: true, Proxies: []string{"10.0.0.0/8"}}}
	b := start(t, cfg)
	expectEnd(t, dialListener(t, b, "tcp", "proxied"))
}

func TestAHeaderThatDoesNotComeIsNotWaitedFor(t *testing.T) {
	for _, kind := range []string{"tcp", "ws"} {
		t.Run(kind, func(t *testing.T) {
			cfg := testConfig(t)
			hasty := Listener{Name: "hasty", Type: kind, Address: "127.0.0.1:0", ProxyProtocol: true}
			hasty.Limits.ConnectTimeout = minTimeout
			patient := Listener{Name: "patient", Type: kind, Address: "127.0.0.1:0", ProxyProtocol: true}
			patient.Limits.ConnectTimeout = maxTimeout
			cfg.Listeners = []Listener{hasty, patient}
			b := start(t, cfg)
			early := dialListener(t, b, "tcp", "hasty")
			send(t, early, []byte("PROXY T"))
			expectEnd(t, early)
			c := dialListener(t, b, "tcp", "patient")
			send(t, c, []byte("PROXY T"))
			stop(t, b)
			expectEnd(t, c)
		})
	}
}

func TestAProxyComesBeforeTLSAndWebSocket(t *testing.T) {
	ca := newAuthority(t)
	overTLS, overWSS := ca.secureListener("tls"), ca.secureListener("wss")
	overTLS.Name, overTLS.ProxyProtocol = "tls", true
	overWSS.Name, overWSS.ProxyProtocol = "wss", true
	cfg := testConfig(t)
	cfg.Listeners = []Listener{overTLS, overWSS}
	b := start(t, cfg)
	client := &tls.Config{RootCAs: ca.pool(), ServerName: "127.0.0.1"}
	for from, want := range map[string]byte{"127.0.0.1": 0, "203.0.113.9": 0x87} {
		line := []byte("PROXY TCP4 " + from + " 127.0.0.1 5 1883\r\n")
		t.Run("tls from "+from, func(t *testing.T) {
			c := dialListener(t, b, "tcp", "tls")
			send(t, c, line)
			expectConnack(t, tls.Client(c, client), "client", want)
		})
		t.Run("wss from "+from, func(t *testing.T) {
			c := dialListener(t, b, "tcp", "wss")
			send(t, c, line)
			secure := tls.Client(c, client)
			transport := &http.Transport{DialTLSContext: dialed(secure)}
			defer transport.CloseIdleConnections()
			o := &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}, Subprotocols: []string{"mqtt"}}
			ws, _, err := websocket.Dial(t.Context(), "wss://broker/mqtt", o) //nolint:bodyclose // of an upgrade there is none
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = ws.CloseNow() }()
			expectConnack(t, websocket.NetConn(t.Context(), ws, websocket.MessageBinary), "client", want)
		})
	}
}

// dialed returns a connection that is there already.
func dialed(c net.Conn) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) { return c, nil }
}
