package integration

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"testing"
)

// The process is killed. Clients that were connected and do not come back are
// offline since the restart, as mosquitto_sub sees it; one that comes back in time
// was never away.
func TestPresenceSurvivesAKill(t *testing.T) {
	t.Parallel()
	need(t, "mosquitto_sub")
	config := "presence: {grace: 1s}"
	b := startBroker(t, brokerOptions{config: config})
	connect(t, b, connectOptions{id: "lost", v5: true})
	kept := connect(t, b, connectOptions{id: "kept", v5: true, keep: true, expiry: 3600})
	kept.subscribe(t, "fleet/trucks/?")
	online := retainedPresence(t, b, "clients/kept")
	if !strings.Contains(online, `"online":true`) {
		t.Fatalf("got %s", online)
	}
	retainedPresence(t, b, "clients/lost")
	b.kill()
	again := startBroker(t, brokerOptions{dir: b.dir, config: config})
	connect(t, again, connectOptions{id: "kept", v5: true, keep: true, expiry: 3600})
	if room := retainedPresence(t, again, "rooms/fleet/trucks/?"); !strings.HasPrefix(room, `{"count":1,"members":[{"clientId":"kept"`) {
		t.Errorf("got %s", room)
	}
	eventually(t, "the one that is lost is offline", func() bool {
		return strings.Contains(retainedPresence(t, again, "clients/lost"), `"why":"server crashed"`)
	})
	if now := retainedPresence(t, again, "clients/kept"); now != online {
		t.Errorf("got %s, and before %s", now, online)
	}
}

// retainedPresence returns what mosquitto_sub is told first of a topic of $presence.
func retainedPresence(t *testing.T, b *broker, topic string) string {
	t.Helper()
	host, port, err := net.SplitHostPort(b.mqtt)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	text, err := exec.CommandContext(ctx, "mosquitto_sub", "-h", host, "-p", port, "-V", "311", "-C", "1", "-t", "$presence/"+topic).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return strings.TrimSpace(string(text))
}

// The process is killed. Who is told of a room, and back, is told that the members are out whose
// sessions ended with it: when their time is over, once, and with the right count. One that
// is back by then was never away.
func TestMembersThatDoNotComeBackAfterAKillAreOut(t *testing.T) {
	t.Parallel()
	for version, v5 := range versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			config := "presence: {grace: 1s}"
			b := startBroker(t, brokerOptions{config: config})
			const room = "fleet/trucks/?{\"exists\":\"speed\"}&users=all"
			watcher := connectOptions{id: "watcher", v5: v5, keep: true, expiry: 3600}
			w := connect(t, b, watcher)
			atMostOnce := subscribePacket(w.id(), v5, room) // at QoS 1 the last one may come again
			atMostOnce[len(atMostOnce)-1] = 0
			w.send(t, atMostOnce)
			w.await(t, typeSuback)
			member := func(b *broker, id string) *wire {
				m := connect(t, b, connectOptions{id: id, v5: v5})
				m.subscribe(t, `$scope/fleet/trucks/?{"exists":"speed"}/+`)
				return m
			}
			for i, id := range []string{"a", "b", "c", "d"} {
				member(b, id)
				if got, want := w.told(t, room), fmt.Sprint("in ", i+2); got != want {
					t.Fatalf("told %s, want %s", got, want)
				}
			}
			w.ping(t)
			b.kill()
			again := startBroker(t, brokerOptions{dir: b.dir, config: config})
			w = connect(t, again, watcher)
			member(again, "b")
			member(again, "d").send(t, []byte{typeDisconnect << 4, 0})
			for _, want := range []string{"out 4", "out 3", "out 2"} {
				if got := w.told(t, room); got != want {
					t.Errorf("told %s, want %s", got, want)
				}
			}
			if state := retainedPresence(t, again, `rooms/fleet/trucks/?{"exists":"speed"}`); !strings.HasPrefix(state, `{"count":2,`) {
				t.Errorf("after that, %s", state)
			}
			member(again, "e")
			if got := w.told(t, room); got != "in 3" {
				t.Errorf("after all are told, told %s", got)
			}
		})
	}
}
