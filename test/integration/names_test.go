package integration

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const fast, slow, heavy = `{"range":{"speed":{"gte":50}}}`, `{"range":{"speed":{"lt":50}}}`, `{"range":{"load":{"gte":10}}}`

// tells is what a notification says of a document.
type tells struct {
	Type, Transition, User string
	Result                 struct {
		ID    string `json:"_id"`
		Count int
	}
}

// told returns the next message of a room: the transition and the id of a document, or who has
// come or gone and how many are there.
func (w *wire) told(t testing.TB, topic string) string {
	t.Helper()
	m := w.message(t)
	var n tells
	if err := json.Unmarshal(m.payload, &n); err != nil || m.topic != topic {
		t.Fatalf("%s: %s, want a notification on %s", m.topic, m.payload, topic)
	}
	if n.Type == "user" {
		return fmt.Sprintf("%s %d", n.User, n.Result.Count)
	}
	return n.Transition + " " + n.Result.ID
}

// toldBoth returns the next two messages of a room, in the order of their texts.
func (w *wire) toldBoth(t testing.TB, topic string) [2]string {
	t.Helper()
	a, b := w.told(t, topic), w.told(t, topic)
	return [2]string{min(a, b), max(a, b)}
}

func (b *broker) room(t *testing.T, action, filter string) (members int) {
	t.Helper()
	body := ""
	if filter != "" {
		body = `,"body":` + filter
	}
	a := askHTTP(t, b, `{"controller":"room","action":"`+action+`","index":"fleet","collection":"trucks","name":"zone"`+body+`}`)
	var result struct{ Members int }
	if err := json.Unmarshal(a.Result, &result); err != nil || a.Status != 200 {
		t.Fatalf("room:%s is answered %d %v: %s", action, a.Status, a.Error, a.Result)
	}
	return result.Members
}

// A name is given by a request, at the command line or in the configuration, and subscribed
// to alike.
func TestANameIsGivenInThreeWays(t *testing.T) {
	t.Parallel()
	b := startBroker(t, brokerOptions{config: "rooms: [{name: fleet/trucks/@set, filter: '" + fast + "'}]"})
	askHTTP(t, b, `{"controller":"room","action":"create","index":"fleet","collection":"trucks","name":"asked","body":`+fast+`}`)
	create := exec.Command(filepath.Join(programs, "ambit"), "room", "create", "--data", b.dir, "fleet/trucks/@typed", fast)
	if out, err := create.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, v5 := range []bool{false, true} {
		w := connect(t, b, connectOptions{id: fmt.Sprint("dash", v5), v5: v5})
		topics := []string{"fleet/trucks/@asked", "fleet/trucks/@set", "fleet/trucks/@typed"}
		if got := w.subscribe(t, append(topics, "fleet/trucks/@none")...).codes; got[0] != 1 || got[1] != 1 || got[2] != 1 || got[3] < 0x80 {
			t.Errorf("v5 %v: subscribed with %x", v5, got)
		}
		w.put(t, fmt.Sprint("fleet/trucks/", v5), `{"speed":60}`)
		heard := map[string]bool{}
		for range topics {
			m := w.message(t)
			heard[m.topic] = strings.Contains(string(m.payload), `"transition":"enter"`)
		}
		for _, topic := range topics {
			if !heard[topic] {
				t.Errorf("v5 %v: nothing entered %s", v5, topic)
			}
		}
	}
}

