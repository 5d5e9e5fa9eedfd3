package main

import (
	"regexp"
	"testing"
	"time"

	"github.com/ambitmq/ambit/client"
)

func TestReadableLines(t *testing.T) {
	clock := regexp.MustCompile(`^\d\d:\d\d:\d\d\.\d{3} `)
	transition := func(name string) []client.Property {
		return []client.Property{{Name: "transition", Value: name}, {Name: "id", Value: "42"}}
	}
	for _, tt := range []struct {
		name string
		m    client.Message
		want string
	}{
		{"a notification has mark, id and body",
			client.Message{Topic: "f/t/?{}", Payload: []byte(`{"type":"document","transition":"enter","timestamp":5,"result":{"_id":"42","_source":{"a": 1,"_kuzzle_info":{"author":"-1"}}}}`)},
			`+ 42  {"a": 1}`},
		{"an empty document is one too",
			client.Message{Topic: "f/t/?{}", Payload: []byte(`{"type":"document","transition":"exit","result":{"_id":"42","_source":{"_kuzzle_info":{}}}}`)},
			`- 42  {}`},
		{"a body alone has its transition beside it",
			client.Message{Topic: "f/t/?{}&payload=document", Payload: []byte(`{"a":1}`), Properties: transition("stay")},
			`= 42  {"a":1}`},
		{"so has nothing at all", client.Message{Topic: "f/t/?{}&payload=none", Properties: transition("exit")}, `- 42`},
		{"a member was there before", client.Message{Topic: "$scope/f/t/?{}/42", Payload: []byte(`{}`)}, `+ 42  {}`},
		{"a member changes", client.Message{Topic: "$scope/f/t/?{}/42", Payload: []byte(`{}`), Properties: transition("stay")}, `= 42  {}`},
		{"a member leaves", client.Message{Topic: "$scope/f/t/?{}/42", Properties: transition("exit")}, `- 42`},
		{"the members are complete", client.Message{Topic: "$scope/f/t/?{}/$synced", Payload: []byte(`{"seq":9}`)}, `* these were all  {"seq":9}`},
		{"any other message has its topic", client.Message{Topic: "home/lamp", Payload: []byte("on")}, `  home/lamp  on`},
		{"a terminal is not at the mercy of a payload", client.Message{Topic: "t", Payload: []byte("a\x1b[2J\nb\n")}, "  t  a\uFFFD[2J b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := readable(tt.m, time.Now())
			if !clock.MatchString(got) || clock.ReplaceAllString(got, "") != tt.want {
				t.Errorf("got  %q\nwant %q behind the time", got, tt.want)
			}
		})
	}
}

func TestRoomTopicsHaveNoWildcards(t *testing.T) {
	for _, tt := range []struct{ name, filter, want string }{
		{"nothing to escape", `{"a":1}`, `{"a":1}`},
		{"plus and hash in a string", `{"a+":"#\"+"}`, `{"a\u002b":"\u0023\"\u002b"}`},
		{"a backslash at the end of a string", `{"a\\":1e+5,"b":"+"}`, `{"a\\":1e5,"b":"\u002b"}`},
		{"lines and tabs", " {\n\t\"a\": 1\r\n}\n", `{  "a": 1  }`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := roomTopic("f/t", tt.filter); got != "f/t/?"+tt.want {
				t.Errorf("got %s, want f/t/?%s", got, tt.want)
			}
		})
	}
}

func TestShellQuote(t *testing.T) {
	if got, want := shellQuote(`a'b "$x"`), `'a'\''b "$x"'`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
