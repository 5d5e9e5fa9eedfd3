package web

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/api"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/rooms"
)

// nobody is told of anything.
type nobody struct{}

func (nobody) Publish(string, []string, *rooms.Message)                         {}
func (nobody) Announce(*persistence.Op, string, []byte, string)                 {}
func (nobody) TellUser(string, api.UserEvent) <-chan error                      { return nil }
func (nobody) LeaveRoom(string, string) (bool, error)                           { return false, nil }
func (nobody) GoOver(_ rooms.Name, _ []rooms.Membership, r *persistence.Result) { r.Snapshot.Close() }

func (nobody) apply(t *testing.T, s *persistence.Store) func() {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for batch := range s.Tail() {
			for _, r := range batch {
				r.Apply()
			}
		}
	}()
	return func() { <-done }
}

// serve serves the API of a new store, to callers from an address.
func serve(t *testing.T, door *access.Door, remote string, o Options) *httptest.Server {
	t.Helper()
	store, err := persistence.Open("data", persistence.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	applied := nobody{}.apply(t, store)
	router := api.New(store, rooms.New("node-1", nobody{}, rooms.Options{}), nobody{}, api.Options{AutoCreate: true})
	mux := http.NewServeMux()
	New(router, door, o).Routes(mux)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if remote != "" {
			r.RemoteAddr = remote
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		server.Close()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
		applied()
	})
	return server
}

func options() Options {
	return Options{RequestBytes: func() int { return 1000 },
		Pages: func() Pages {
			return Pages{Origins: []string{"maps.example.com", "https://*.example.org"}, Hosts: []string{"ambit.local"}}
		},
		ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
		Peer: func(*http.Request) access.Peer { return access.Peer{} },
	}
}

// ask makes a request and returns its status, and the error id in its envelope.
func ask(t *testing.T, server *httptest.Server, method, path, body string, header map[string]string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		if r.Header.Set(name, value); name == "Host" {
			r.Host = value
		}
	}
	response, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var e struct {
		Status int
		Error  *api.Error
	}
	if len(text) == 0 {
		return response, ""
	}
	if err := json.Unmarshal(text, &e); err != nil || e.Status != response.StatusCode {
		t.Errorf("%s %s: status %d, %s", method, path, response.StatusCode, text)
	}
	if e.Error == nil {
		return response, ""
	}
	return response, e.Error.ID
}

func TestARequestHasTheStatusOfItsEnvelope(t *testing.T) {
	server := serve(t, &access.Door{Local: true}, "", options())
	for _, tt := range []struct {
		name, method, path, body string
		status                   int
		id                       string
	}{
		{"done", "POST", "/api/document/create", `{"index":"fleet","collection":"trucks","_id":"1","body":{}}`, 200, ""},
		{"without a body", "POST", "/api/server/now", "", 200, ""},
		{"the path says what is asked", "POST", "/api/server/now", `{"controller":"document","action":"create"}`, 200, ""},
		{"not there", "POST", "/api/document/get", `{"index":"fleet","collection":"trucks","_id":"2"}`, 404, "services.storage.not_found"},
		{"there", "POST", "/api/document/create", `{"index":"fleet","collection":"trucks","_id":"1","body":{}}`, 400, "services.storage.document_already_exists"},
		{"no such action", "POST", "/api/document/destroy", "", 404, "api.process.action_not_found"},
		{"not JSON", "POST", "/api/document/get", "{", 400, "network.http.body_parse_failed"},
		{"too long", "POST", "/api/document/get", strings.Repeat(" ", 1001), 413, "network.http.request_too_large"},
		{"another verb", "GET", "/api/server/now", "", 405, "network.http.unsupported_verb"},
		{"another path", "POST", "/api/server", "", 404, "network.http.url_not_found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			response, id := ask(t, server, tt.method, tt.path, tt.body, nil)
			if response.StatusCode != tt.status || id != tt.id {
				t.Errorf("%d %s, want %d %s", response.StatusCode, id, tt.status, tt.id)
			}
			if kind := response.Header.Get("Content-Type"); kind != "application/json; charset=utf-8" {
				t.Errorf("the content is %s", kind)
			}
		})
	}
}

