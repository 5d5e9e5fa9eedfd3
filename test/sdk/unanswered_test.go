package sdk

import (
	"slices"
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

// A broker that is busy may not answer in time: that is an error for whoever asks, and no end for what
// goes on with a new connection.
func TestASubscriptionIsAnsweredInTimeOrFailsOrIsMadeAgain(t *testing.T) {
	build(t)
	f, js := startFake(t), startJS(t, "5")
	if err := js.openWith(f.url(), "", map[string]any{"timeout": 2000}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(js.close)
	topic := observes(t, f, js, page(1, 1, "", "a"))

	do(t, js, step{Call: "channel.listen", Args: []any{"chat"}, As: "heard", Detached: "listen"})
	next[*packets.Subscribe](f)
	ends(t, js, "listen", "fails")

	f.hangUp()
	if sub := next[*packets.Subscribe](f); sub.Subscriptions[0].Topic != topic {
		t.Fatalf("it subscribes to %s, want %s", sub.Subscriptions[0].Topic, topic)
	}
	if again := f.grant(); again != topic {
		t.Fatalf("it subscribes to %s, want %s", again, topic)
	}
	f.publish(topic, entered(2, "b"))
	want := []string{"change a {}", "change b {}"}
	if s, ok := js.board().await("o", func(s state) bool { return slices.Equal(s.Told, want) }); !ok {
		t.Errorf("it is told %q", s.Told)
	}
}
