package integration

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// ask makes a request over MQTT. What else comes meanwhile is kept for message.
func (w *wire) ask(t testing.TB, request string) envelope {
	t.Helper()
	w.send(t, publishPacket(message{topic: "$ambit/request", payload: []byte(request)}, w.v5))
	var others []message
	for {
		m := w.message(t)
		if m.topic == "$ambit/response" {
			w.queued = append(others, w.queued...)
			var a envelope
			if err := json.Unmarshal(m.payload, &a); err != nil {
				t.Fatalf("%v: %s", err, m.payload)
			}
			return a
		}
		others = append(others, m)
	}
}

// do makes a request of the controller channel, which must succeed.
func (w *wire) do(t testing.TB, action, request string) {
	t.Helper()
	text := fmt.Sprintf(`{"controller":"channel","action":%q,%s}`, action, request)
	if a := w.ask(t, text); a.Status != 200 {
		t.Fatalf("%s\nis answered %d %v", text, a.Status, a.Error)
	}
}

// A hearing is what a channel or a user is told.
type hearing struct {
	Channel, Event, Why, What string
	Member                    struct {
		ClientID string
		Metadata json.RawMessage
	}
	Message  json.RawMessage
	From     struct{ ClientID string }
	User     string
	ClientID string
}

// hears waits for the next message, which must be on a topic.
func (w *wire) hears(t testing.TB, topic string) hearing {
	t.Helper()
	m := w.message(t)
	var what hearing
	if err := json.Unmarshal(m.payload, &what); err != nil || m.topic != topic {
		t.Fatalf("on %s: %s %v, want something on %s", m.topic, m.payload, err, topic)
	}
	return what
}

// Whoever subscribed hears what is told in a channel, whether he has joined it or not.
func TestAChannelIsToldToThoseWhoSubscribed(t *testing.T) {
	t.Parallel()
	for _, v5 := range []bool{false, true} {
		t.Run(fmt.Sprintf("v5=%v", v5), func(t *testing.T) {
			t.Parallel()
			b := startBroker(t, brokerOptions{config: "presence: {grace: 0s}"})
			dash, truck := connect(t, b, connectOptions{v5: v5, id: "dash"}), connect(t, b, connectOptions{v5: v5, id: "truck"})
			dash.granted(t, "$channel/chat/+", "$channel/*/+")
			truck.granted(t, "$channel/chat/#")

			truck.do(t, "join", `"channel":"chat","echo":false,"body":{"speed":3}`)
			if e := dash.hears(t, "$channel/chat/join"); e.Member.ClientID != "truck" || string(e.Member.Metadata) != `{"speed":3}` {
				t.Errorf("%+v", e)
			}
			truck.do(t, "update", `"channel":"chat","body":{"speed":4}`)
			if e := dash.hears(t, "$channel/chat/update"); string(e.Member.Metadata) != `{"speed":4}` {
				t.Errorf("%+v", e)
			}
			truck.do(t, "send", `"channel":"chat","event":"say","body":{"text":"hi"}`)
			if e := dash.hears(t, "$channel/chat/say"); string(e.Message) != `{"text":"hi"}` || e.From.ClientID != "truck" {
				t.Errorf("%+v", e)
			}
			dash.do(t, "send", `"channel":"chat","event":"say","body":1`) // which it hears itself
			dash.hears(t, "$channel/chat/say")
			if e := truck.hears(t, "$channel/chat/say"); string(e.Message) != "1" || e.From.ClientID != "dash" {
				t.Errorf("the truck hears itself, or %+v", e)
			}
			if a := askHTTP(t, b, `{"controller":"channel","action":"broadcast","event":"news","body":[2]}`); a.Status != 200 {
				t.Errorf("%+v", a)
			}
			dash.hears(t, "$channel/*/news")
			if a := askHTTP(t, b, `{"controller":"channel","action":"list"}`); string(a.Result) != `{"channels":{"chat":1}}` {
				t.Errorf("%s", a.Result)
			}
			truck.Close()
			if e := dash.hears(t, "$channel/chat/leave"); e.Why != "disconnected" || e.Member.ClientID != "truck" {
				t.Errorf("%+v", e)
			}
			if a := askHTTP(t, b, `{"controller":"channel","action":"members","channel":"chat"}`); string(a.Result) != `{"count":0,"members":[]}` {
				t.Errorf("%s", a.Result)
			}
			dash.put(t, "fleet/trucks/1", "{}")
			if len(dash.queued) > 0 {
				t.Errorf("then the dashboard is told %+v", dash.queued)
			}
		})
	}
}

