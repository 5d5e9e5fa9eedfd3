package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/eclipse/paho.golang/packets"
)

func TestAcknowledgementsAreReportedInTheOrderOfTheMessages(t *testing.T) {
	c, p := connected(t, Options{InFlight: 10}, 100)
	type report struct {
		topic string
		err   error
	}
	reports := make(chan report, 3)
	var sent []*packets.Publish
	for _, topic := range []string{"t/1", "t/2", "t/3"} {
		err := c.Send(t.Context(), Message{Topic: topic, QoS: 1}, func(err error) { reports <- report{topic, err} })
		if err != nil {
			t.Fatal(err)
		}
		sent = append(sent, p.publish())
	}
	p.write(&packets.Puback{PacketID: sent[2].PacketID, Properties: &packets.Properties{}})
	p.write(&packets.Puback{PacketID: sent[1].PacketID, ReasonCode: 0x97, Properties: &packets.Properties{ReasonString: "the disk is full"}})
	p.write(&packets.Puback{PacketID: sent[0].PacketID, ReasonCode: 0x10, Properties: &packets.Properties{}})
	for i, want := range []string{"t/1", "t/2", "t/3"} {
		got := receive(t, reports)
		if got.topic != want || sent[i].Topic != want {
			t.Errorf("report %d is about %s, and the message about %s, want %s", i, got.topic, sent[i].Topic, want)
		}
		refused := (*RefusedError)(nil)
		if isRefused := errors.As(got.err, &refused); isRefused != (want == "t/2") {
			t.Errorf("%s: %v", want, got.err)
		}
		if refused != nil && (refused.Code != 0x97 || refused.Reason != "the disk is full") {
			t.Errorf("refused with %+v", refused)
		}
	}
}

