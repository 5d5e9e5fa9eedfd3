package sessions_test

import (
	"bytes"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/sessions"
)

// An outside keeps what a subscriber is told.
type outside struct {
	told  chan string
	ended chan *sessions.Error

	mu      sync.Mutex // guards stalled and limit
	stalled chan struct{}
	limit   time.Time
}

func newOutside() *outside {
	return &outside{told: make(chan string, 10_000), ended: make(chan *sessions.Error, 1)}
}

func (w *outside) Write(b []byte) (int, error) {
	w.mu.Lock()
	stalled, limit := w.stalled, w.limit
	w.mu.Unlock()
	if stalled != nil {
		select {
		case <-stalled:
		case <-time.After(time.Until(limit)):
			return 0, os.ErrDeadlineExceeded
		}
	}
	for text := range sessions.Frames(b) {
		w.told <- string(text)
	}
	return len(b), nil
}

func (w *outside) SetWriteDeadline(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.limit = t
	return nil
}

func (w *outside) Ended(why *sessions.Error) { w.ended <- why }

// expect waits for what is told next.
func (w *outside) expect(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-w.told:
		if got != want {
			t.Fatalf("told %s, want %s", got, want)
		}
	case <-time.After(deadline):
		t.Fatalf("nothing was told, want %s", want)
	}
}

// attach attaches a subscriber that is told topics and bodies, and returns how many messages
// were put into that format.
func (n *node) attach(to *outside, made *atomic.Int32, format *sessions.Format) *sessions.Subscriber {
	n.t.Helper()
	if format == nil {
		format = shortFormat(made)
	}
	s, err := n.hook.Attach(to, sessions.Attachment{
		Protocol: "test", Format: format, Remote: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}, Via: sessions.Via{Name: "test"}, Identity: access.Nobody(),
	})
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(s.Close)
	return s
}

func shortFormat(made *atomic.Int32) *sessions.Format {
	return sessions.NewFormat(func(m *sessions.Message) []byte {
		made.Add(1)
		return sessions.Frame(append([]byte(m.Topic+" "), m.Payload...))
	})
}

const fastOnes = `fleet/trucks/?{"range":{"speed":{"gt":50}}}&payload=document`

func TestASubscriberOfAnotherProtocolIsToldInItsFormat(t *testing.T) {
	n := startNode(t, nil)
	var made atomic.Int32
	format := shortFormat(&made)
	var wires []*outside
	for range 50 {
		w := newOutside()
		s := n.attach(w, nil, format)
		if err := s.Subscribe(fastOnes, nil); err != nil {
			t.Fatal(err)
		}
		s.Answered()
		wires = append(wires, w)
	}
	p := n.connect(4, "device", nil)
	p.put("fleet/trucks/1", `{"speed":60}`)
	for _, w := range wires {
		w.expect(t, fastOnes+` {"speed":60}`)
	}
	if n := made.Load(); n != 1 {
		t.Errorf("the message was put into the format %d times", n)
	}
}

func TestNothingIsToldBeforeASubscriptionWasAnswered(t *testing.T) {
	n := startNode(t, nil)
	var made atomic.Int32
	w := newOutside()
	s := n.attach(w, &made, nil)
	clock := newOutside()
	other := n.attach(clock, &made, nil)
	if err := errors.Join(s.Subscribe(fastOnes, nil), other.Subscribe(fastOnes, nil)); err != nil {
		t.Fatal(err)
	}
	other.Answered()
	p := n.connect(4, "device", nil)
	p.put("fleet/trucks/1", `{"speed":60}`)
	p.put("fleet/trucks/1", `{"speed":61}`)
	clock.expect(t, fastOnes+` {"speed":60}`)
	clock.expect(t, fastOnes+` {"speed":61}`)
	if len(w.told) != 0 {
		t.Fatal("it was told too early")
	}
	s.Answered()
	w.expect(t, fastOnes+` {"speed":60}`)
	w.expect(t, fastOnes+` {"speed":61}`)
	if !s.Unsubscribe(fastOnes, nil) || s.Unsubscribe(fastOnes, nil) {
		t.Error("it did not unsubscribe once")
	}
}

func TestASubscriberThatDoesNotKeepPaceIsEnded(t *testing.T) {
	n := startNode(t, func(o *options) { o.QueueBytes, o.WriteTimeout = 32<<10, time.Minute })
	var made atomic.Int32
	w := newOutside()
	w.stalled = make(chan struct{})
	s := n.attach(w, &made, nil)
	if err := s.Subscribe(fastOnes, nil); err != nil {
		t.Fatal(err)
	}
	s.Answered()
	p := n.connect(4, "device", nil)
	body := `{"speed":60,"text":"` + string(bytes.Repeat([]byte("x"), 8<<10)) + `"}`
	for range 40 {
		p.put("fleet/trucks/1", body)
	}
	select {
	case why := <-w.ended:
		if why.Code != 0x97 {
			t.Errorf("it was ended by %v", why)
		}
	case <-time.After(deadline):
		t.Error("it was not ended")
	}
	close(w.stalled)
	if rooms := n.hook.Rooms(); rooms != 0 {
		t.Errorf("it is still in %d rooms", rooms)
	}
}

func TestASubscriberIsDisconnectedAsAnyClient(t *testing.T) {
	n := startNode(t, func(o *options) { o.Connections = 1 })
	var made atomic.Int32
	w := newOutside()
	s := n.attach(w, &made, nil)
	_, err := n.hook.Attach(newOutside(), sessions.Attachment{Protocol: "test", Remote: &net.TCPAddr{}, Identity: access.Nobody()})
	if err == nil {
		t.Error("one more was let in than there may be")
	}
	if !n.engine.Disconnect(s.ClientID(), &sessions.Error{Code: 0x98, Text: "go"}) {
		t.Fatal("there is no such client")
	}
	select {
	case why := <-w.ended:
		if why.Code != 0x98 {
			t.Errorf("it was ended by %v", why)
		}
	case <-time.After(deadline):
		t.Fatal("it was not ended")
	}
	var e *sessions.Error
	if err := s.Subscribe(fastOnes, nil); !errors.As(err, &e) {
		t.Errorf("it subscribed after its end: %v", err)
	}
	if n.engine.Connected() != 0 {
		t.Error("it still counts as connected")
	}
}
