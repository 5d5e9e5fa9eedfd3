package client

import (
	"net"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

func TestTheWaitForTheNextTryDoublesUpToABound(t *testing.T) {
	for _, tt := range []struct {
		name        string
		first, last time.Duration
	}{
		{"as by default", time.Second, maxReconnectWait},
		{"short", time.Millisecond, maxReconnectWait},
		{"longer than the bound", time.Hour, time.Hour},
		{"as long as there is", 1 << 62, 1 << 62},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, longest := &backoff{first: tt.first}, tt.first
			for try := range 40 {
				if wait := b.next(); wait < longest/2 || wait > longest {
					t.Fatalf("try %d waits for %v, want %v at most, and a half of that at least", try, wait, longest)
				}
				if longest < tt.last {
					longest = min(2*longest, tt.last)
				}
			}
			if longest != tt.last {
				t.Errorf("it ends at %v", longest)
			}
		})
	}
	b := &backoff{first: time.Second}
	b.next()
	b.next()
	b.lasted(5 * time.Second)
	if wait := b.next(); wait < 2*time.Second {
		t.Errorf("after a short connection it waits for %v", wait)
	}
	b.lasted(time.Minute)
	if wait := b.next(); wait > time.Second {
		t.Errorf("after a long one it waits for %v", wait)
	}
}

// The broker makes up an identifier for a client that has none, which keeps it.
func TestAClientIsTheSameOnEveryConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	names := make(chan string, 100)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			p := &peer{t, conn}
			if connect, ok := p.read().(*packets.Connect); ok {
				names <- connect.ClientID
				p.write(&packets.Connack{Properties: &packets.Properties{AssignedClientID: "made-up"}})
			}
			_ = conn.Close()
		}
	}()
	a, err := Connect(t.Context(), Options{Broker: l.Addr().String(), ReconnectWait: time.Millisecond}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for _, want := range []string{"", "made-up", "made-up"} {
		if name := receive(t, names); name != want {
			t.Errorf("it connects as %q, want %q", name, want)
		}
	}
	if a.ClientID() != "made-up" {
		t.Errorf("it is %q", a.ClientID())
	}
}