func TestSendWaitsWhenTheWindowIsFull(t *testing.T) {
	for _, tt := range []struct {
		name           string
		inFlight       int
		receiveMaximum uint16
	}{
		{"the client's own window", 2, 100},
		{"the broker's receive maximum", 100, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, p := connected(t, Options{InFlight: tt.inFlight}, tt.receiveMaximum)
			send := func(ctx context.Context) error {
				return c.Send(ctx, Message{Topic: "t", QoS: 1}, func(error) {})
			}
			for range 2 {
				if err := send(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			if err := send(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a third message: %v, want a wait until the deadline", err)
			}
			p.write(&packets.Puback{PacketID: p.publish().PacketID, Properties: &packets.Properties{}})
			if err := send(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestMessagesThatAreNotAcknowledgedAreReportedLost(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(*Client, *peer)
		want error
	}{
		{"when the broker goes away", func(_ *Client, p *peer) { _ = p.Close() }, ErrConnectionLost},
		{"when the broker says so", func(_ *Client, p *peer) {
			p.write(&packets.Disconnect{ReasonCode: 0x8B, Properties: &packets.Properties{}})
		}, ErrConnectionLost},
		{"when the client closes", func(c *Client, _ *peer) { c.Close() }, ErrClosed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, p := connected(t, Options{}, 100)
			reports := make(chan error, 2)
			for range 2 {
				if err := c.Send(t.Context(), Message{Topic: "t", QoS: 1}, func(err error) { reports <- err }); err != nil {
					t.Fatal(err)
				}
			}
			p.write(&packets.Puback{PacketID: p.publish().PacketID, Properties: &packets.Properties{}})
			if err := receive(t, reports); err != nil {
				t.Errorf("the acknowledged one: %v", err)
			}
			tt.end(c, p)
			if err := receive(t, reports); !errors.Is(err, tt.want) {
				t.Errorf("the other one: %v, want %v", err, tt.want)
			}
			receive(t, c.Done())
			if !errors.Is(c.Err(), tt.want) {
				t.Errorf("Err: %v, want %v", c.Err(), tt.want)
			}
			for what, err := range map[string]error{
				"Send":    c.Send(t.Context(), Message{Topic: "t"}, func(error) {}),
				"Publish": c.Publish(t.Context(), Message{Topic: "t", QoS: 1}),
				"Flush":   c.Flush(t.Context()),
			} {
				if !errors.Is(err, tt.want) {
					t.Errorf("%s afterwards: %v, want %v", what, err, tt.want)
				}
			}
		})
	}
}

func TestFlushWaitsForTheReports(t *testing.T) {
	c, p := connected(t, Options{InFlight: 4}, 100)
	var reported []byte
	for _, qos := range []byte{1, 0, 2} {
		err := c.Send(t.Context(), Message{Topic: "t", QoS: qos}, func(err error) {
			if err == nil {
				reported = append(reported, qos)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	go func() {
		first := p.publish()
		p.publish()
		third := p.publish()
		p.write(&packets.Pubrec{PacketID: third.PacketID, Properties: &packets.Properties{}})
		p.read() // PUBREL
		p.write(&packets.Pubcomp{PacketID: third.PacketID, Properties: &packets.Properties{}})
		p.write(&packets.Puback{PacketID: first.PacketID, Properties: &packets.Properties{}})
	}()
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := []byte{1, 0, 2}; !slices.Equal(reported, want) {
		t.Errorf("reported %v, want %v", reported, want)
	}
}

func TestAConnectThatIsRefusedSaysWhy(t *testing.T) {
	_, _, err := dialPeer(t, Options{}, &packets.Connack{ReasonCode: 0x87, Properties: &packets.Properties{ReasonString: "only from this machine"}})
	want := "CONNECT refused with reason code 0x87 (not authorized): only from this machine"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// greet answers a CONNECT, and says who it is from.
func greet(t *testing.T, conn net.Conn, connects chan<- *packets.Connect) {
	t.Helper()
	p := &peer{t, conn}
	if connect, ok := p.read().(*packets.Connect); ok {
		connects <- connect
		p.write(&packets.Connack{Properties: &packets.Properties{}})
	}
	p.read()
}

func TestDialSpeaksOverAWebSocketAndTLS(t *testing.T) {
	connects := make(chan *packets.Connect, 1)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"mqtt"}})
		if err != nil {
			return // Accept has answered
		}
		defer func() { _ = ws.CloseNow() }()
		greet(t, websocket.NetConn(r.Context(), ws, websocket.MessageBinary), connects)
	})
	plain, secure := httptest.NewServer(handler), httptest.NewTLSServer(handler)
	defer plain.Close()
	defer secure.Close()
	bare, err := tls.Listen("tcp", "127.0.0.1:0", secure.TLS)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = bare.Close() }()
	go func() {
		if conn, err := bare.Accept(); err == nil {
			defer func() { _ = conn.Close() }()
			greet(t, conn, connects)
		}
	}()
	trust := x509.NewCertPool()
	trust.AddCert(secure.Certificate())
	for _, broker := range []string{
		"ws" + strings.TrimPrefix(plain.URL, "http") + "/mqtt",
		"wss" + strings.TrimPrefix(secure.URL, "https") + "/mqtt",
		"mqtts://" + bare.Addr().String(),
	} {
		c, err := Dial(t.Context(), Options{
			Broker: broker, TLS: &tls.Config{RootCAs: trust, MinVersion: tls.VersionTLS12},
			ClientID: "dev", Username: "anna", Password: "pencil",
		})
		if err != nil {
			t.Fatalf("%s: %v", broker, err)
		}
		if pk := receive(t, connects); pk.ClientID != "dev" || pk.Username != "anna" || string(pk.Password) != "pencil" {
			t.Errorf("%s: CONNECT %s", broker, pk)
		}
		c.Close()
	}
}

func TestParseBroker(t *testing.T) {
	for _, tt := range []struct{ name, broker, network, address string }{
		{"nothing means this machine", "", "tcp", "127.0.0.1:1883"},
		{"host and port", "broker:1884", "tcp", "broker:1884"},
		{"a host alone has the usual port", "broker", "tcp", "broker:1883"},
		{"mqtt", "mqtt://broker", "tcp", "broker:1883"},
		{"tcp", "tcp://[::1]:1884", "tcp", "[::1]:1884"},
		{"TLS has a port of its own", "mqtts://broker", "tls", "broker:8883"},
		{"a socket", "unix:///run/ambit.sock", "unix", "/run/ambit.sock"},
		{"a socket without a path", "unix://", "", ""},
		{"a secure WebSocket", "wss://broker/mqtt", "ws", "wss://broker/mqtt"},
		{"a WebSocket keeps its path", "ws://broker:8080/mqtt", "ws", "ws://broker:8080/mqtt"},
		{"other schemes are refused", "http://broker", "", ""},
		{"there must be a host", "mqtt://:1883", "", ""},
		{"it must be a URL", "mqtt://a b", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			network, address, err := parseBroker(tt.broker)
			if network != tt.network || address != tt.address || (err != nil) != (tt.network == "") {
				t.Errorf("%q, %q, %v, want %q, %q", network, address, err, tt.network, tt.address)
			}
		})
	}
}
