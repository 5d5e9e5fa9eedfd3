package kuzzle

import "testing"

func TestAQuestionIsReadAsItIsAnswered(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       question
	}{
		{"a ping", `{"p":1}`, question{ping: true}},
		{"no ping", `{"p":1,"controller":"server"}`, question{controller: "server"}},
		{"names have one spelling", `{"controller":"server","action":"now","Controller":"auth","Action":"login"}`, question{controller: "server", action: "now"}},
		{"a token", `{"jwt":"abc"}`, question{shows: true}},
		{"no token", `{"jwt":null}`, question{}},
		{"an empty one", `{"jwt":""}`, question{}},
		{"no object", `[1]`, question{}},
		{"no JSON", `{`, question{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := read([]byte(tt.text)); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}
