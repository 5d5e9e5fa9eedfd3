package sdk

import (
	"encoding/json"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// A fake is a broker that does what the test says, when it says so: for what a real one
// does only now and then. It speaks MQTT 5 to one client at a time.
type fake struct {
	t        *testing.T
	listener net.Listener
	requests chan request
	others   chan packets.Packet // what else came but CONNECT and PINGREQ
	connects chan time.Time      // when each CONNECT came
	drops    atomic.Bool         // whether connections end at once

	mu   sync.Mutex // guards conn, and what is written to it
	conn net.Conn
}

// A request is one that the client made.
type request struct {
	RequestID, Controller, Action, Cursor string
}

func startFake(t *testing.T) *fake {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{t: t, listener: l, requests: make(chan request, 100), others: make(chan packets.Packet, 100), connects: make(chan time.Time, 100)}
	var done sync.WaitGroup
	done.Go(f.serve)
	t.Cleanup(func() {
		_ = l.Close() // ends serve
		f.hangUp()
		done.Wait()
	})
	return f
}

func (f *fake) url() string { return "mqtt://" + f.listener.Addr().String() }

func (f *fake) serve() {
	for {
		conn, err := f.listener.Accept()
		if err != nil {
			return
		}
		f.mu.Lock()
		f.conn = conn
		f.mu.Unlock()
		for {
			p, err := packets.ReadPacket(conn)
			if err != nil {
				break
			}
			f.read(p.Content)
		}
		_ = conn.Close() // that it ends is all
	}
}

func (f *fake) read(p packets.Packet) {
	switch p := p.(type) {
	case *packets.Connect:
		f.connects <- time.Now()
		f.write(&packets.Connack{Properties: &packets.Properties{}})
		if f.drops.Load() {
			f.hangUp()
		}
	case *packets.Pingreq:
		f.write(&packets.Pingresp{})
	case *packets.Publish:
		var r request
		if p.Topic == "$ambit/request" && json.Unmarshal(p.Payload, &r) == nil {
			f.requests <- r
			return
		}
		f.others <- p
	default:
		f.others <- p
	}
}

func (f *fake) write(p packets.Packet) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, _ = p.WriteTo(f.conn) // the client misses it, if it fails
}

// hangUp ends the connection.
func (f *fake) hangUp() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.conn != nil {
		_ = f.conn.Close() // that it ends is all
	}
}

// publish sends a value as JSON, at QoS 0.
func (f *fake) publish(topic string, v any) {
	f.t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		f.t.Fatal(err)
	}
	f.write(&packets.Publish{Topic: topic, Payload: text, Properties: &packets.Properties{}})
}

// asked returns the next request.
func (f *fake) asked() request {
	f.t.Helper()
	return receive(f.t, f.requests)
}

func (f *fake) answer(r request, result any) {
	f.t.Helper()
	f.publish("$ambit/response", map[string]any{"requestId": r.RequestID, "result": result})
}

// next returns the next packet that is no request, which must be one of a kind.
func next[P packets.Packet](f *fake) P {
	f.t.Helper()
	p, ok := receive(f.t, f.others).(P)
	if !ok {
		f.t.Fatalf("the next packet is no %T", p)
	}
	return p
}

// grant answers the next packet, a SUBSCRIBE, and returns its topic filter.
func (f *fake) grant() string {
	f.t.Helper()
	sub := next[*packets.Subscribe](f)
	f.write(&packets.Suback{PacketID: sub.PacketID, Reasons: []byte{1}, Properties: &packets.Properties{}})
	return sub.Subscriptions[0].Topic
}

// receive returns what comes from a channel.
func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("nothing came in %v", patience)
		panic("not reached")
	}
}
