package integration

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// A notice is what a member of a room is told, in short.
type notice struct {
	Type, Action, Scope, Event, Transition, RequestID, Controller, Protocol, Node string
	Volatile                                                                      json.RawMessage
	Result                                                                        struct {
		ID      string   `json:"_id"`
		Updated []string `json:"_updatedFields"`
	}
}

func (w *wire) notice(t testing.TB) string {
	t.Helper()
	m := w.message(t)
	var n notice
	if err := json.Unmarshal(m.payload, &n); err != nil || n.Type != "document" || n.Node == "" {
		t.Fatalf("%v: told %s", err, m.payload)
	}
	fields := []string{n.Action, n.Event, n.Scope, n.Transition, n.Result.ID, n.RequestID, string(n.Volatile), n.Controller, n.Protocol}
	return strings.Join(append(fields, n.Result.Updated...), " ")
}

// Members of both versions of MQTT are told what each action does, with the request that caused
// it.
func TestEachActionIsToldToARoom(t *testing.T) {
	t.Parallel()
	b := startBroker(t, brokerOptions{})
	var members []*wire
	for _, v5 := range versions() {
		w := connect(t, b, connectOptions{v5: v5})
		w.subscribe(t, `fleet/trucks/?{"exists":"speed"}`)
		members = append(members, w)
	}
	device := connect(t, b, connectOptions{v5: true})
	device.put(t, "fleet/trucks/mqtt", `{"speed":1}`)
	device.put(t, "fleet/trucks/mqtt", ``)
	device.put(t, "fleet/trucks", `{"speed":1}`)
	for i, request := range []string{
		`"action":"create","_id":"1","body":{"speed":1,"load":{"kg":1}}`,
		`"action":"update","_id":"1","body":{"speed":2,"load":{"kg":2}}`,
		`"action":"replace","_id":"1","body":{"speed":2}`,
		`"action":"createOrReplace","_id":"2","body":{"speed":2}`,
		`"action":"createOrReplace","_id":"2","body":{"load":2}`,
		`"action":"upsert","_id":"2","body":{"changes":{"speed":2}}`,
		`"action":"deleteFields","_id":"2","body":{"fields":["speed"]}`,
		`"action":"delete","_id":"2"`,
		`"action":"mCreate","body":{"documents":[{"_id":"3","body":{"speed":1}},{"_id":"4","body":{}}]}`,
		`"action":"mUpdate","body":{"documents":[{"_id":"4","body":{"speed":4}}]}`,
		`"action":"mReplace","body":{"documents":[{"_id":"4","body":{"speed":5}}]}`,
		`"action":"mUpsert","body":{"documents":[{"_id":"5","changes":{},"default":{"speed":5}}]}`,
		`"action":"updateByQuery","body":{"query":{"ids":{"values":["5"]}},"changes":{"at":{"x":1}}}`,
		`"action":"mDelete","body":{"ids":["5"]}`,
		`"action":"deleteByQuery","body":{"query":{"range":{"speed":{"gte":5}}}}`,
		`"controller":"realtime","action":"publish","_id":"none","body":{"speed":5}`,
	} {
		if !strings.Contains(request, "controller") {
			request = `"controller":"document",` + request
		}
		request = fmt.Sprintf(`{"requestId":"r%d","volatile":{"n":%d},"index":"fleet","collection":"trucks",%s}`, i, i, request)
		a := askHTTP(t, b, request)
		if a.Status != 200 {
			t.Fatalf("%s is answered %d", request, a.Status)
		}
	}
	want := []string{
		"create write in enter mqtt  null document mqtt",
		"delete delete out exit mqtt  null document mqtt",
		"publish publish in    null realtime mqtt",
		`create write in enter 1 r0 {"n":0} document http`,
		`update write in stay 1 r1 {"n":1} document http speed load.kg`,
		`replace write in stay 1 r2 {"n":2} document http`,
		`create write in enter 2 r3 {"n":3} document http`,
		`replace write out exit 2 r4 {"n":4} document http`,
		`update write in enter 2 r5 {"n":5} document http speed`,
		`update write out exit 2 r6 {"n":6} document http speed`,
		`create write in enter 3 r8 {"n":8} document http`,
		`update write in enter 4 r9 {"n":9} document http speed`,
		`replace write in stay 4 r10 {"n":10} document http`,
		`create write in enter 5 r11 {"n":11} document http`,
		`update write in stay 5 r12 {"n":12} document http at.x`,
		`delete delete out exit 5 r13 {"n":13} document http`,
		`delete delete out exit 4 r14 {"n":14} document http`,
		`publish publish in  none r15 {"n":15} realtime http`,
	}
	for i, w := range members {
		for _, line := range want {
			if got := w.notice(t); got != line {
				t.Fatalf("member %d is told\n%s, want\n%s", i, got, line)
			}
		}
	}
}

// However a member goes, who is told of the room is told it once, with the count; of one that is
// back in time, nothing.
func TestMembersComeAndGo(t *testing.T) {
	t.Parallel()
	const plain, room = `fleet/trucks/?{"exists":"speed"}`, `fleet/trucks/?{"exists":"speed"}&users=all`
	for version, v5 := range versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			b := startBroker(t, brokerOptions{config: "presence: {grace: 300ms}"})
			w := connect(t, b, connectOptions{id: "watcher", v5: v5})
			w.subscribe(t, room)
			join := func(o connectOptions) *wire {
				o.id, o.v5 = "member", v5
				m := connect(t, b, o)
				m.subscribe(t, plain)
				return m
			}
			tells := func(what, want string) {
				t.Helper()
				if got := w.told(t, room); got != want {
					t.Errorf("%s is told as %q, want %q", what, got, want)
				}
			}
			m := join(connectOptions{})
			tells("a join", "in 2")
			m.subscribe(t, "$scope/"+plain+"/+") // it is in already
			m.unsubscribe(t, plain)
			m.unsubscribe(t, "$scope/"+plain+"/+")
			tells("an UNSUBSCRIBE", "out 1")
			m.subscribe(t, plain)
			tells("another join", "in 2")
			m = join(connectOptions{}) // takes it over
			m.Close()
			m = join(connectOptions{will: &message{topic: "home/will", payload: []byte("gone")}}) // is back in time
			m.Close()
			tells("a lost connection with a will", "out 1")
			m = join(connectOptions{keep: true, expiry: 1})
			tells("a kept session", "in 2")
			m.send(t, []byte{typeDisconnect << 4, 0})
			m.awaitEnd(t)
			tells("its DISCONNECT", "out 1")
			again := connect(t, b, connectOptions{id: "member", v5: v5, keep: true, expiry: 1})
			tells("its return", "in 2")
			other := connect(t, b, connectOptions{id: "member", v5: v5}) // takes it over without its session
			tells("a take-over that ends the session", "out 1")
			again.awaitEnd(t)
			other.subscribe(t, plain)
			tells("the last join", "in 2")
			if m := w.queued; len(m) > 0 {
				t.Errorf("besides, told %d messages", len(m))
			}
		})
	}
}
