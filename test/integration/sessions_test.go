package integration

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const fastTrucks = `fleet/trucks/?{"range":{"speed":{"gt":50}}}`

// roomHash subscribes to a room and returns its hash.
func (w *wire) roomHash(t *testing.T, topicFilter string) string {
	t.Helper()
	ack := w.subscribe(t, topicFilter)
	if ack.codes[0] > 2 {
		t.Fatalf("SUBACK %#x %v", ack.codes[0], ack.user)
	}
	return ack.user["room-0"]
}

// eventually asks again and again until the answer is yes.
func eventually(t testing.TB, what string, ask func() bool) {
	t.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(patience); !ask(); <-again.C {
		if time.Now().After(deadline) {
			t.Fatalf("it is still not so that %s", what)
		}
	}
}

// isRoom says whether somebody is in the room with that hash: only then can it
// be named by it.
func isRoom(t *testing.T, b *broker, hash string) bool {
	t.Helper()
	w := connect(t, b, connectOptions{v5: true})
	defer w.Close()
	ok := w.subscribe(t, "fleet/trucks/~"+hash).codes[0] < 0x80
	if ok {
		w.unsubscribe(t, "fleet/trucks/~"+hash)
	}
	return ok
}

// until reads messages until one has the payload.
func (w *wire) until(t *testing.T, payload string) {
	t.Helper()
	for m := w.message(t); string(m.payload) != payload; m = w.message(t) {
	}
}

func sessionVersions() map[string]connectOptions {
	return map[string]connectOptions{
		"MQTT 3.1.1": {id: "dash", keep: true},
		"MQTT 5":     {id: "dash", keep: true, v5: true, expiry: 3600},
	}
}

func TestAPersistentSessionStaysInItsRooms(t *testing.T) {
	t.Parallel()
	for name, o := range sessionVersions() {
		for _, end := range []string{"nothing", "restart", "kill"} {
			t.Run(fmt.Sprintf("%s/%s while it is away", name, end), func(t *testing.T) {
				b := startBroker(t, brokerOptions{})
				w := connect(t, b, o)
				w.subscribe(t, fastTrucks+"&payload=document", fastTrucks+"&transition=exit&payload=none")
				device := connect(t, b, connectOptions{})
				device.put(t, "fleet/trucks/1", `{"speed":60}`)
				w.until(t, `{"speed":60}`)
				w.Close()
				device.put(t, "fleet/trucks/2", `{"speed":61}`)
				switch end {
				case "restart":
					if err := b.stop(); err != nil {
						t.Fatal(err)
					}
					b = b.restart(t)
				case "kill":
					b.kill()
					b = b.restart(t)
				}
				w, ack := tryConnect(t, b, o)
				if !ack.sessionPresent {
					t.Fatal("the session is gone")
				}
				device = connect(t, b, connectOptions{})
				device.put(t, "fleet/trucks/2", `{"speed":62}`)
				w.until(t, `{"speed":62}`)
				device.put(t, "fleet/trucks/2", `{"speed":2}`)
				for range 2 { // one message for each subscription, both empty
					if m := w.message(t); len(m.payload) != 0 {
						t.Errorf("%s %s after leaving", m.topic, m.payload)
					}
				}
			})
		}
	}
}

func TestASessionLeavesItsRooms(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		o     connectOptions
		leave func(t *testing.T, b *broker, w *wire)
	}{
		{"by UNSUBSCRIBE", connectOptions{v5: true}, func(t *testing.T, _ *broker, w *wire) {
			t.Helper()
			w.unsubscribe(t, fastTrucks)
		}},
		{"when a clean session ends", connectOptions{v5: true}, func(_ *testing.T, _ *broker, w *wire) {
			w.Close()
		}},
		{"when it expires", connectOptions{v5: true, id: "dash", expiry: 1}, func(_ *testing.T, _ *broker, w *wire) {
			w.Close()
		}},
		{"when a clean start takes it over", connectOptions{v5: true, id: "dash", expiry: 3600}, func(t *testing.T, b *broker, _ *wire) {
			t.Helper()
			connect(t, b, connectOptions{v5: true, id: "dash"})
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := startBroker(t, brokerOptions{})
			w := connect(t, b, tt.o)
			hash := w.roomHash(t, fastTrucks)
			if !isRoom(t, b, hash) {
				t.Fatal("the room cannot be named by its hash")
			}
			tt.leave(t, b, w)
			eventually(t, "the room is empty", func() bool { return !isRoom(t, b, hash) })
		})
	}
}

