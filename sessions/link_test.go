package sessions_test

import (
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
