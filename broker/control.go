package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/ambitmq/ambit/api"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/sessions"
)

// The control socket is a Unix socket in the data directory, of this name, that
// serves HTTP to whoever may use it: those who own the directory.
//
//	POST /backup?dir=DIR   makes a backup in DIR, an absolute path; answers with lines of controlEvent
//	GET /backup            answers with a tar; the trailer Ambit-Backup says what is in it
//	GET /check             answers with a line of controlEvent
//	GET /trace             answers with lines of traceLine, as things happen; see TraceOptions
//	POST /api/CONTROLLER/ACTION  is a request of the API, by the operator
const (
	controlName    = "control"
	controlTrailer = "Ambit-Backup"

	// A Unix socket's path may have this many bytes on every system.
	maxSocketPath = 103

	// A request through the control socket may have this many bytes.
	maxControlBytes = 16 << 20
)

// A controlEvent is one line of an answer. The last one has Error, or what was
// asked for.
type controlEvent struct {
	Progress *persistence.BackupProgress `json:"progress,omitempty"`
	Backup   *persistence.BackupResult   `json:"backup,omitempty"`
	Report   *persistence.Report         `json:"report,omitempty"`
	Error    string                      `json:"error,omitempty"`
}

// A control serves the control socket.
type control struct {
	store   *persistence.Store
	router  *api.Router
	engine  *sessions.Engine
	log     *slog.Logger
	server  *http.Server
	stop    context.CancelFunc
	release func()
	running sync.WaitGroup // the server and its connections
}

// openControl serves the control socket of a store that this process has
// opened. Without it the broker goes on.
func openControl(ctx context.Context, data string, store *persistence.Store, router *api.Router, engine *sessions.Engine, log *slog.Logger) *control {
	c := &control{store: store, router: router, engine: engine, log: log}
	path, release, err := controlPath(data)
	var ln net.Listener
	if err == nil {
		c.release = release
		ln, err = listenUnix(ctx, Listener{Address: path, Permissions: "0600"})
	}
	if err != nil {
		if c.release != nil {
			c.release()
		}
		log.Error("there is no control socket: ambit backup, ambit check and what asks the broker do not work while the broker runs", "data", data, "error", err)
		return nil
	}
	c.serve(ctx, ln)
	return c
}

func (c *control) serve(ctx context.Context, ln net.Listener) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /backup", c.serveBackup)
	mux.HandleFunc("GET /backup", c.serveTar)
	mux.HandleFunc("GET /check", c.serveCheck)
	mux.HandleFunc("GET /trace", c.serveTrace)
	mux.HandleFunc("POST /api/{controller}/{action}", c.serveRequest)
	var requests context.Context
	requests, c.stop = context.WithCancel(context.WithoutCancel(ctx))
	c.server = &http.Server{
		Handler:     mux,
		BaseContext: func(net.Listener) context.Context { return requests },
		ConnState:   c.count,
		ErrorLog:    slog.NewLogLogger(c.log.Handler(), slog.LevelDebug),
	}
	c.running.Go(func() {
		if err := c.server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			c.log.Error("the control socket is closed", "error", err)
		}
	})
}

// count counts the connections, so that close can wait for what they asked for.
func (c *control) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		c.running.Add(1)
	case http.StateClosed:
		c.running.Done()
	default:
	}
}

// close ends what is under way, and removes the socket.
func (c *control) close() {
	if c == nil {
		return
	}
	c.stop()
	_ = c.server.Close() // whoever asked is told that it was cut off
	c.running.Wait()
	c.release()
}

// controlPath returns a path of the control socket that is short enough, which
// holds until it is released.
func controlPath(data string) (path string, release func(), err error) {
	if path = filepath.Join(data, controlName); len(path) <= maxSocketPath {
		return path, func() {}, nil
	}
	if runtime.GOOS != "linux" {
		return "", nil, fmt.Errorf("%s: the path of a socket may have %d bytes, and this has %d", path, maxSocketPath, len(path))
	}
	dir, err := os.Open(data)
	if err != nil {
		return "", nil, err
	}
	release = func() { _ = dir.Close() } // it was only a name
	return fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), controlName), release, nil
}

// serveBackup makes a backup in a directory.
func (c *control) serveBackup(w http.ResponseWriter, r *http.Request) {
	dir := r.URL.Query().Get("dir")
	if !filepath.IsAbs(dir) {
		http.Error(w, fmt.Sprintf("dir: %q is not an absolute path", dir), http.StatusBadRequest)
		return
	}
	send, hundredth := eventSender(w), int64(0)
	result, err := c.store.Backup(r.Context(), dir, func(p persistence.BackupProgress) {
		if at := 100 * p.Bytes / max(p.Total, 1); at > hundredth {
			hundredth = at
			send(controlEvent{Progress: &p})
		}
	})
	if err != nil {
		c.log.Error("backup", "dir", dir, "error", err)
		send(controlEvent{Error: err.Error()})
		return
	}
	c.log.Info("backup", "dir", dir, "seq", result.Seq, "bytes", result.Bytes, "linked", result.LinkedBytes)
	send(controlEvent{Backup: &result})
}

// eventSender returns what sends events at once. Whoever has gone is not told.
func eventSender(w http.ResponseWriter) func(controlEvent) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := json.NewEncoder(w)
	return func(e controlEvent) {
		if out.Encode(e) == nil {
			_ = http.NewResponseController(w).Flush() // it is sent later then
		}
	}
}

// serveTar writes a backup. One that fails ends without the end of its body, so
// that it is not taken for whole.
func (c *control) serveTar(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/x-tar")
	w.Header().Set("Trailer", controlTrailer)
	result, err := c.store.WriteBackup(r.Context(), w)
	if err != nil {
		c.log.Error("backup", "error", err)
		panic(http.ErrAbortHandler)
	}
	c.log.Info("backup", "seq", result.Seq, "bytes", result.Bytes)
	text, err := json.Marshal(result)
	if err != nil {
		panic(err) // it is made of text and numbers
	}
	w.Header().Set(controlTrailer, string(text))
}

// serveCheck reports what is in the store.
func (c *control) serveCheck(w http.ResponseWriter, r *http.Request) {
	send := eventSender(w)
	report, err := c.store.Check(r.Context())
	if err != nil {
		c.log.Error("check", "error", err)
		send(controlEvent{Error: err.Error()})
		return
	}
	for _, fault := range report.Faults {
		c.log.Error("check", "fault", fault)
	}
	send(controlEvent{Report: report})
}
