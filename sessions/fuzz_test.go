package sessions_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/sessions"
)

// choices are bytes that decide what happens; when they are used up, the first
// of all possibilities does.
type choices struct{ bytes []byte }

func (c *choices) pick(n int) int {
	if len(c.bytes) == 0 {
		return 0
	}
	b := c.bytes[0]
	c.bytes = c.bytes[1:]
	return int(b) % n
}

func (c *choices) of(texts ...string) string { return texts[c.pick(len(texts))] }

// connect returns a CONNECT.
func (c *choices) connect(version byte) []byte {
	var properties, will []byte
	flags := byte(c.pick(2)) << 1
	if c.pick(2) > 0 {
		properties = slices.Concat(prop(0x11, 0, 0, 0, byte(c.pick(2))), prop(0x21, 0, byte(1+c.pick(5))), prop(0x22, 0, byte(c.pick(3))))
	}
	if c.pick(4) == 0 {
		flags |= byte(4 | c.pick(3)<<3 | c.pick(2)<<5)
		will = slices.Concat(section(version, prop(0x18, 0, 0, 0, byte(c.pick(2)))), text(c.topic()), text("bye"))
	}
	return connectPacket(version, flags, properties, text(c.of("a", "b", "c")), will)
}

func (c *choices) topic() string {
	return c.of("home/lamp", "home/door", "fleet/trucks/1", "fleet/trucks/2", "a", "$SYS/x", "fleet/trucks")
}

func (c *choices) topicFilter() string {
	return c.of("home/lamp", "home/+", "#", "+/trucks/#", fast, scope+"+", "$share/g/home/+", "$share/g/fleet/#", "a", "$SYS/#", "a/#/b")
}

func (c *choices) id() []byte { return []byte{0, byte(1 + c.pick(5))} }

func (c *choices) publish(version byte) []byte {
	qos := byte(c.pick(3))
	first := 0x30 | qos<<1 | byte(c.pick(2))
	var id, properties []byte
	if qos > 0 {
		first |= byte(c.pick(2)) << 3
		id = c.id()
	}
	topic := c.topic()
	switch c.pick(6) {
	case 0:
		properties = prop(0x23, 0, byte(1+c.pick(3)))
		topic = c.of(topic, "")
	case 1:
		properties = append(prop(0x02, 0, 0, 0, byte(c.pick(2))), userKV...)
	}
	payload := c.of(`{"speed":60}`, `{"speed":40}`, "", "on", strings.Repeat("x", 3000))
	return pack(first, text(topic), id, section(version, properties), []byte(payload))
}

// packet returns a packet that a client may send, most of the time.
func (c *choices) packet(version byte) []byte {
	switch c.pick(12) {
	case 0, 1, 2, 3:
		return c.publish(version)
	case 4, 5:
		return pack([]byte{0x40, 0x50, 0x62, 0x70}[c.pick(4)], c.id())
	case 6, 7:
		options := byte(c.pick(3))
		var properties []byte
		if version == 5 {
			options |= byte(c.pick(8)) << 2
			properties = c.subscriptionID()
		}
		return pack(0x82, c.id(), section(version, properties), text(c.topicFilter()), []byte{options})
	case 8:
		return pack(0xa2, c.id(), section(version), text(c.topicFilter()))
	case 9:
		return pingreq
	case 10:
		return pack(0xe0)
	}
	valid := validPackets(version)
	damaged := bytes.Clone(valid[c.pick(len(valid))])
	damaged[c.pick(len(damaged))] ^= 1 << c.pick(8)
	return damaged
}

func (c *choices) subscriptionID() []byte {
	if c.pick(2) == 0 {
		return nil
	}
	return prop(0x0b, byte(1+c.pick(9)))
}

// stream returns all that a client says, in pieces.
func (c *choices) stream(version byte) [][]byte {
	stream := c.connect(version)
	for range c.pick(24) {
		stream = append(stream, c.packet(version)...)
	}
	var pieces [][]byte
	for len(stream) > 0 && len(pieces) < 16 {
		n := min(len(stream), 1+c.pick(200))
		pieces, stream = append(pieces, stream[:n]), stream[n:]
	}
	return append(pieces, stream)
}

// A crowd is some clients that are connected at the same time.
type crowd struct {
	n       *node
	done    sync.WaitGroup
	talking sync.WaitGroup
	over    chan struct{} // those that do not stall have said everything
}

// join has a client say what it has to say. One that stalls reads CONNACK, and
// the rest when the others have said everything.
func (c *crowd) join(pieces [][]byte, stalls bool) {
	ours, theirs := net.Pipe()
	said := make(chan struct{})
	if !stalls {
		c.talking.Go(func() { <-said })
	}
	c.done.Go(func() { c.n.engine.Serve(theirs, sessions.Via{Name: "test"}) })
	c.done.Go(func() {
		for _, piece := range pieces {
			if _, err := ours.Write(piece); err != nil {
				break // the server has had enough
			}
		}
		close(said)
		<-c.over
		_ = ours.Close() // it may be closed
	})
	c.done.Go(func() {
		if stalls {
			_, _ = ours.Read(make([]byte, 4096)) // whatever it is
			<-c.over
		}
		_, _ = io.Copy(io.Discard, ours) // until it is closed
	})
}

// FuzzConnection holds that whatever clients say, several of them at once, nobody
// panics or waits for ever, and nothing is left when they are gone.
func FuzzConnection(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 6))
	for range 200 {
		b := make([]byte, 50+r.IntN(1000))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		goroutines := runtime.NumGoroutine()
		c := &choices{b}
		n := startWatched(t)
		for range 1 + c.pick(3) {
			clients := &crowd{n: n, over: make(chan struct{})}
			for range 1 + c.pick(4) {
				clients.join(c.stream([]byte{4, 5}[c.pick(2)]), c.pick(4) == 0)
			}
			within(t, "all is said", clients.talking.Wait)
			close(clients.over)
			within(t, "all are gone", clients.done.Wait)
		}
		for _, id := range []string{"a", "b", "c"} { // none of them has a session after this
			p := n.connect(4, id, nil)
			p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Disconnect}})
			p.expectEnd(0)
		}
		waitFor(t, "all sessions to go", n.engine.Empty)
		if rooms := n.hook.Rooms(); rooms > 0 {
			t.Errorf("%d rooms are left", rooms)
		}
		n.stop()
		waitFor(t, "all goroutines to end", func() bool { return runtime.NumGoroutine() <= goroutines })
	})
}

// within waits for something that must happen.
func within(t *testing.T, what string, wait func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); wait() }()
	select {
	case <-done:
	case <-time.After(deadline):
		stacks := make([]byte, 1<<20)
		t.Fatalf("it is still not so that %s\n%s", what, stacks[:runtime.Stack(stacks, true)])
	}
}
