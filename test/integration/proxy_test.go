package integration

import (
	"bufio"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// A proxy stands between a broker and clients that run as programs of their
// own, and says when one of them has been granted a subscription.
type proxy struct {
	address string
	subacks chan struct{} // one for each SUBACK
	running sync.WaitGroup
}

// startProxy listens until the test ends.
func startProxy(t *testing.T, b *broker) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{address: listener.Addr().String(), subacks: make(chan struct{}, 100)}
	p.running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return // closed, below
			}
			p.running.Go(func() { p.serve(client, b) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		b.kill() // ends every connection
		p.running.Wait()
	})
	return p
}

func (p *proxy) awaitSuback(t *testing.T) {
	t.Helper()
	select {
	case <-p.subacks:
	case <-time.After(patience):
		t.Fatal("nobody subscribes")
	}
}

func (p *proxy) serve(client net.Conn, b *broker) {
	defer client.Close()
	upstream, err := net.Dial("tcp", b.mqtt)
	if err != nil {
		return // the client sees its connection closed
	}
	p.running.Go(func() {
		defer upstream.Close()
		_, _ = io.Copy(upstream, client) // ends with either of them
	})
	// Whatever is read to be looked at is passed on first.
	in := bufio.NewReader(io.TeeReader(upstream, client))
	for {
		packet, err := readPacket(in)
		if err != nil {
			return
		}
		if packet.kind == typeSuback {
			p.subacks <- struct{}{}
		}
	}
}
