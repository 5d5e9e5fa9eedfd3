package socketio

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"
)

func TestPacketsAreRead(t *testing.T) {
	for _, tt := range []struct {
		text string
		want packet
	}{
		{`0`, packet{kind: kindConnect, namespace: root}},
		{`0{"a":1}`, packet{kind: kindConnect, namespace: root, data: []byte(`{"a":1}`)}},
		{`0/admin,{"a":1}`, packet{kind: kindConnect, namespace: "/admin", data: []byte(`{"a":1}`)}},
		{`0/admin`, packet{kind: kindConnect, namespace: "/admin"}},
		{`1`, packet{kind: kindDisconnect, namespace: root}},
		{`2["say",1]`, packet{kind: kindEvent, namespace: root, data: []byte(`["say",1]`)}},
		{`2/a,12["say"]`, packet{kind: kindEvent, namespace: "/a", id: 12, hasID: true, data: []byte(`["say"]`)}},
		{`30[]`, packet{kind: kindAck, namespace: root, hasID: true, data: []byte(`[]`)}},
		{`51-["say",{"_placeholder":true,"num":0}]`, packet{kind: kindBinaryEvent, attachments: 1, namespace: root, data: []byte(`["say",{"_placeholder":true,"num":0}]`)}},
	} {
		if got, err := parsePacket([]byte(tt.text)); err != nil || !reflect.DeepEqual(normal(got), normal(tt.want)) {
			t.Errorf("%s: %+v, %v", tt.text, got, err)
		}
	}
	for _, text := range []string{
		"", "7", "x", "2", `2{}`, `2["say"`, `0[]`, `0"x"`, `1[]`, `3{}`, `4[]`, `5["say"]`, `5-["say"]`, `50-["say"]`, `511-["say"]`, `5999-["a"]`,
		`299999999999999999999["say"]`, `2["say"]]`, `2/a["say"]`,
	} {
		if got, err := parsePacket([]byte(text)); err == nil {
			t.Errorf("%s is read as %+v", text, got)
		}
	}
}

// normal has no data be of one kind.
func normal(p packet) packet {
	if len(p.data) == 0 {
		p.data = nil
	}
	return p
}

func TestEventsHaveANameAndArguments(t *testing.T) {
	p := packet{data: []byte(` ["say", {"a":1}, null]`)}
	name, args, err := p.event()
	if err != nil || name != "say" || len(args) != 2 || string(args[0]) != `{"a":1}` || string(args[1]) != "null" {
		t.Errorf("%s %s %v", name, args, err)
	}
	for _, data := range []string{`[]`, `[1]`, `[{}]`, `{}`} {
		p.data = []byte(data)
		if name, _, err := p.event(); err == nil {
			t.Errorf("%s is the event %q", data, name)
		}
	}
	if got := string(AppendEvent(nil, "a\"b", []byte("1"), []byte("{}"))); got != `42["a\"b",1,{}]` {
		t.Errorf("got %s", got)
	}
}

// FuzzPacket has what can be read be written again as the same packet.
func FuzzPacket(f *testing.F) {
	for _, seed := range []string{
		`0`, `0{"echoMessages":true,"envId":"env-1","apiKey":"k","session":"s"}`, `0/admin,{}`, `1`, `2["join",{"channel":"chat"}]`, `2/a,7["x"]`, `212["x",[],{}]`,
		`35[{"a":[1,2]}]`, `4{"message":"no"}`, `52-["x",{"_placeholder":true,"num":0}]`, `61-3[]`, "2[\"\x1e\"]", `2[null]`, `2/,["x"]`, `20["x"]`, `200["x"]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := parsePacket(text)
		if err != nil {
			return
		}
		if len(p.data) > 0 && !json.Valid(p.data) {
			t.Fatalf("%q has no JSON: %q", text, p.data)
		}
		if p.kind == kindEvent {
			_, _, _ = p.event() // may fail, and must not panic
		}
		again, err := parsePacket(p.message()[1:])
		if err != nil || !reflect.DeepEqual(normal(again), normal(p)) {
			t.Fatalf("%q is %+v, and written again %+v, %v", text, p, again, err)
		}
	})
}

// FuzzPayload has the packets of a payload be all of it.
func FuzzPayload(f *testing.F) {
	for _, seed := range []string{"", "2", "3probe", "42[\"a\"]\x1e3\x1e6", "\x1e\x1e", "bAQID\x1e4"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		var all [][]byte
		for p := range packets(payload) {
			all = append(all, p)
		}
		if got := bytes.Join(all, []byte{separator}); !bytes.Equal(got, payload) {
			t.Fatalf("%q is taken apart as %q", payload, all)
		}
	})
}

// FuzzSession has a client send any payload: what it is told are packets, and a session that is over says nothing.
func FuzzSession(f *testing.F) {
	for _, seed := range []string{
		"40\x1e42[\"a\",1]\x1e421[\"b\"]", "40{}\x1e451-[\"d\",{\"_placeholder\":true,\"num\":0}]\x1ebAQID\x1e42[\"e\",null]", "40/admin,\x1e40", "40{\"i\":\"nobody\"}\x1e3\x1e40",
		"40\x1e41", "1", "3\x1e3\x1e40\x1e430[]\x1e461-0[]\x1ebAA==", "40\x1e42[\"block\",1]", "2probe\x1e5", "40\x1e42[1]",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		s := &site{Server: New(Options{PingInterval: time.Hour, PingTimeout: time.Hour, WriteTimeout: time.Millisecond}), limits: Limits{PayloadBytes: 1 << 20, SignInBytes: 1 << 20, ConnectTimeout: time.Hour}}
		c := s.begin(nil, s, nil)
		close(s.last().block)
		for p := range packets(payload) {
			if !c.handle(p) {
				c.Close()
				break
			}
		}
		for _, text := range c.waiting {
			if p, err := parsePacket(text[1:]); text[0] != typeMessage || err != nil || p.kind == kindEvent && !json.Valid(p.data) {
				t.Fatalf("the client is told %q: %v", text, err)
			}
		}
		c.Close()
		if err := c.write(time.Now(), []byte("6"), true); !errors.Is(err, ErrClosed) {
			t.Fatalf("a session that is over takes more: %v", err)
		}
	})
}
