package sessions_test

import (
	"bytes"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/sessions"
)

// A reluctant connection has its test know when it is closed, or when a write is
// given its time, and waits for the test.
type reluctant struct {
	net.Conn
	closing, timing func()
}

func (c *reluctant) Close() error {
	c.closing()
	return c.Conn.Close()
}

func (c *reluctant) SetWriteDeadline(t time.Time) error {
	if !t.IsZero() {
		c.timing()
	}
	return c.Conn.SetWriteDeadline(t)
}

// dialReluctant is dial over such a connection.
func (n *node) dialReluctant(version byte, closing, timing func()) *peer {
	n.t.Helper()
	ours, theirs := net.Pipe()
	n.serve(&reluctant{theirs, closing, timing})
	n.t.Cleanup(func() { _ = ours.Close() })
	return &peer{t: n.t, conn: ours, version: version}
}

// Closing a connection may write: TLS says good-bye.
func TestNobodyWaitsForAConnectionToClose(t *testing.T) {
	n := startNode(t, nil)
	closing, release := make(chan struct{}, 1), make(chan struct{})
	t.Cleanup(func() { close(release) }) // before the node stops
	p := n.dialReluctant(5, func() { closing <- struct{}{}; <-release }, func() {})
	p.connect("dash", keepSession)
	p.subscribe(1, "home/lamp")
	p.raw([]byte{0, 0}) // there is no such packet
	p.expect(packets.Disconnect)
	<-closing
	n.connect(4, "dev", nil).put("home/lamp", "on")
}

// A connection that is ended has half a second for what is being written, even
// if that was to begin just then.
func TestAConnectionThatStallsEndsSoon(t *testing.T) {
	n := startNode(t, func(o *options) { o.WriteTimeout = time.Hour })
	connected := make(chan struct{})
	drained := make(chan struct{})
	drain := sync.OnceFunc(func() {
		n.engine.Drain(&sessions.Error{Code: 0x8b, Text: "stop"})
		close(drained)
	})
	p := n.dialReluctant(5, func() {}, func() {
		select {
		case <-connected:
			go drain()
			select {
			case <-drained:
			case <-time.After(100 * time.Millisecond): // it waits in turn
			}
		default:
		}
	})
	p.connect("dash", nil)
	p.subscribe(0, "home/lamp")
	dev := n.connect(4, "dev", nil)
	close(connected)
	dev.publish("home/lamp", "on", 0)
	ended := make(chan struct{})
	go func() { n.serving.Wait(); close(ended) }()
	go func() { _, _ = dev.read() }()
	select {
	case <-ended:
	case <-time.After(deadline):
		t.Error("the connection has not ended")
		_ = p.conn.Close() // so that the node can stop
	}
}

// A connection that has not said CONNECT is ended by its own reader, however
// long that takes.
func TestTheBrokerDrainsWhileConnectionsClose(t *testing.T) {
	n := startNode(t, nil)
	closing, release := make(chan struct{}, 1), make(chan struct{})
	t.Cleanup(func() { close(release) }) // before the node stops
	n.dialReluctant(5, func() { closing <- struct{}{}; <-release }, func() {}).raw([]byte{0x10})
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		n.engine.Drain(&sessions.Error{Code: 0x8b, Text: "stop"})
	}()
	<-closing
	select {
	case <-drained:
	case <-time.After(deadline):
		t.Error("the broker waits for a connection that closes")
	}
}

// Connections that come while the broker drains are refused, or told to go.
func TestNobodyIsForgottenWhenTheBrokerDrains(t *testing.T) {
	for range 20 {
		n := startNode(t, nil)
		var clients sync.WaitGroup
		for i := range 20 {
			p := n.dial(5)
			clients.Go(func() {
				go p.sendConnect(fmt.Sprint("dev", i%5), keepSession)
				for {
					if _, err := p.read(); err != nil {
						return
					}
				}
			})
			if i == 10 {
				n.serving.Go(func() { n.engine.Drain(&sessions.Error{Code: 0x8b, Text: "stop"}) })
			}
		}
		within(t, "all connections have ended", n.serving.Wait)
		clients.Wait()
		if left := n.engine.Connected(); left > 0 {
			t.Fatalf("%d clients are left", left)
		}
	}
}

// What waits for a client that sends and does not read is bounded.
func TestAClientThatNeverReadsIsNotReadEither(t *testing.T) {
	n := startNode(t, func(o *options) { o.WriteTimeout = time.Second })
	p := n.connectSocket(5, "dev", nil)
	n.connect(4, "dash", nil).ping()
	pings := bytes.Repeat(pingreq, 16<<10)
	for {
		if _, err := p.conn.Write(pings); err != nil {
			break
		}
		if s, ok := n.engine.Session("dev"); ok && s.Unread() > 1<<20 {
			t.Fatalf("%d bytes wait for a client that does not read", s.Unread())
		}
	}
	waitFor(t, "the client to be gone", func() bool { _, ok := n.engine.Session("dev"); return !ok })
	n.connect(4, "dash", nil).ping()
}
