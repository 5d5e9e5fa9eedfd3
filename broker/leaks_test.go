package broker

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// stream asks for Server-Sent Events, and returns the data of the first one.
func stream(t *testing.T, b *Broker, path string) (c net.Conn, first string) {
	t.Helper()
	c, err := net.Dial("tcp", b.HTTPAddr())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SetDeadline(time.Now().Add(deadline)); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, b.HTTPAddr()); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(c)
	for lines.Scan() {
		if _, data, ok := strings.Cut(lines.Text(), "data:"); ok {
			return c, data
		}
	}
	t.Fatalf("%s: the stream ends: %v", path, lines.Err())
	return nil, ""
}

// Clients of other protocols leave nothing behind: no goroutine, no session and no room.
func TestNothingIsLeftOfClientsOfOtherProtocols(t *testing.T) {
	b := start(t, testConfig(t))
	come := map[string]func() func(){
		"a room": func() func() {
			c, _ := stream(t, b, "/api/rooms/fleet/trucks")
			return func() { _ = c.Close() }
		},
		"PocketBase": func() func() {
			c, first := stream(t, b, "/api/realtime")
			var told struct{ ClientID string }
			if err := json.Unmarshal([]byte(first), &told); err != nil {
				t.Fatal(err)
			}
			body := `{"clientId":"` + told.ClientID + `","subscriptions":["fleet.trucks/*","fleet.trucks/1"]}`
			r, err := http.Post("http://"+b.HTTPAddr()+"/api/realtime", "application/json", strings.NewReader(body))
			if err != nil || r.StatusCode != http.StatusNoContent {
				t.Fatalf("%+v, %v", r, err)
			}
			_ = r.Body.Close() // there is none
			return func() { _ = c.Close() }
		},
		"Kuzzle": func() func() {
			ws, _, err := websocket.Dial(t.Context(), "ws://"+b.HTTPAddr()+"/", nil) //nolint:bodyclose // the library does
			if err != nil {
				t.Fatal(err)
			}
			if answer, err := says(t, ws, `{"controller":"realtime","action":"subscribe","index":"fleet","collection":"trucks","body":{}}`); err != nil || !strings.Contains(answer, `"status":200`) {
				t.Fatalf("%s, %v", answer, err)
			}
			return func() { _ = ws.CloseNow() }
		},
	}
	http.DefaultClient.CloseIdleConnections()
	before := runtime.NumGoroutine() + 2 // the engine and the store may each begin to ring a bell
	const each = 30
	for range 3 {
		var leave []func()
		for range each {
			for _, c := range come {
				leave = append(leave, c())
			}
		}
		if n := b.hook.Rooms(); n != 2 {
			t.Errorf("there are %d rooms, want 2", n)
		}
		for _, l := range leave {
			l()
		}
		http.DefaultClient.CloseIdleConnections()
		for end := time.Now().Add(deadline); b.hook.Rooms() > 0 || runtime.NumGoroutine() > before; runtime.Gosched() {
			if time.Now().After(end) {
				buf := make([]byte, 1<<20)
				t.Fatalf("%d rooms, %d goroutines of before %d:\n%s", b.hook.Rooms(), runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
			}
		}
	}
}
