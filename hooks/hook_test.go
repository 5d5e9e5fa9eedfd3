package hooks

import (
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/sessions"
	"github.com/ambitmq/ambit/topics"
)

// newHook returns a hook on a store in memory. Clients have it work in the tests
// of package sessions; here are its answers alone.
func newHook(t *testing.T, o Options) *Hook {
	t.Helper()
	store, err := persistence.Open("data", persistence.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	o.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	hook, engine := New(store, o, sessions.Options{Log: o.Log})
	applied := make(chan struct{})
	go func() {
		defer close(applied)
		for batch := range store.Tail() {
			hook.Apply(batch)
		}
	}()
	t.Cleanup(func() {
		engine.Close()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
		<-applied
	})
	return hook
}

// fault returns the reason code of an error, and 0 of none.
func fault(t *testing.T, err error) byte {
	t.Helper()
	var e *sessions.Error
	if err != nil && !errors.As(err, &e) {
		t.Fatalf("%v has no reason code", err)
	}
	if e == nil {
		return 0
	}
	return e.Code
}

func TestDocumentSaysWhatAMessageWrites(t *testing.T) {
	hook := newHook(t, Options{
		AutoCreate:  true,
		Collections: map[string]Collection{"strict/docs": {Strict: true}},
		Documents:   filter.DocumentLimits{Depth: 3},
	})
	declared := newHook(t, Options{Collections: map[string]Collection{"fleet/trucks": {}}})
	for _, tt := range []struct {
		name, topic, payload, volatile string
		hook                           *Hook
		writes                         bool
		code                           byte
	}{
		{name: "an object", topic: "fleet/trucks/1", payload: `{"a":1}`, writes: true},
		{name: "nothing deletes", topic: "fleet/trucks/1", writes: true},
		{name: "an array is an ordinary message", topic: "fleet/trucks/1", payload: `[1]`},
		{name: "so is text", topic: "fleet/trucks/1", payload: `on`},
		{name: "but not where only objects are let in", topic: "strict/docs/1", payload: `on`, code: 0x99},
		{name: "a name twice", topic: "fleet/trucks/1", payload: `{"a":1,"a":2}`, code: 0x99},
		{name: "too deep", topic: "fleet/trucks/1", payload: `{"a":[[[1]]]}`, code: 0x99},
		{name: "volatile data", topic: "fleet/trucks/1", payload: `{}`, volatile: `{"by":"me"}`, writes: true},
		{name: "volatile data that is nested too deep", topic: "fleet/trucks/1", payload: `{}`, volatile: `[[[[]]]]`, code: 0x99},
		{name: "volatile data that is not JSON", topic: "fleet/trucks/1", payload: `{}`, volatile: `me`, code: 0x99},
		{name: "a collection that is declared", topic: "fleet/trucks/1", payload: `{}`, hook: declared, writes: true},
		{name: "one that is not", topic: "fleet/vans/1", payload: `{}`, hook: declared},
	} {
		t.Run(tt.name, func(t *testing.T) {
			name, err := topics.ParseName(tt.topic, topics.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			h := tt.hook
			if h == nil {
				h = hook
			}
			m := &sessions.Message{Topic: tt.topic, Payload: []byte(tt.payload), From: "dev"}
			if tt.volatile != "" {
				m.Properties = sessions.AppendUser(nil, "volatile", tt.volatile)
			}
			w, err := h.Document(nil, name, m)
			if code := fault(t, err); code != tt.code || (w != nil) != tt.writes {
				t.Fatalf("writes %v, %v; want %v and code 0x%02X", w != nil, err, tt.writes, tt.code)
			}
			if w != nil && (string(w.Body) != tt.payload || w.Origin.ClientID != "dev" || string(w.Origin.Volatile) != tt.volatile) {
				t.Errorf("it writes %+v", w)
			}
		})
	}
}

func TestResolveFindsTheFilterOfARoom(t *testing.T) {
	hook := newHook(t, Options{Filters: filter.Limits{Cost: 2}})
	const typed = `fleet/trucks/?{"range":{"speed":{"gt":50}}}`
	resolve := func(topicFilter, remembered string) (sessions.Target, error) {
		t.Helper()
		to, err := topics.ParseFilter(topicFilter, topics.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		var stored []byte
		if remembered != "" {
			stored = []byte(remembered)
		}
		return hook.Resolve(nil, to, stored)
	}
	room, err := resolve(typed, "")
	if err != nil || room.Kind != topics.Room || len(room.Hash) != 32 {
		t.Fatalf("%+v %v", room, err)
	}
	byHash := "fleet/trucks/~" + room.Hash
	if _, err := resolve(byHash, ""); fault(t, err) != 0x8f {
		t.Errorf("a hash that no room has: %v", err)
	}
	if again, err := resolve(byHash, room.Filter); err != nil || again.Hash != room.Hash {
		t.Errorf("a hash whose filter is remembered: %+v %v", again, err)
	}
	bare := "fleet/trucks/" + room.Hash
	if plain, err := resolve(bare, ""); err != nil || plain.Kind != topics.Plain {
		t.Errorf("a document that is named like a hash: %+v %v", plain, err)
	}
	to, err := topics.ParseFilter(typed, topics.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if err := hook.Join("dash", to, room, nil); err != nil {
		t.Fatal(err)
	}
	for _, topicFilter := range []string{byHash, bare} {
		if again, err := resolve(topicFilter, ""); err != nil || again.Kind != topics.Room || again.Hash != room.Hash {
			t.Errorf("%s: %+v %v", topicFilter, again, err)
		}
	}
	if hook.Leave("dash", to, room); hook.Rooms() != 0 {
		t.Error("the room is still there")
	}
	if _, err := resolve(`fleet/trucks/?{"and":[{"exists":"a"},{"exists":"b"},{"exists":"c"}]}`, ""); fault(t, err) != 0x8f || !strings.Contains(err.Error(), "limit is 2") {
		t.Errorf("a filter beyond the limit: %v", err)
	}
}

func TestOnlyThisMachineIsLetInWithoutSigningIn(t *testing.T) {
	for _, tt := range []struct {
		name   string
		remote net.Addr
		local  bool // may
		all    bool
		code   byte
	}{
		{"this machine", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, true, false, 0},
		{"this machine by IPv6", &net.TCPAddr{IP: net.IPv6loopback}, true, false, 0},
		{"a Unix socket", &net.UnixAddr{Name: "/run/ambit.sock", Net: "unix"}, true, false, 0},
		{"another machine", &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}, true, false, 0x87},
		{"another machine, if all may", &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}, true, true, 0},
		{"this machine, if nobody may", &net.TCPAddr{IP: net.IPv6loopback}, false, false, 0x87},
		{"nobody knows", &net.IPAddr{}, true, false, 0x87},
	} {
		t.Run(tt.name, func(t *testing.T) {
			hook := newHook(t, Options{AllowLocal: tt.local, AllowRemote: tt.all})
			if code := fault(t, hook.Admit(&sessions.Client{Remote: tt.remote})); code != tt.code {
				t.Errorf("code 0x%02X, want 0x%02X", code, tt.code)
			}
		})
	}
}
