// Package client speaks MQTT 5 to an Ambit node, over TCP or a WebSocket.
//
//	c, err := client.Dial(ctx, client.Options{Broker: "mqtt://127.0.0.1:1883"})
//	if err != nil {
//		return err
//	}
//	defer c.Close()
//	_, err = c.Subscribe(ctx, `fleet/trucks/?{"range":{"speed":{"gt":50}}}`, 1, func(m client.Message) {
//		fmt.Println(m.Property("transition"), m.Property("id"))
//	})
//	if err != nil {
//		return err // says what is wrong with the filter, and where
//	}
//	return c.Publish(ctx, client.Message{Topic: "fleet/trucks/42", Payload: []byte(`{"speed":60}`), QoS: 1})
//
// A Client is one connection. It does not connect again by itself: [Client.Done]
// says when it has ended, [Client.Err] why, and every message that was sent is
// then known to be acknowledged, refused, or lost.
//
// An [Ambit], which [Connect] makes, does connect again. It has the requests of
// API.md, rooms, presence, channels, and documents that are kept in sync:
//
//	fast := a.Collection("fleet", "trucks").Observe(client.Search{Query: filter}, 10, client.Observers{
//		OnChange: func(id string, changes map[string]any) { fmt.Println(id, changes) },
//	})
//	err := fast.Start(ctx)
package client

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"
	"github.com/eclipse/paho.golang/paho/session/state"
)

// Options say where and how to connect. The zero value connects to an Ambit
// on this machine.
type Options struct {
	// Broker is where the broker listens: "127.0.0.1:1883",
	// "mqtt://host:1883", "tcp://host:1883", "mqtts://host:8883",
	// "ws://host:8080/mqtt", "wss://host/mqtt" or "unix:///run/ambit.sock".
	// Defaults to "mqtt://127.0.0.1:1883".
	Broker string
	// TLS is for mqtts and wss. Defaults to what the system trusts.
	TLS *tls.Config
	// Username and Password are sent if there is one of them: a token or an API key
	// is a password without a user name.
	Username, Password string
	// PasswordFunc, unless it is nil, is asked for the password each time a connection
	// is made, instead of Password: tokens expire.
	PasswordFunc func(context.Context) (string, error)
	// ClientID names the session. Defaults to one that the broker makes up.
	// A second client of the same name takes the place of the first.
	ClientID string
	// InFlight is how many messages may wait for their acknowledgement before
	// Send blocks. The broker's Receive Maximum bounds it too. Defaults to 64.
	InFlight int
	// KeepAlive is the longest silence after which the connection is tested; it
	// is taken for dead when the broker stays silent as long again. Whole
	// seconds, defaults to 60 s.
	KeepAlive time.Duration
	// ReconnectWait is about how long an [Ambit] waits before it connects again. The wait
	// doubles with every try that fails, up to half a minute, and each is cut by a random
	// part: clients that have lost one broker do not all come at once. Defaults to 1 s.
	ReconnectWait time.Duration
}

// defaultInFlight is the window of Options.InFlight.
const defaultInFlight = 64

// receiveMaximum is how many messages of QoS 1 and 2 the broker may send ahead
// of the handlers. It bounds the client's memory.
const receiveMaximum = 1024

// packetTimeout is the longest wait for a CONNACK, SUBACK or UNSUBACK when the
// caller's context allows more.
const packetTimeout = 30 * time.Second

// A Client is one MQTT 5 connection. All methods may be called concurrently.
type Client struct {
	id      string
	paho    *paho.Client
	session *state.State
	conn    *conn

	send   sync.Mutex    // held while a message takes its place and is written, so that both orders agree
	window chan struct{} // one token for each message that is not acknowledged
	queue  chan pending  // those messages, in the order in which they were sent

	mu       sync.Mutex // guards handlers and err
	handlers []*subscription
	err      error

	done      chan struct{} // closed when the connection has ended and err is set
	collected chan struct{} // closed when every pending message was reported
}

