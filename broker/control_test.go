package broker

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ambitmq/ambit/persistence"
)

// putDocument publishes a document and waits for its acknowledgement.
func putDocument(t *testing.T, c net.Conn, id, body string) {
	t.Helper()
	topic := "fleet/trucks/" + id
	packet := append([]byte{0x32, byte(2 + len(topic) + 2 + 1 + len(body)), 0, byte(len(topic))}, topic...)
	send(t, c, append(append(packet, 0, 1, 0), body...)) // packet identifier 1, no properties
	if ack := receive(t, c); ack[0] != 0x40 {
		t.Fatalf("no PUBACK: % x", ack)
	}
}

// wantReport checks that so many changes are in a store or backup, and no fault.
func wantReport(t *testing.T, data string, changes uint64) {
	t.Helper()
	cfg := testConfig(t)
	cfg.Data = data
	r, err := Check(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if r.Last != changes || len(r.Faults) > 0 {
		t.Errorf("%s: want %d changes, got %+v", data, changes, r)
	}
}

func TestABackupIsMadeWithAndWithoutABroker(t *testing.T) {
	cfg := testConfig(t)
	b := start(t, cfg)
	c := connect(t, b, 5, "truck")
	for i := range 50 {
		putDocument(t, c, fmt.Sprint(i), `{"speed":60}`)
	}
	wantReport(t, cfg.Data, 50)
	dir, told := filepath.Join(t.TempDir(), "backup"), int64(0)
	r, err := Backup(t.Context(), cfg, dir, func(p persistence.BackupProgress) { told = p.Bytes })
	if err != nil || r.Seq != 50 || told != r.Bytes {
		t.Fatalf("%+v, %v; told of %d bytes", r, err, told)
	}
	wantReport(t, dir, 50)
	var online, offline bytes.Buffer
	if r, err = WriteBackup(t.Context(), cfg, &online); err != nil || r.Seq != 50 {
		t.Fatalf("%+v, %v", r, err)
	}
	putDocument(t, c, "new", `{}`)
	stop(t, b)

	if _, err := os.Lstat(filepath.Join(cfg.Data, controlName)); err == nil {
		t.Error("the socket is left behind")
	}
	wantReport(t, cfg.Data, 51)
	if r, err := Backup(t.Context(), cfg, dir, nil); err != nil || r.Seq != 51 {
		t.Fatalf("%+v, %v", r, err)
	}
	wantReport(t, dir, 51)
	if r, err = WriteBackup(t.Context(), cfg, &offline); err != nil || r.Seq != 51 {
		t.Fatalf("%+v, %v", r, err)
	}
	for name, tar := range map[string]*bytes.Buffer{"online": &online, "offline": &offline} {
		restored := testConfig(t)
		if _, err := RestoreTar(t.Context(), tar, restored.Data); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		putDocument(t, connect(t, start(t, restored), 5, "truck"), "1", `{}`)
	}
}

func TestTheControlSocketIsForTheOwner(t *testing.T) {
	cfg := testConfig(t)
	b := start(t, cfg)
	info, err := os.Lstat(filepath.Join(cfg.Data, controlName))
	if err != nil || info.Mode().Type() != fs.ModeSocket || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if err := b.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAControlSocketThatWasLeftBehindIsReplaced(t *testing.T) {
	cfg := testConfig(t)
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(cfg.Data, controlName), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false)
	_ = left.Close() // as a process that was killed
	if r, err := Check(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "there is no store") {
		t.Errorf("%+v, %v", r, err)
	}
	start(t, cfg)
	if c, err := dialControl(t.Context(), cfg.Data); c == nil || err != nil {
		t.Errorf("nobody answers: %v", err)
	}
}

func TestTheControlSocketHasALongPath(t *testing.T) {
	cfg := testConfig(t)
	cfg.Data = filepath.Join(cfg.Data, strings.Repeat("deep/", 30), strings.Repeat("long", 30))
	b := start(t, cfg)
	putDocument(t, connect(t, b, 5, "truck"), "1", `{}`)
	wantReport(t, cfg.Data, 1)
	if c, err := dialControl(t.Context(), cfg.Data); c == nil || err != nil {
		t.Errorf("nobody answers: %v", err)
	}
	stop(t, b)
	if _, err := os.Lstat(filepath.Join(cfg.Data, controlName)); err == nil {
		t.Error("the socket is left behind")
	}
}

func TestABrokerGoesOnWithoutAControlSocket(t *testing.T) {
	cfg := testConfig(t)
	name := filepath.Join(cfg.Data, controlName)
	if err := os.WriteFile(name, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	b, err := Start(t.Context(), cfg, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	putDocument(t, connect(t, b, 5, "truck"), "1", `{}`)
	stop(t, b)
	if !strings.Contains(log.String(), "there is no control socket") {
		t.Errorf("the log says\n%s", &log)
	}
	if text, err := os.ReadFile(name); err != nil || string(text) != "mine" {
		t.Errorf("the file is %q, %v", text, err)
	}
}

func TestTheControlSocketRefuses(t *testing.T) {
	cfg := testConfig(t)
	start(t, cfg)
	c, err := dialControl(t.Context(), cfg.Data)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseIdleConnections()
	for _, tt := range []struct{ method, target, want string }{
		{http.MethodPost, "/backup?dir=backup", `400 Bad Request: dir: "backup" is not an absolute path`},
		{http.MethodPost, "/backup", `400 Bad Request: dir: "" is not an absolute path`},
		{http.MethodPost, "/check", "405 Method Not Allowed"},
		{http.MethodGet, "/", "404 Not Found"},
	} {
		_, err := request(t.Context(), c, tt.method, tt.target)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %s: got %v, want %s", tt.method, tt.target, err, tt.want)
		}
	}
	if _, err := Backup(t.Context(), cfg, cfg.Data, nil); err == nil || !strings.Contains(err.Error(), "is not empty, and not a backup") {
		t.Errorf("a backup over the store: %v", err)
	}
}

// A blockedWriter takes a bit, and then nothing until it is released.
type blockedWriter struct {
	began   chan struct{}
	release chan struct{}
}

func (w *blockedWriter) Write(p []byte) (int, error) {
	select {
	case <-w.began:
	default:
		close(w.began)
	}
	<-w.release
	return len(p), nil
}

// Whoever reads a backup and stops does not hold up a broker that closes, and is
// told that it is not whole.
func TestCloseEndsABackupThatIsUnderWay(t *testing.T) {
	cfg := testConfig(t)
	b := start(t, cfg)
	c := connect(t, b, 5, "truck")
	for i := range 2000 { // more than a socket holds
		putDocument(t, c, fmt.Sprint(i), `{"pad":"`+strings.Repeat("x", 80)+`"}`)
	}
	if info := sizeOf(t, cfg.Data); info < 600<<10 {
		t.Fatalf("the store has only %d bytes", info)
	}
	w := &blockedWriter{began: make(chan struct{}), release: make(chan struct{})}
	failed := make(chan error, 1)
	go func() {
		_, err := WriteBackup(context.Background(), cfg, w)
		failed <- err
	}()
	<-w.began
	stop(t, b)
	close(w.release)
	if err := <-failed; err == nil || !strings.Contains(err.Error(), "ended early") {
		t.Errorf("got %v", err)
	}
}

func sizeOf(t *testing.T, data string) (n int64) {
	t.Helper()
	c, err := dialControl(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseIdleConnections()
	answer, err := request(t.Context(), c, http.MethodGet, "/backup")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if n, err = io.Copy(io.Discard, answer.Body); err != nil {
		t.Fatal(err)
	}
	return n
}
