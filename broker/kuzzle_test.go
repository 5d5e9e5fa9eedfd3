package broker

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/limits"
)

// talk opens a WebSocket of Kuzzle's protocol.
func talk(t *testing.T, b *Broker) *websocket.Conn {
	t.Helper()
	ws, _, err := websocket.Dial(t.Context(), "ws://"+b.HTTPAddr()+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.CloseNow() }) // it may be closed
	return ws
}

// says sends a request and returns the answer, or why the connection ended.
func says(t *testing.T, ws *websocket.Conn, request string) (string, error) {
	t.Helper()
	if err := ws.Write(t.Context(), websocket.MessageText, []byte(request)); err != nil {
		return "", err
	}
	_, answer, err := ws.Read(t.Context())
	return string(answer), err
}

// Where one has to sign in, whoever does not is half open, however much it says, and may not
// send more than CONNECT may have; whoever does is let in for good.
func TestKuzzlesClientsThatDoNotSignInMakeRoom(t *testing.T) {
	cfg := testConfig(t)
	cfg.Anonymous, cfg.Users = "none", filepath.Join(t.TempDir(), "users")
	cfg.Quotas.HalfOpen, cfg.Quotas.HalfOpenPerAddress = 3, 3
	if err := os.WriteFile(cfg.Users, []byte("anna:-\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := start(t, cfg)
	_, key, err := b.hook.Door().Keys.Create(t.Context(), access.Key{User: "anna"})
	if err != nil {
		t.Fatal(err)
	}
	in := talk(t, b)
	if answer, err := says(t, in, `{"controller":"server","action":"now","jwt":"`+key+`"}`); err != nil || !strings.Contains(answer, `"status":200`) {
		t.Fatalf("%s, %v", answer, err)
	}
	long := `{"controller":"server","action":"now","jwt":"` + key + `","volatile":{"a":"` + strings.Repeat("x", cfg.Limits.ConnectBytes) + `"}}`
	if answer, err := says(t, in, long); err != nil || !strings.Contains(answer, `"status":200`) {
		t.Errorf("a long request of who has signed in: %.200s, %v", answer, err)
	}
	if _, err := says(t, talk(t, b), long); websocket.CloseStatus(err) != websocket.StatusMessageTooBig {
		t.Errorf("a long request of who has not: %v", err)
	}
	var silent []*websocket.Conn
	for range 8 {
		ws := talk(t, b)
		if answer, err := says(t, ws, `{"controller":"server","action":"now"}`); err != nil || !strings.Contains(answer, `"status":401`) {
			t.Fatalf("%s, %v", answer, err)
		}
		silent = append(silent, ws)
	}
	for _, ws := range silent[:5] {
		if _, err := says(t, ws, `{"p":1}`); err == nil {
			t.Error("it is there still")
		}
	}
	if n := b.Limits().Of(limits.HalfOpen); n < 5 || n > 6 { // the one that said too much may be gone by itself
		t.Errorf("%d were closed, want 5", n)
	}
	if answer, err := says(t, in, `{"p":1}`); err != nil || answer != `{"p":2}` {
		t.Errorf("who has signed in is told %q, %v", answer, err)
	}
}

// On one connection each request has the rights of its own token: those of a key with fewer roles are not those of
// the same user's key before it, nor the other way round.
func TestKuzzlesKeysOfOneUserKeepTheirOwnRights(t *testing.T) {
	cfg := testConfig(t)
	dir := t.TempDir()
	cfg.Anonymous, cfg.Users, cfg.Access = "none", filepath.Join(dir, "users"), filepath.Join(dir, "policy.yaml")
	const policy = `roles:
  user: {api: ["realtime:*"]}
  viewer: {collections: {fleet/trucks: {list: true}}}
`
	for file, text := range map[string]string{cfg.Users: `anna:- {"roles":["viewer"]}` + "\n", cfg.Access: policy} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b := start(t, cfg)
	subscribe := map[string]string{}
	for name, grants := range map[string]*access.Grants{"wide": nil, "narrow": {}} {
		_, key, err := b.hook.Door().Keys.Create(t.Context(), access.Key{User: "anna", Grants: grants})
		if err != nil {
			t.Fatal(err)
		}
		subscribe[name] = `{"controller":"realtime","action":"subscribe","index":"fleet","collection":"trucks","body":{},"jwt":"` + key + `"}`
	}
	for _, order := range [][]string{{"wide", "narrow", "wide"}, {"narrow", "wide", "narrow"}} {
		ws := talk(t, b)
		for _, name := range order {
			status := map[string]string{"wide": `"status":200`, "narrow": `"status":403`}[name]
			if answer, err := says(t, ws, subscribe[name]); err != nil || !strings.Contains(answer, status) {
				t.Errorf("%v: the %s key is answered %s, %v", order, name, answer, err)
			}
		}
	}
}
