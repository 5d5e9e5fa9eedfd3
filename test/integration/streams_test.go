package integration

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// A rawStream is a stream of events by the socket alone, so that it can be left unread.
type rawStream struct {
	conn  net.Conn
	lines *bufio.Reader
	id    string // of a client of PocketBase's
}

// openRaw asks for a room by the path of Server-Sent Events, and reads the first event.
func openRaw(t testing.TB, b *broker, path string) *rawStream {
	t.Helper()
	s, err := tryRaw(b, path)
	if s != nil {
		t.Cleanup(func() { _ = s.conn.Close() })
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func tryRaw(b *broker, path string) (*rawStream, error) {
	conn, err := net.Dial("tcp", b.http)
	if err != nil {
		return nil, err
	}
	s := &rawStream{conn: conn, lines: bufio.NewReader(conn)}
	if err := conn.SetDeadline(time.Now().Add(3 * patience)); err != nil {
		return s, err
	}
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, b.http); err != nil {
		return s, err
	}
	first, err := s.next()
	if err == nil && path == "/api/realtime" {
		var told struct{ ClientID string }
		if err = json.Unmarshal([]byte(first), &told); err == nil {
			s.id = told.ClientID
			err = s.subscribe(b, "fleet.trucks/*")
		}
	}
	return s, err
}

// subscribe sets what a client of PocketBase's is told.
func (s *rawStream) subscribe(b *broker, topics ...string) error {
	text, err := json.Marshal(map[string]any{"clientId": s.id, "subscriptions": topics})
	if err != nil {
		return err
	}
	r, err := http.Post("http://"+b.http+"/api/realtime", "application/json", strings.NewReader(string(text)))
	if err != nil {
		return err
	}
	_ = r.Body.Close() // there is none
	if r.StatusCode != http.StatusNoContent {
		return errors.New(r.Status)
	}
	return nil
}

// next returns the data of the next event. Other lines are passed over, the header among them.
func (s *rawStream) next() (string, error) {
	for {
		line, err := s.lines.ReadString('\n')
		if err != nil {
			return "", err
		}
		if _, data, ok := strings.Cut(line, "data:"); ok {
			return strings.TrimSpace(data), nil
		}
	}
}

// streams are the paths by which rooms are told as Server-Sent Events.
var streams = map[string]string{"room": "/api/rooms/fleet/trucks", "pocketbase": "/api/realtime"}

// Who does not read his stream is ended, and all others are told everything.
func TestAStreamThatIsNotReadEnds(t *testing.T) {
	t.Parallel()
	b := startBroker(t, brokerOptions{config: "limits: {queue_bytes: 262144, write_timeout: 1s}"})
	read, unread := map[string]*rawStream{}, map[string]*rawStream{}
	for name, path := range streams {
		read[name], unread[name] = openRaw(t, b, path), openRaw(t, b, path)
	}
	kuzzle := openKuzzle(t, b)
	const documents = 200
	body := strings.Repeat("x", 60<<10)
	var reading sync.WaitGroup
	for name, s := range read {
		reading.Go(func() {
			for i := range documents {
				if data, err := s.next(); err != nil || !strings.Contains(data, fmt.Sprintf(`"n":%d,`, i)) {
					t.Errorf("%s: event %d is %.200s, %v", name, i, data, err)
					return
				}
			}
		})
	}
	device := connect(t, b, connectOptions{})
	for i := range documents {
		device.put(t, "fleet/trucks/1", fmt.Sprintf(`{"n":%d,"x":%q}`, i, body))
	}
	reading.Wait()
	for name, s := range unread {
		if err := s.conn.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, s.lines); errors.Is(err, net.ErrClosed) || isTimeout(err) || n > documents*60<<10 {
			t.Errorf("%s: the stream has gone on for %d bytes, %v", name, n, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var err error
	for n := 0; err == nil && n <= documents; n++ {
		_, _, err = kuzzle.Read(ctx)
	}
	if err == nil || ctx.Err() != nil {
		t.Errorf("kuzzle: the connection has gone on: %v", err)
	}
	eventually(t, "the others alone are in the room", func() bool { return b.members(t) == len(read) })
}

// openKuzzle opens a WebSocket of Kuzzle's protocol that is in the room of all of fleet/trucks.
func openKuzzle(t *testing.T, b *broker) *websocket.Conn {
	t.Helper()
	ws, _, err := websocket.Dial(t.Context(), "ws://"+b.http+"/", nil) //nolint:bodyclose // the library does
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.CloseNow() })
	ws.SetReadLimit(1 << 20)
	request := `{"controller":"realtime","action":"subscribe","index":"fleet","collection":"trucks","body":{}}`
	if err := ws.Write(t.Context(), websocket.MessageText, []byte(request)); err != nil {
		t.Fatal(err)
	}
	if _, answer, err := ws.Read(t.Context()); err != nil || !strings.Contains(string(answer), `"status":200`) {
		t.Fatalf("%s, %v", answer, err)
	}
	return ws
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// members returns how many are in rooms of fleet/trucks.
func (b *broker) members(t testing.TB) int {
	t.Helper()
	n := 0
	for _, members := range rooms(t, b)["fleet"]["trucks"] {
		n += members
	}
	return n
}

func rooms(t testing.TB, b *broker) map[string]map[string]map[string]int {
	t.Helper()
	r, err := http.Post("http://"+b.http+"/api/realtime/list", "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }() // it was read
	var told struct {
		Result map[string]map[string]map[string]int
	}
	if err := json.NewDecoder(r.Body).Decode(&told); err != nil {
		t.Fatal(err)
	}
	return told.Result
}

func TestAThousandStreamsAreTold(t *testing.T) {
	t.Parallel()
	b := startBroker(t, brokerOptions{})
	each := map[string]int{"room": 1000, "pocketbase": 200}
	var all []*rawStream
	var mu sync.Mutex // guards all
	var opening sync.WaitGroup
	for name, path := range streams {
		for range 20 {
			opening.Go(func() {
				for range each[name] / 20 {
					s, err := tryRaw(b, path)
					mu.Lock()
					all = append(all, s)
					mu.Unlock()
					if err != nil {
						t.Errorf("%s: %v", path, err)
						return
					}
				}
			})
		}
	}
	opening.Wait()
	t.Cleanup(func() {
		for _, s := range all {
			if s != nil {
				_ = s.conn.Close()
			}
		}
	})
	if t.Failed() {
		return
	}
	if n := b.members(t); n != len(all) {
		t.Errorf("%d are in the room, want %d", n, len(all))
	}
	device := connect(t, b, connectOptions{})
	for n := range 3 {
		device.put(t, "fleet/trucks/1", fmt.Sprintf(`{"n":%d}`, n))
	}
	for i, s := range all {
		for n := range 3 {
			if data, err := s.next(); err != nil || !strings.Contains(data, fmt.Sprintf(`"n":%d`, n)) {
				t.Fatalf("stream %d, event %d: %s %v", i, n, data, err)
			}
		}
		_ = s.conn.Close() // its client goes
	}
	eventually(t, "all have left the room", func() bool { return b.members(t) == 0 })
}

func TestARightThatIsLostIsToldToAStream(t *testing.T) {
	t.Parallel()
	c := startCompany(t)
	s := openEvents(t, c.broker, url.Values{}, "", "anna", "secret")
	s.begins(t, "0")
	boss := c.connect("carl", false)
	boss.put(t, "fleet/trucks/1", `{"tenant":"acme","desk":"1"}`)
	s.wants(t, "1 enter 1")
	c.write(strings.Replace(policy, "list: {equals: {tenant: {$auth: tenant}}}", "list: {equals: {desk: '2'}}", 1))
	e, _ := s.next()
	if n := parseTold(t, message{payload: []byte(e.data)}); n.Transition != "exit" || n.Result.ID != "1" || strings.Contains(e.data, "desk") {
		t.Errorf("told %+v", e)
	}
	c.write(policy)
	e, _ = s.next()
	if n := parseTold(t, message{payload: []byte(e.data)}); n.Transition != "enter" || n.Result.ID != "1" {
		t.Errorf("told %+v", e)
	}
	boss.put(t, "fleet/trucks/1", `{"tenant":"other"}`)
	if e, _ = s.next(); !strings.Contains(e.data, `"transition":"exit"`) {
		t.Errorf("told %+v", e)
	}
}

// On a stream of PocketBase's nobody says who it is: where clients have to sign in, those that have
// not subscribed make room for others.
func TestStreamsOfNobodyAreHalfOpen(t *testing.T) {
	t.Parallel()
	c := startCompany(t)
	c.kill()
	b := startBroker(t, brokerOptions{config: fmt.Sprintf("{anonymous: none, users: %q, access: %q, quotas: {half_open: 4, half_open_per_address: 2}}", c.users, c.policy)})
	streams := make([]*rawStream, 6)
	for i := range streams {
		conn, err := net.Dial("tcp", b.http)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		streams[i] = &rawStream{conn: conn, lines: bufio.NewReader(conn)}
		if _, err := fmt.Fprintf(conn, "GET /api/realtime HTTP/1.1\r\nHost: %s\r\n\r\n", b.http); err != nil {
			t.Fatal(err)
		}
		if _, err := streams[i].next(); err != nil && i < 4 {
			t.Fatalf("stream %d: %v", i, err)
		}
	}
	if err := streams[0].conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if data, err := streams[0].next(); err == nil || isTimeout(err) {
		t.Errorf("the first one goes on: %s %v", data, err)
	}
	connect(t, b, connectOptions{user: "carl", password: "secret"})
}