func TestWhoMayConnectMayAsk(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users.txt")
	verifier, err := access.NewScram("correct horse", access.DefaultIterations)
	if err == nil {
		err = access.Set(file, "anna", func(u *access.User) { u.Verifier = verifier })
	}
	if err != nil {
		t.Fatal(err)
	}
	users, err := access.Load(file, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	const right, wrong, other = "Basic YW5uYTpjb3JyZWN0IGhvcnNl", "Basic YW5uYTp3cm9uZw==", "Bearer abc"
	const elsewhere, here = "192.0.2.1:1234", "127.0.0.1:1234"
	for _, tt := range []struct {
		name          string
		door          access.Door
		remote, login string
		status        int
	}{
		{"this machine", access.Door{Local: true}, here, "", 200},
		{"this machine by IPv6", access.Door{Local: true}, "[::1]:1234", "", 200},
		{"this machine by IPv4 in IPv6", access.Door{Local: true}, "[::ffff:127.0.0.1]:1234", "", 200},
		{"another machine", access.Door{Local: true}, elsewhere, "", 401},
		{"nobody knows", access.Door{Local: true}, "somewhere", "", 401},
		{"another machine, if all may", access.Door{Local: true, Remote: true}, elsewhere, "", 200},
		{"this machine, if nobody may", access.Door{Users: users}, here, "", 401},
		{"a user", access.Door{Users: users}, elsewhere, right, 200},
		{"a wrong password", access.Door{Users: users, Local: true}, here, wrong, 401},
		{"another way to sign in", access.Door{Users: users, Local: true}, here, other, 401},
		{"where there are no users", access.Door{Local: true}, here, wrong, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := serve(t, &tt.door, tt.remote, options())
			header := map[string]string{}
			if tt.login != "" {
				header["Authorization"] = tt.login
			}
			response, _ := ask(t, server, "POST", "/api/server/now", "", header)
			if response.StatusCode != tt.status || (response.Header.Get("WWW-Authenticate") != "") != (tt.status == 401) {
				t.Errorf("%d, want %d; %v", response.StatusCode, tt.status, response.Header)
			}
			if response.Close != (tt.status == 401) {
				t.Errorf("it says %t that the connection ends", response.Close)
			}
		})
	}
}

func TestPagesOfOtherHostsMayNotAsk(t *testing.T) {
	server := serve(t, &access.Door{Local: true}, "", options())
	for origin, status := range map[string]int{
		"":                         200,
		"http://ambit.local:8080":  200,
		"http://AMBIT.local:8080":  200,
		"https://maps.example.com": 200,
		"https://a.example.org":    200,
		"http://a.example.org":     403,
		"https://example.com":      403,
		"http://ambit.local":       403,
		"null":                     403,
		"%":                        403,
	} {
		t.Run(origin, func(t *testing.T) {
			header := map[string]string{"Host": "ambit.local:8080"}
			if origin != "" {
				header["Origin"] = origin
			}
			response, _ := ask(t, server, "POST", "/api/server/now", "", header)
			if response.StatusCode != status {
				t.Errorf("%d, want %d", response.StatusCode, status)
			}
			if got := response.Header.Get("Access-Control-Allow-Origin"); status == 200 && got != origin || status == 403 && got != "" {
				t.Errorf("the answer is shared with %q", got)
			}
			want := 204
			if status == 403 {
				want = 403
			}
			if response, _ := ask(t, server, "OPTIONS", "/api/server/now", "", header); response.StatusCode != want {
				t.Errorf("OPTIONS: %d, want %d", response.StatusCode, want)
			}
		})
	}
}

// A client that sends half of a request is not waited for.
func TestARequestHasToComeInTime(t *testing.T) {
	o := options()
	o.ReadTimeout = 50 * time.Millisecond
	server := serve(t, &access.Door{Local: true}, "", o)
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST /api/server/now HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{")
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusRequestTimeout {
		t.Errorf("status %d", response.StatusCode)
	}
}
