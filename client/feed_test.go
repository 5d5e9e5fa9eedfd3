package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

type failures chan error

func (f failures) notify(Message, *Notification) {}
func (f failures) fail(err error)                { f <- err }

// A broker that is busy after a restart may take longer than anybody waits.
func TestASubscriptionThatIsNotAnsweredIsMadeAgain(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	subscribed := make(chan string, 10)
	codes := make(chan byte, 10)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		p := &peer{t, conn}
		for {
			switch in := p.read().(type) {
			case nil:
				return
			case *packets.Connect:
				p.write(&packets.Connack{Properties: &packets.Properties{}})
			case *packets.Subscribe:
				subscribed <- in.Subscriptions[0].Topic
				p.write(&packets.Suback{PacketID: in.PacketID, Reasons: []byte{<-codes}, Properties: &packets.Properties{}})
			}
		}
	}()
	a, err := Connect(t.Context(), Options{Broker: l.Addr().String()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()

	codes <- 1
	failed := make(failures, 1)
	if _, err := a.listen(t.Context(), roomChannel{Channel: "fleet/trucks/?{}", Seq: 7}, failed, false); err != nil {
		t.Fatal(err)
	}
	topic := receive(t, subscribed)
	f := a.feeds["fleet/trucks/?{}&since="]
	unanswered := &opening{client: a.client, topic: topic, done: make(chan struct{}), err: fmt.Errorf("no answer: %w", context.DeadlineExceeded)}
	close(unanswered.done)
	f.mu.Lock()
	f.opening = unanswered
	f.mu.Unlock()
	go a.await(f, unanswered)
	if again := receive(t, subscribed); again != topic {
		t.Errorf("it subscribes to %s, want %s", again, topic)
	}
	codes <- 0x97 // a "no" is an answer
	if err := receive(t, failed); !errors.As(err, new(*RefusedError)) {
		t.Errorf("it ends with %v", err)
	}
}
