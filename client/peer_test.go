package client

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// patience is how long a test waits for what must come.
const patience = 10 * time.Second

// A peer is the broker's end of a connection: the test is the broker.
type peer struct {
	t *testing.T
	net.Conn
}

// dialPeer connects a client to a peer, which answers the CONNECT with ack.
func dialPeer(t *testing.T, o Options, ack *packets.Connack) (*Client, *peer, error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	o.Broker = l.Addr().String()
	accepted := make(chan *peer, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			close(accepted)
			return
		}
		p := &peer{t, c}
		if _, ok := p.read().(*packets.Connect); ok {
			p.write(ack)
		}
		accepted <- p
	}()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := Dial(ctx, o)
	p := <-accepted
	t.Cleanup(func() { _ = p.Close() })
	if c != nil {
		t.Cleanup(c.Close)
	}
	return c, p, err
}

// connected returns a client that is connected to a peer.
func connected(t *testing.T, o Options, receiveMaximum uint16) (*Client, *peer) {
	t.Helper()
	c, p, err := dialPeer(t, o, &packets.Connack{Properties: &packets.Properties{ReceiveMaximum: &receiveMaximum}})
	if err != nil {
		t.Fatal(err)
	}
	return c, p
}

// read returns the next packet other than a PINGREQ, or nil at the end.
func (p *peer) read() packets.Packet {
	_ = p.SetReadDeadline(time.Now().Add(patience)) // it is a TCP connection
	for {
		cp, err := packets.ReadPacket(p.Conn)
		if err != nil {
			return nil
		}
		if _, ping := cp.Content.(*packets.Pingreq); !ping {
			return cp.Content
		}
		p.write(&packets.Pingresp{})
	}
}

// publish returns the next packet, which must be a PUBLISH.
func (p *peer) publish() *packets.Publish {
	p.t.Helper()
	pb, ok := p.read().(*packets.Publish)
	if !ok {
		p.t.Fatal("the next packet is no PUBLISH")
	}
	return pb
}

// subscribe returns the next packet, which must be a SUBSCRIBE.
func (p *peer) subscribe() *packets.Subscribe {
	p.t.Helper()
	sub, ok := p.read().(*packets.Subscribe)
	if !ok {
		p.t.Fatal("the next packet is no SUBSCRIBE")
	}
	return sub
}

func (p *peer) write(packet packets.Packet) {
	if _, err := packet.WriteTo(p.Conn); err != nil {
		p.t.Errorf("peer: %v", err)
	}
}

// receive returns what comes from a channel.
func receive[T any](t *testing.T, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("nothing came in %v", patience)
		panic("not reached")
	}
}
