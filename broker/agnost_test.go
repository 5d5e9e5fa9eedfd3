package broker

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/limits"
)

// polls makes a request of Socket.IO over HTTP, on a connection of its own.
func polls(t *testing.T, b *Broker, method, sid, origin, body string) (int, string) {
	t.Helper()
	url := "http://" + b.HTTPAddr() + "/socket.io/?EIO=4&transport=polling"
	if sid != "" {
		url += "&sid=" + sid
	}
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if r.Close = true; origin != "" {
		r.Host = strings.TrimPrefix(origin, "http://")
		if method != http.MethodGet { // of the page's own host, of a GET browsers do not say it
			r.Header.Set("Origin", origin)
		}
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// session begins a session that is polled.
func session(t *testing.T, b *Broker) string {
	t.Helper()
	status, text := polls(t, b, http.MethodGet, "", "", "")
	var open struct{ SID string }
	if status != http.StatusOK || json.Unmarshal([]byte(strings.TrimPrefix(text, "0")), &open) != nil {
		t.Fatalf("%d %s", status, text)
	}
	return open.SID
}

// A session over HTTP that nobody comes in by counts as a connection that is half open, and makes room.
func TestSessionsOverHTTPMakeRoom(t *testing.T) {
	cfg := testConfig(t)
	cfg.Quotas.HalfOpen = 4
	b := start(t, cfg)
	in := session(t, b)
	if status, text := polls(t, b, http.MethodPost, in, "", "40"); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	var waiting []string
	for range 12 {
		waiting = append(waiting, session(t, b))
	}
	for _, sid := range waiting[:6] {
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) { // it is closed by a goroutine
			if status, _ := polls(t, b, http.MethodPost, sid, "", "3"); status == http.StatusBadRequest {
				break
			}
			if time.Now().After(end) {
				t.Fatal("a session that waits is there still")
			}
		}
	}
	if n := b.Limits().Of(limits.HalfOpen); n < 6 {
		t.Errorf("%d were closed", n)
	}
	if status, text := polls(t, b, http.MethodGet, in, "", ""); status != http.StatusOK || !strings.HasPrefix(text, "40") {
		t.Errorf("who has come in: %d %s", status, text)
	}
}

// However sessions end, nothing of them is counted any more.
func TestSessionsOverHTTPAreConnectionsOfTheirAddress(t *testing.T) {
	const most = 5
	cfg := testConfig(t)
	cfg.Quotas.ConnectionsPerAddress = most
	b := start(t, cfg)
	in := 0
	var sids []string
	for range 2 * most {
		status, text := polls(t, b, http.MethodGet, "", "", "")
		if status == http.StatusTooManyRequests { // the connection is one too many
			continue
		}
		var open struct{ SID string }
		if err := json.Unmarshal([]byte(strings.TrimPrefix(text, "0")), &open); err != nil {
			t.Fatalf("%d %s", status, text)
		}
		sids = append(sids, open.SID)
		if status, _ := polls(t, b, http.MethodPost, open.SID, "", "40"); status == http.StatusTooManyRequests {
			continue
		}
		switch status, text := polls(t, b, http.MethodGet, open.SID, "", ""); {
		case strings.HasPrefix(text, "40"):
			in++
		case status != http.StatusTooManyRequests && !strings.Contains(text, "as many connections as it may have"):
			t.Errorf("got %d %s", status, text)
		}
	}
	if in == 0 || in >= most { // for there is the connection by which it is asked
		t.Errorf("%d have come in", in)
	}
	polled, _ := b.listeners.agnost.Sessions()
	for end := time.Now().Add(10 * time.Second); b.listeners.crowd.sockets.Load() > 1 || polled > 0; polled, _ = b.listeners.agnost.Sessions() {
		for _, sid := range sids {
			polls(t, b, http.MethodPost, sid, "", "41") // is refused while connections of before count still
		}
		if time.Now().After(end) {
			t.Fatalf("%d connections and %d sessions are counted", b.listeners.crowd.sockets.Load(), polled)
		}
		time.Sleep(time.Millisecond)
	}
}

// A page whose name was pointed to this machine may begin a session, for the browser does not say from which page
// it asks. It does not come in, and neither does it by one that it knows of.
func TestAPageThatTakesTheBrokerForItsHostDoesNotComeIn(t *testing.T) {
	b := start(t, testConfig(t))
	evil := "http://evil.example:8080"
	status, text := polls(t, b, http.MethodGet, "", evil, "")
	var open struct{ SID string }
	if status != http.StatusOK || json.Unmarshal([]byte(strings.TrimPrefix(text, "0")), &open) != nil {
		t.Fatalf("%d %s", status, text)
	}
	for _, sid := range []string{open.SID, session(t, b)} {
		if status, text := polls(t, b, http.MethodPost, sid, evil, "40"); status != http.StatusForbidden || !strings.Contains(text, `"code":4`) {
			t.Errorf("%d %s", status, text)
		}
		if status, text := polls(t, b, http.MethodPost, sid, "http://"+b.HTTPAddr(), "40"); status != http.StatusOK {
			t.Errorf("a page of its own: %d %s", status, text)
		}
	}
}

// What is no browser says nothing of a page, and may call the broker by any name.
func TestClientsOfSocketIOThatAreNoBrowsersComeInByAnyName(t *testing.T) {
	b := start(t, testConfig(t))
	ws, _, err := websocket.Dial(t.Context(), "ws://"+b.HTTPAddr()+"/socket.io/?EIO=4&transport=websocket", &websocket.DialOptions{Host: "realtime.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.CloseNow() }() // it was enough
	if answer, err := says(t, ws, "40"); err != nil || !strings.HasPrefix(answer, `0{"sid"`) {
		t.Fatalf("%s, %v", answer, err)
	}
	if _, answer, err := ws.Read(t.Context()); err != nil || !strings.HasPrefix(string(answer), `40{"sid"`) {
		t.Errorf("%s, %v", answer, err)
	}
}

// Clients on either transport are told that it is over, and come back by themselves: no DISCONNECT comes.
func TestABrokerThatEndsLetsSessionsGo(t *testing.T) {
	b := start(t, testConfig(t))
	sid := session(t, b)
	polls(t, b, http.MethodPost, sid, "", "40")
	if _, text := polls(t, b, http.MethodGet, sid, "", ""); !strings.HasPrefix(text, "40") {
		t.Fatal(text)
	}
	ws, _, err := websocket.Dial(t.Context(), "ws://"+b.HTTPAddr()+"/realtime/?EIO=4&transport=websocket", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.CloseNow() }() // it is closed
	if err := ws.Write(t.Context(), websocket.MessageText, []byte("40")); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`0{"sid"`, `40{"sid"`} {
		if _, text, err := ws.Read(t.Context()); err != nil || !strings.HasPrefix(string(text), want) {
			t.Fatalf("%s, %v", text, err)
		}
	}
	ended := make(chan string, 1)
	go func() {
		_, text, err := ws.Read(context.Background())
		ended <- fmt.Sprint(string(text), websocket.CloseStatus(err))
	}()
	limited, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := b.Close(limited); err != nil {
		t.Error(err)
	}
	if text := <-ended; text != websocket.StatusNormalClosure.String() {
		t.Errorf("the client was told %s", text)
	}
}

func TestAgnostsProtocolMayBeOff(t *testing.T) {
	cfg := testConfig(t)
	cfg.Agnost.Enabled = false
	b := start(t, cfg)
	if status, _ := polls(t, b, http.MethodGet, "", "", ""); status != http.StatusNotFound {
		t.Errorf("it is answered %d", status)
	}
	cfg.Agnost.PingInterval, cfg.Agnost.PingTimeout = 0, time.Millisecond
	if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "agnost.ping_interval") || !strings.Contains(err.Error(), "agnost.ping_timeout") {
		t.Errorf("times that cannot be: %v", err)
	}
}

// A key that is shown beside a session holds for as long as the client is there: it goes at once when that is
// revoked, and not with the next ping.
func TestAKeyBesideASessionThatCountsNoMoreEndsIt(t *testing.T) {
	cfg := testConfig(t)
	cfg.Anonymous, cfg.Agnost.KeyRequired = "none", true
	cfg.Agnost.PingInterval = time.Hour
	cfg.Users = filepath.Join(t.TempDir(), "users")
	if err := os.WriteFile(cfg.Users, []byte("anna:-\napp:-\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := start(t, cfg)
	door := b.hook.Door()
	ends := map[string]func(id string) error{
		"revoked": func(id string) error { return door.Keys.Delete(t.Context(), id) },
		"expires": func(string) error { return nil },
		"banned": func(string) error {
			_, err := door.Bans.Create(t.Context(), access.Ban{Kind: access.BanUser, Of: "app"})
			return err
		},
	}
	for _, name := range []string{"revoked", "expires", "banned"} { // nobody comes in behind the last one
		app := access.Key{User: "app"}
		if name == "expires" {
			app.Expires = time.Now().Add(time.Second)
		}
		made, key, err := door.Keys.Create(t.Context(), app)
		if err != nil {
			t.Fatal(err)
		}
		_, session, err := door.Keys.Create(t.Context(), access.Key{User: "anna"})
		if err != nil {
			t.Fatal(err)
		}
		ws, _, err := websocket.Dial(t.Context(), "ws://"+b.HTTPAddr()+"/socket.io/?EIO=4&transport=websocket", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = ws.CloseNow() }() // it is closed
		limited, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := ws.Write(limited, websocket.MessageText, fmt.Appendf(nil, `40{"apiKey":%q,"session":%q}`, key, session)); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{`0{"sid"`, `40{"sid"`, "41"} {
			_, text, err := ws.Read(limited)
			if err != nil || !strings.HasPrefix(string(text), want) {
				t.Fatalf("%s: %s, %v: want %s", name, text, err, want)
			}
			if strings.HasPrefix(want, "40") {
				if err := ends[name](made.ID); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}