// A session of MQTT 3.1.1 has no expiry of its own; the broker's limit ends it.
func TestASessionOfMQTT311ExpiresByTheLimit(t *testing.T) {
	t.Parallel()
	b := startBroker(t, brokerOptions{config: "limits: {session_expiry: 1s}"})
	other := connect(t, b, connectOptions{v5: true})
	hash := other.roomHash(t, fastTrucks)
	w := connect(t, b, connectOptions{id: "dash", keep: true})
	w.subscribe(t, fastTrucks)
	other.Close()
	w.Close()
	eventually(t, "the room is empty", func() bool { return !isRoom(t, b, hash) })
}

func TestATakeOverKeepsTheRooms(t *testing.T) {
	for name, o := range sessionVersions() {
		t.Run(name, func(t *testing.T) {
			b := startBroker(t, brokerOptions{})
			old := connect(t, b, o)
			old.subscribe(t, fastTrucks+"&payload=document")
			w, ack := tryConnect(t, b, o)
			if !ack.sessionPresent {
				t.Error("the session is gone")
			}
			want := byte(0)
			if o.v5 {
				want = 0x8e // session taken over
			}
			if code := old.awaitEnd(t); code != want {
				t.Errorf("the old connection ended with DISCONNECT %#x, want %#x", code, want)
			}
			connect(t, b, connectOptions{}).put(t, "fleet/trucks/1", `{"speed":60}`)
			w.until(t, `{"speed":60}`)
		})
	}
}

// After UNSUBSCRIBE nothing more comes, while the client's other subscriptions,
// to the same room too, go on.
func TestUnsubscribeEndsOneSubscription(t *testing.T) {
	b := startBroker(t, brokerOptions{})
	w := connect(t, b, connectOptions{})
	w.subscribe(t, fastTrucks+"&payload=document", fastTrucks+"&payload=none", "$scope/"+fastTrucks+"/+")
	if m := w.message(t); !strings.HasSuffix(m.topic, "/$synced") {
		t.Errorf("%s instead of $synced", m.topic)
	}
	w.unsubscribe(t, fastTrucks+"&payload=document")
	w.unsubscribe(t, "$scope/"+fastTrucks+"/+")
	device := connect(t, b, connectOptions{})
	device.put(t, "fleet/trucks/1", `{"speed":60}`)
	device.put(t, "fleet/trucks/1", `{"speed":61}`)
	for range 2 {
		if m := w.message(t); m.topic != fastTrucks+"&payload=none" {
			t.Errorf("%s is no longer subscribed", m.topic)
		}
	}
}

// MQTT 5 says what is wrong with a filter, and where; which room was granted.
func TestSubackSaysWhatIsWrongWithAFilter(t *testing.T) {
	b := startBroker(t, brokerOptions{})
	w := connect(t, b, connectOptions{v5: true})
	ack := w.subscribe(t,
		`fleet/trucks/?{"exists":"speed"}`,
		`fleet/trucks/?{"and":[{"range":{"speed":{"gt":"fast"}}}]}`,
		`fleet/trucks/+`,
		`fleet/trucks/?{"exists":`,
		`fleet/trucks/?{}&payload=half`,
		`fleet/trucks/~00000000000000000000000000000000`,
		`$scope/fleet/+/?{}/+`,
	)
	if got, want := fmt.Sprintf("% x", ack.codes), "01 8f 01 8f 8f 8f 8f"; got != want {
		t.Errorf("codes %s, want %s", got, want)
	}
	if hash := ack.user["room-0"]; len(hash) != 32 {
		t.Errorf("room-0 is %q", hash)
	}
	if _, ok := ack.user["room-2"]; ok {
		t.Error("a plain subscription has a room")
	}
	if got, want := ack.user["error-1"], `"and.range.speed.gt": must be a number`; got != want {
		t.Errorf("error-1 is %q, want %q", got, want)
	}
	for _, position := range []string{"3", "4", "5", "6"} {
		if ack.user["error-"+position] == "" {
			t.Errorf("there is no error-%s in %v", position, ack.user)
		}
	}
}