// Dial connects and waits for the broker's answer, at most 30 s. If the broker
// does not let the client in, the error is a [*RefusedError].
func Dial(ctx context.Context, o Options) (*Client, error) {
	if o.InFlight <= 0 {
		o.InFlight = defaultInFlight
	}
	if o.KeepAlive <= 0 {
		o.KeepAlive = time.Minute
	}
	if err := o.askPassword(ctx); err != nil {
		return nil, err
	}
	conn, err := dial(ctx, o.Broker, o.TLS)
	if err != nil {
		return nil, err
	}
	c := &Client{
		id:        o.ClientID,
		conn:      conn,
		session:   state.NewInMemory(),
		done:      make(chan struct{}),
		collected: make(chan struct{}),
	}
	c.paho = paho.NewClient(paho.ClientConfig{
		Conn:               conn,
		Session:            c.session,
		PacketTimeout:      packetTimeout,
		OnPublishReceived:  []func(paho.PublishReceived) (bool, error){c.deliver},
		OnServerDisconnect: func(d *paho.Disconnect) { c.end(disconnectError(d)) },
		OnClientError:      func(err error) { c.end(fmt.Errorf("%w: %w", ErrConnectionLost, err)) },
	})
	ack, err := c.paho.Connect(ctx, &paho.Connect{
		ClientID:     o.ClientID,
		Username:     o.Username,
		UsernameFlag: o.Username != "",
		Password:     []byte(o.Password),
		PasswordFlag: o.Username != "" || o.Password != "",
		CleanStart:   true,
		KeepAlive:    uint16(min(max(o.KeepAlive/time.Second, 1), 65535)),
		Properties:   &paho.ConnectProperties{ReceiveMaximum: paho.Uint16(receiveMaximum), RequestProblemInfo: true},
	})
	if err != nil {
		_ = conn.Close() // paho leaves it open on some of its errors
		return nil, connectError(ack, err)
	}
	c.begin(ack, o)
	return c, nil
}

// begin takes what the broker says when it lets the client in.
func (c *Client) begin(ack *paho.Connack, o Options) {
	inFlight := o.InFlight
	if p := ack.Properties; p != nil {
		if p.ReceiveMaximum != nil {
			inFlight = min(inFlight, int(*p.ReceiveMaximum))
		}
		c.id = cmp.Or(p.AssignedClientID, c.id)
	}
	c.window = make(chan struct{}, inFlight)
	c.queue = make(chan pending, inFlight)
	go c.collect()
}

// ClientID is the identifier by which the broker knows this client.
func (c *Client) ClientID() string { return c.id }

// askPassword puts the password that counts now in the place of the function that knows it.
func (o *Options) askPassword(ctx context.Context) (err error) {
	if o.PasswordFunc == nil {
		return nil
	}
	if o.Password, err = o.PasswordFunc(ctx); err != nil {
		return fmt.Errorf("client: the password: %w", err)
	}
	o.PasswordFunc = nil
	return nil
}

// Done is closed when the connection has ended, by Close or otherwise, and no
// acknowledgement can come any more.
func (c *Client) Done() <-chan struct{} { return c.done }

// Err says why the connection ended: [ErrClosed] after Close, an error that
// wraps [ErrConnectionLost] otherwise, and nil while it lasts.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Close disconnects at once, and returns when all handlers and callbacks have
// returned. Messages that are not acknowledged by then are reported lost: call
// [Client.Flush] first to wait for them. It must not be called from a handler
// or a callback.
func (c *Client) Close() {
	c.mu.Lock()
	if c.err == nil {
		c.err = ErrClosed
	}
	c.mu.Unlock()
	// A broker that does not read must not hold up the end of the client.
	_ = c.conn.SetWriteDeadline(time.Now().Add(time.Second))
	_ = c.paho.Disconnect(&paho.Disconnect{ReasonCode: packets.DisconnectNormalDisconnection}) // it is closed either way
	c.end(ErrClosed)
	<-c.collected
}

// end notes why the connection ended. Paho's workers have stopped by now: what
// has not been acknowledged will not be.
func (c *Client) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
	}
	select {
	case <-c.done:
	default:
		close(c.done)
	}
}

func connectError(ack *paho.Connack, err error) error {
	if ack == nil || ack.ReasonCode < 0x80 {
		return fmt.Errorf("client: connect: %w", err)
	}
	refused := &RefusedError{Packet: "CONNECT", Code: ack.ReasonCode}
	if ack.Properties != nil {
		refused.Reason = ack.Properties.ReasonString
	}
	return refused
}

func disconnectError(d *paho.Disconnect) error {
	reason := ""
	if d.Properties != nil {
		reason = d.Properties.ReasonString
	}
	err := ErrConnectionLost
	if d.ReasonCode == packets.DisconnectMaximumConnectTime {
		err = ErrExpired
	}
	return fmt.Errorf("%w: the broker ended it with %s", err, explain(d.ReasonCode, reason))
}

// ErrClosed is the error of a client after its Close, and ErrConnectionLost
// that of one whose connection ended in another way. ErrExpired is one of these: the
// token, key or certificate that it came with has expired.
var (
	ErrClosed         = errors.New("client: closed")
	ErrConnectionLost = errors.New("client: connection lost")
	ErrExpired        = fmt.Errorf("%w: the token, key or certificate has expired", ErrConnectionLost)
)