// Whoever is told by a name, and whoever subscribed by it and is away, is told which documents
// exit and which enter when it is edited, and that all exit when it is deleted.
func TestANameIsEditedAndDeleted(t *testing.T) {
	t.Parallel()
	for _, v5 := range []bool{false, true} {
		t.Run(map[bool]string{false: "3.1.1", true: "5"}[v5], func(t *testing.T) {
			t.Parallel()
			b := startBroker(t, brokerOptions{config: "presence: {grace: 1s}"})
			b.room(t, "create", fast)
			w := connect(t, b, connectOptions{id: "writer", v5: v5})
			w.put(t, "fleet/trucks/fast", `{"speed":60}`)
			w.put(t, "fleet/trucks/slow", `{"speed":10}`)
			const topic = "fleet/trucks/@zone"
			kept := connectOptions{id: "kept", v5: v5, keep: true, expiry: 3600}
			live, away := connect(t, b, connectOptions{id: "live", v5: v5}), connect(t, b, kept)
			live.subscribe(t, topic)
			away.subscribe(t, topic)
			away.send(t, []byte{typeDisconnect << 4, 0})
			away.awaitEnd(t)

			b.room(t, "update", slow)
			if got := live.toldBoth(t, topic); got != [2]string{"enter slow", "exit fast"} {
				t.Errorf("who was there is told %v", got)
			}
			away = connect(t, b, kept)
			if got := away.toldBoth(t, topic); got != [2]string{"enter slow", "exit fast"} {
				t.Errorf("who was away is told %v", got)
			}
			w.put(t, "fleet/trucks/fast", `{"speed":20}`)
			for _, m := range []*wire{live, away} {
				if got := m.told(t, topic); got != "enter fast" {
					t.Errorf("told %s of a write, by the new filter", got)
				}
			}
			away.send(t, []byte{typeDisconnect << 4, 0})
			away.awaitEnd(t)
			b.room(t, "delete", "")
			away = connect(t, b, kept)
			for _, m := range []*wire{live, away} {
				if got := m.toldBoth(t, topic); got != [2]string{"exit fast", "exit slow"} {
					t.Errorf("told %v when the name is deleted", got)
				}
			}
			if a := askHTTP(t, b, `{"controller":"realtime","action":"list"}`); string(a.Result) != "{}" {
				t.Errorf("the rooms are %s", a.Result)
			}
			b.room(t, "create", slow)
			for _, m := range []*wire{live, away} {
				if got := m.toldBoth(t, topic); got != [2]string{"enter fast", "enter slow"} {
					t.Errorf("told %v when the name is there again", got)
				}
			}
		})
	}
}

// Who is in the room of a name is right at every moment: when it is edited, when it is
// deleted, and when it is there again.
func TestThePresenceOfANameIsRight(t *testing.T) {
	t.Parallel()
	b := startBroker(t, brokerOptions{})
	b.room(t, "create", fast)
	for i, v5 := range []bool{false, true} {
		m := connect(t, b, connectOptions{id: fmt.Sprint("m", i), v5: v5})
		m.subscribe(t, "fleet/trucks/@zone&users=all")
	}
	by := connect(t, b, connectOptions{id: "by its filter", v5: true})
	by.subscribe(t, "fleet/trucks/?"+heavy+"&users=all")
	for i, v5 := range []bool{false, true} {
		w := connect(t, b, connectOptions{id: fmt.Sprint("w", i), v5: v5})
		const topic = "$presence/rooms/fleet/trucks/@zone"
		w.subscribe(t, topic)
		for _, step := range []struct {
			action, filter string
			members        int
		}{
			{"", "", 2}, {"update", slow, 2}, {"update", heavy, 3}, {"delete", "", 0}, {"create", fast, 2}, {"update", slow, 2}, {"update", fast, 2},
		} {
			if step.action != "" {
				if got := b.room(t, step.action, step.filter); got != step.members {
					t.Errorf("room:%s %s says %d members", step.action, step.filter, got)
				}
			}
			if got := w.members(t, topic); got != step.members {
				t.Errorf("after %q %s, %d are told to be in", step.action, step.filter, got)
			}
		}
	}
	if got := by.toldBoth(t, "fleet/trucks/?"+heavy+"&users=all"); got != [2]string{"in 2", "in 3"} {
		t.Errorf("who is in the room by its filter is told %v", got)
	}
	if got := by.toldBoth(t, "fleet/trucks/?"+heavy+"&users=all"); got != [2]string{"out 1", "out 2"} {
		t.Errorf("who is in the room by its filter is told %v", got)
	}
}

// members returns how many are said to be in a room next.
func (w *wire) members(t testing.TB, topic string) int {
	t.Helper()
	m := w.message(t)
	var state struct{ Count int }
	if err := json.Unmarshal(m.payload, &state); err != nil || m.topic != topic {
		t.Fatalf("%s: %s, want who is in %s", m.topic, m.payload, topic)
	}
	return state.Count
}
