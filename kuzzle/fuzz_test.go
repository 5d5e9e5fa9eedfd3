package kuzzle

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/ambitmq/ambit/sessions"
)

// Who is taken to ask for nothing that needs a sign-in has asked for just that.
func FuzzQuestion(f *testing.F) {
	for _, text := range []string{`{"p":1}`, `{"controller":"auth","action":"login"}`, `{"controller":"auth","controller":"server"}`, `{"jwt":["a"]}`, `[`, `null`, `{"p":1e0}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		q := read(text)
		var asked struct {
			Controller, Action any
			P                  any
		}
		if err := json.Unmarshal(text, &asked); err != nil && q != (question{}) {
			t.Errorf("%q is no object, and read as %+v", text, q)
		}
		if q.ping && (q.controller != "" || q.shows || asked.P != 1.0) {
			t.Errorf("%q is read as %+v", text, q)
		}
	})
}

// Whatever rooms tell is told as JSON, or not at all.
func FuzzNotification(f *testing.F) {
	for _, payload := range []string{`{"room":"a"}`, `{"room":{"room":1},"room":2}`, `{"\u0072oom":1}`, `[]`, "{\n\"a\" : 1 }", `{`} {
		f.Add("fleet/trucks/?", []byte(payload))
	}
	f.Fuzz(func(t *testing.T, topic string, payload []byte) {
		told := slices.Collect(sessions.Frames(notification(&sessions.Message{Topic: topic, Payload: payload})))
		if len(told) > 1 || len(told) == 1 && json.Valid(payload) && !json.Valid(told[0]) {
			t.Errorf("%q is told as %q", payload, told)
		}
	})
}
