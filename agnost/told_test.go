package agnost

import (
	"slices"
	"testing"

	"github.com/ambitmq/ambit/sessions"
)

func TestMessagesAreToldAsEvents(t *testing.T) {
	for _, tt := range []struct{ name, topic, payload, want string }{
		{"a message", "$channel/chat/say", `{"type":"channel","channel":"chat","event":"say","message":{"text":"hi"},"from":{}}`, `42["say",{"channel":"chat","message":{"text":"hi"}}]`},
		{"names that are no levels", "$channel/a%2Fb/%75pdate", `{"message":1}`, `42["update",{"channel":"a/b","message":1}]`},
		{"for everyone", "$channel/*/news", `{"message":null}`, `42["news",{"channel":null,"message":null}]`},
		{"who comes", "$channel/chat/join", `{"event":"join","member":{"clientId":"c1","user":"ada","metadata":{"n":1}}}`, `42["channel:join",{"channel":"chat","message":{"id":"c1","data":{"n":1}}}]`},
		{"what would be taken for that", "$channel/chat/channel:join", `{"message":{"id":"c1"}}`, ""},
		{"what the client's library would take for its own", "$channel/chat/disconnect", `{"message":1}`, ""},
		{"a room", `fleet/trucks/?{"exists":"speed"}`, `{"type":"document","seq":1}`, `42["channel:notification",{"channel":"fleet/trucks/?{\"exists\":\"speed\"}","message":{"type":"document","seq":1}}]`},
		{"a room without payload", "fleet/trucks/?&payload=none", "", `42["channel:notification",{"channel":"fleet/trucks/?\u0026payload=none","message":null}]`},
		{
			"a session", "$users/ada/events", `{"type":"users","user":"ada","event":"signin","what":"token","clientId":null,"protocol":"http","timestamp":1000}`,
			`42["user:signin","user:signin",{"userId":"ada","clientId":null,"protocol":"http","creationDtm":"1970-01-01T00:00:01Z"},{"_id":"ada"}]`,
		},
		{"a password", "$users/ada/events", `{"user":"ada","event":"credentials","what":"user"}`, `42["user:pwdchange","user:pwdchange",null,{"_id":"ada"}]`},
		{"a connection", "$users/ada/events", `{"user":"ada","event":"signin","what":"connection"}`, ""},
		{"a key", "$users/ada/events", `{"user":"ada","event":"credentials","what":"key"}`, ""},
		{"what is no JSON", "$channel/chat/say", `on`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := slices.Collect(sessions.Frames(told(&sessions.Message{Topic: tt.topic, Payload: []byte(tt.payload)})))
			if tt.want == "" && len(got) == 0 {
				return
			}
			if len(got) != 1 || string(got[0]) != tt.want {
				t.Errorf("got %q, want %s", got, tt.want)
			}
		})
	}
}

func TestHandshakesAreRead(t *testing.T) {
	for text, want := range map[string]handshake{
		"": {},
		`{"echoMessages":true,"envId":"env-1","apiKey":"k","session":"s"}`:                          {Env: "env-1", Key: "k", Session: "s", Echo: true},
		`{"echoMessages":false,"subdomain":"x","envId":"e","clientKey":"k","Session":"s"}`:          {Env: "e", Key: "k", Session: "s", Echo: false, ClientKey: "k", AltogicSession: "s"},
		`{"echoMessages":null,"envId":7,"apiKey":null,"session":{"token":"s"},"clientKey":["k",1]}`: {},
	} {
		if got, err := readHandshake([]byte(text)); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for value, want := range map[any]bool{nil: false, true: true, false: false, "": false, "no": true, 0.0: false, 1.0: true} {
		if isTrue(value) != want {
			t.Errorf("%v is true: %t", value, !want)
		}
	}
}

func TestRoomsAreToldFromChannels(t *testing.T) {
	for name, want := range map[string]bool{
		`fleet/trucks/?{"a":1}`: true, "fleet/trucks/@slow": true, "fleet/trucks/~5b1f": true, "fleet/trucks/?": true,
		"fleet/trucks": false, "fleet/trucks/42": false, "chat": false, "a//?x": false, "$scope/a/?x": false, "?/b/?x": true,
	} {
		if isRoom(name) != want {
			t.Errorf("%s is a room: %t", name, !want)
		}
	}
}
