package integration

import (
	"context"
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
