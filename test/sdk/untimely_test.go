package sdk

import (
	"slices"
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

// ends waits until what was detached has ended as it should.
func ends(t *testing.T, c client, name, how string) {
	t.Helper()
	if s, ok := c.board().await(name, func(s state) bool { return slices.Equal(s.Told, []string{how}) }); !ok {
		t.Fatalf("%s: %q", name, s.Told)
	}
}

func do(t *testing.T, c client, s step) {
	t.Helper()
	if _, err := c.do(s); err != nil {
		t.Fatal(err)
	}
}

// unsubscribed waits for an UNSUBSCRIBE, and answers it.
func (f *fake) unsubscribed(topic string) {
	f.t.Helper()
	unsub := next[*packets.Unsubscribe](f)
	if !slices.Equal(unsub.Topics, []string{topic}) {
		f.t.Fatalf("it unsubscribes from %q, want %q", unsub.Topics, topic)
	}
	f.write(&packets.Unsuback{PacketID: unsub.PacketID, Reasons: []byte{0}, Properties: &packets.Properties{}})
}

func TestWhatIsStoppedWhileAPageIsReadStaysAsItIs(t *testing.T) {
	withFake(t, func(t *testing.T, f *fake, c client) {
		t.Helper()
		topic := observes(t, f, c, page(2, 1, "1", "a"))
		do(t, c, step{Next: "o", Detached: "next"})
		reads := f.asked()
		do(t, c, step{Stop: "o", Detached: "stop"})
		f.unsubscribed(topic)
		ends(t, c, "stop", "done")
		f.answer(reads, page(2, 2, "", "b"))

		do(t, c, step{Start: "o", Detached: "start"})
		f.answer(f.asked(), map[string]any{"roomId": "r", "channel": room, "seq": 2})
		f.grant()
		f.answer(f.asked(), page(2, 2, "", "b", "c"))
		ends(t, c, "start", "done")
		want := []string{"change a {}", "change b {}", "change c {}", "delete a"}
		s, ok := c.board().await("o", func(s state) bool { return len(s.Hits) == 2 && slices.Equal(s.Told, want) })
		if !ok {
			t.Errorf("it is told %q, and sees %v", s.Told, s.Hits)
		}
	})
}

func TestWhatIsStoppedBeforeItIsSubscribedToIsLeft(t *testing.T) {
	withFake(t, func(t *testing.T, f *fake, c client) {
		t.Helper()
		do(t, c, step{Observe: "o", Search: map[string]any{}, Size: 1, Detached: "start"})
		f.answer(f.asked(), map[string]any{"roomId": "r", "channel": room, "seq": 1})
		sub := next[*packets.Subscribe](f)
		do(t, c, step{Stop: "o"})
		f.write(&packets.Suback{PacketID: sub.PacketID, Reasons: []byte{1}, Properties: &packets.Properties{}})
		f.unsubscribed(sub.Subscriptions[0].Topic)
	})
}

// The broker has one subscription for each topic filter: what ends that of one must not end that of
// the next.
func TestAnotherMayObserveWhileTheFirstIsStopped(t *testing.T) {
	withFake(t, func(t *testing.T, f *fake, c client) {
		t.Helper()
		topic := observes(t, f, c, page(1, 1, "", "a"))
		do(t, c, step{Stop: "o", Detached: "stop"})
		unsub := next[*packets.Unsubscribe](f)
		do(t, c, step{Observe: "p", Search: map[string]any{}, Size: 1, Detached: "start"})
		f.answer(f.asked(), map[string]any{"roomId": "r", "channel": room, "seq": 1})
		f.write(&packets.Unsuback{PacketID: unsub.PacketID, Reasons: []byte{0}, Properties: &packets.Properties{}})
		if again := f.grant(); again != topic {
			t.Fatalf("it subscribes to %s, want %s", again, topic)
		}
		f.answer(f.asked(), page(1, 1, "", "a"))
		ends(t, c, "stop", "done")
		ends(t, c, "start", "done")
		f.publish(topic, entered(2, "b"))
		if s, ok := c.board().await("p", func(s state) bool { return s.Total == 2 && len(s.Hits) == 2 }); !ok {
			t.Errorf("it sees %v", s.Hits)
		}
	})
}

// TestCloseEnds closes clients that wait for what does not come.
func TestCloseEnds(t *testing.T) {
	for name, s := range map[string]step{
		"a message that is not acknowledged": {Publish: "t", Detached: "it"},
		"a subscription that is not granted": {Observe: "o", Search: map[string]any{}, Detached: "it"},
	} {
		t.Run(name, func(t *testing.T) {
			withFake(t, func(t *testing.T, f *fake, c client) {
				t.Helper()
				do(t, c, s)
				if s.Observe != "" {
					f.answer(f.asked(), map[string]any{"roomId": "r", "channel": room, "seq": 1})
				}
				receive(t, f.others)
				_ = f.listener.Close()
				f.hangUp()
				closed := make(chan struct{})
				go func() {
					defer close(closed)
					c.close()
				}()
				ends(t, c, "it", "fails")
				receive(t, closed)
			})
		})
	}
}

// A broker that lets a client in and ends the connection at once, as two clients of one name
// have it do to each other, is not asked as fast as can be.
func TestConnectionsThatEndAtOnceAreNotMadeAgainAtOnce(t *testing.T) {
	withFake(t, func(t *testing.T, f *fake, c client) {
		t.Helper()
		receive(t, f.connects)
		f.drops.Store(true)
		f.hangUp()
		before := receive(t, f.connects)
		for least := reconnectWait; least <= 4*reconnectWait; least *= 2 {
			next := receive(t, f.connects)
			if waits := next.Sub(before); waits < least {
				t.Errorf("it comes again after %v, want %v at least", waits, least)
			}
			before = next
		}
	})
}