// A client that comes back within the grace time has not been away, and hears at QoS 1
// what it has missed. Nobody is told twice that it has gone.
func TestAMemberThatComesBackInTimeStays(t *testing.T) {
	t.Parallel()
	for _, v5 := range []bool{false, true} {
		t.Run(fmt.Sprintf("v5=%v", v5), func(t *testing.T) {
			t.Parallel()
			b := startBroker(t, brokerOptions{config: "presence: {grace: 1s}"})
			dash := connect(t, b, connectOptions{v5: v5, id: "dash"})
			dash.granted(t, "$channel/chat/+")
			kept := connectOptions{v5: v5, id: "truck", keep: true, expiry: 60}
			truck := connect(t, b, kept)
			truck.granted(t, "$channel/chat/say")
			truck.do(t, "join", `"channel":"chat"`)
			dash.hears(t, "$channel/chat/join")
			truck.Close()
			dash.do(t, "send", `"channel":"chat","event":"say","body":1`)
			dash.hears(t, "$channel/chat/say")

			van := connect(t, b, connectOptions{v5: v5, id: "van"})
			van.do(t, "join", `"channel":"chat"`)
			dash.hears(t, "$channel/chat/join")
			truck = connect(t, b, kept)
			truck.hears(t, "$channel/chat/say")
			van.Close() // its time passes after that of the truck
			for _, gone := range []string{"van", "truck"} {
				if e := dash.hears(t, "$channel/chat/leave"); e.Member.ClientID != gone {
					t.Errorf("%+v, want %s", e, gone)
				}
				truck.Close()
			}
		})
	}
}

// Topics of channels and users are the broker's alone, and a user's are for the user.
func TestChannelsAndUsersAreNotForEveryone(t *testing.T) {
	t.Parallel()
	b := startWithUser(t)
	for _, v5 := range []bool{false, true} {
		anna := connect(t, b, connectOptions{v5: v5, id: "a", user: "anna", password: "secret"})
		anna.granted(t, "$users/anna/events", "$channel/chat/+")
		for topicFilter, code := range map[string]byte{"$users/bob/events": 0x87, "$users/anna/x/events": 0x87, "$users/+/events": 0x8f, "$share/g/$channel/chat/+": 0x8f} {
			if !v5 {
				code = 0x80
			}
			if codes := anna.subscribe(t, topicFilter).codes; codes[0] != code {
				t.Errorf("%s is answered %#x, want %#x", topicFilter, codes, code)
			}
		}
		connect(t, b, connectOptions{v5: v5, id: "b", user: "anna", password: "secret"}).refused(t, message{topic: "$channel/chat/say", payload: []byte("{}"), qos: 1}, 0x90)
		for _, event := range []string{"signin", "signout"} {
			if v5 && event == "signout" {
				break // it is still connected
			}
			if e := anna.hears(t, "$users/anna/events"); e.Event != event || e.User != "anna" || e.ClientID != "b" {
				t.Errorf("%+v, want %s", e, event)
			}
		}
	}
}

func TestNobodyIsSignedInAsAUser(t *testing.T) {
	t.Parallel()
	b := startBroker(t, brokerOptions{})
	for _, v5 := range []bool{false, true} {
		if codes := connect(t, b, connectOptions{v5: v5}).subscribe(t, "$users/anna/events").codes; codes[0] != map[bool]byte{false: 0x80, true: 0x87}[v5] {
			t.Errorf("%#x", codes)
		}
	}
}

// A client leaves a room by a request, however it subscribed to it, and for good.
func TestAClientLeavesARoomByARequest(t *testing.T) {
	t.Parallel()
	b := startBroker(t, brokerOptions{})
	for _, v5 := range []bool{false, true} {
		o := connectOptions{v5: v5, id: fmt.Sprintf("dash-%v", v5), keep: true, expiry: 60}
		dash := connect(t, b, o)
		dash.granted(t, `fleet/trucks/?{"exists":"speed"}`, `fleet/trucks/?{"exists":{"field":"speed"}}&scope=in`, "fleet/trucks/?{}")
		id := struct{ RoomID string }{}
		if err := json.Unmarshal(dash.ask(t, `{"controller":"realtime","action":"validate","index":"fleet","collection":"trucks","body":{"exists":"speed"}}`).Result, &id); err != nil {
			t.Fatal(err)
		}
		unsubscribe := fmt.Sprintf(`{"controller":"realtime","action":"unsubscribe","body":{"roomId":%q}}`, id.RoomID)
		if a := dash.ask(t, unsubscribe); a.Status != 200 {
			t.Fatalf("%+v", a)
		}
		if a := dash.ask(t, unsubscribe); a.Error == nil || a.Error.ID != "core.realtime.not_subscribed" {
			t.Errorf("again: %+v", a)
		}
		dash.Close()
		dash = connect(t, b, o)
		dash.put(t, "fleet/trucks/1", `{"speed":1}`)
		if m := dash.message(t); m.topic != "fleet/trucks/?{}" {
			t.Errorf("it is told on %s", m.topic)
		}
		dash.ping(t)
		if len(dash.queued) > 0 {
			t.Errorf("and on %s", dash.queued[0].topic)
		}
	}
}

// A user is told of tokens and keys that are made and revoked, and that the password is
// another one: a client that has to sign in again finds that when it is back.
func TestAUserIsToldOfItsCredentials(t *testing.T) {
	t.Parallel()
	for _, v5 := range []bool{false, true} {
		t.Run(fmt.Sprintf("v5=%v", v5), func(t *testing.T) {
			t.Parallel()
			users := filepath.Join(t.TempDir(), "users.txt")
			setPassword(t, users, "anna", "secret")
			setPassword(t, users, "bob", "other")
			b := startBroker(t, brokerOptions{config: fmt.Sprintf("{anonymous: none, users: %q}", users)})
			bob := connect(t, b, connectOptions{v5: v5, id: "bob", user: "bob", password: "other"})
			bob.granted(t, "$users/bob/events")
			o := connectOptions{v5: v5, id: "a", user: "anna", password: "secret", keep: true, expiry: 60}
			anna := connect(t, b, o)
			anna.granted(t, "$users/anna/events")
			hears := func(event, what string) {
				t.Helper()
				if e := anna.hears(t, "$users/anna/events"); e.Event != event || e.What != what {
					t.Errorf("%+v, want %s of a %s", e, event, what)
				}
			}
			var token struct{ JWT string }
			if err := json.Unmarshal(anna.ask(t, `{"controller":"auth","action":"login","body":{"username":"anna","password":"secret"}}`).Result, &token); err != nil {
				t.Fatal(err)
			}
			hears("signin", "token")
			if a := anna.ask(t, fmt.Sprintf(`{"controller":"auth","action":"logout","jwt":%q}`, token.JWT)); a.Status != 200 {
				t.Errorf("%+v", a)
			}
			hears("signout", "token")
			if a := anna.ask(t, `{"controller":"auth","action":"createApiKey","body":{"description":"mine"}}`); a.Status != 200 {
				t.Errorf("%+v", a)
			}
			hears("credentials", "key")

			setPassword(t, users, "anna", "new")
			anna.awaitEnd(t)
			o.password = "new"
			anna = connect(t, b, o)
			hears("credentials", "user")
			bob.ping(t)
			if len(bob.queued) > 0 {
				t.Errorf("another user is told %s", bob.queued[0].payload)
			}
		})
	}
}

// setPassword changes the password of a user in a file.
func setPassword(t *testing.T, file, user, password string, flags ...string) {
	t.Helper()
	passwd := exec.Command(filepath.Join(programs, "ambit"), append([]string{"passwd", file, user}, flags...)...)
	passwd.Stdin = strings.NewReader(password + "\n")
	if out, err := passwd.CombinedOutput(); err != nil {
		t.Fatalf("ambit passwd: %v\n%s", err, out)
	}
}
