// Package pocketbase speaks PocketBase's protocol over HTTP, so that its clients need no change:
// records are documents, and subscriptions are rooms, of which it is told as everybody is.
package pocketbase

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/api"
	"github.com/ambitmq/ambit/hooks"
	"github.com/ambitmq/ambit/sessions"
	"github.com/ambitmq/ambit/web"
)

// protocol is what notifications call it.
const protocol = "pocketbase"

// Options are the settings of a [Server]. They are not written after [New].
type Options struct {
	// Index is that of collections whose name has no dot. "" is none: then they are refused.
	Index string
	// WriteTimeout is how long a client may leave its socket unread, and ReadTimeout how long
	// a request may take to come.
	WriteTimeout, ReadTimeout time.Duration
	// RequestBytes is how long a request may be now, and SignInBytes how long one by which somebody
	// signs in.
	RequestBytes func() int
	SignInBytes  int
	// Idle is how long a stream stays on which nothing is told. Defaults to 5 minutes.
	Idle time.Duration
}

// A Server serves the clients of a node. It may be used by many goroutines at once.
type Server struct {
	hook   *hooks.Hook
	opts   Options
	format *sessions.Format

	mu          sync.Mutex // guards it
	connections map[string]*connection
}

// New returns a server of the requests and rooms of a node.
func New(hook *hooks.Hook, o Options) *Server {
	if o.Idle == 0 {
		o.Idle = 5 * time.Minute
	}
	s := &Server{hook: hook, opts: o, connections: map[string]*connection{}}
	s.format = sessions.NewFormat(s.notification)
	return s
}

// A Stay has a request be a client of a listener for as long as serve takes.
type Stay func(r *http.Request, serve func(sessions.Via))

// Routes adds to a mux what the server answers at a site.
func (s *Server) Routes(mux *http.ServeMux, site *web.Server, stay Stay) {
	mux.HandleFunc("GET /api/realtime", func(w http.ResponseWriter, r *http.Request) {
		stay(r, func(via sessions.Via) { s.connect(w, r, site, via) })
	})
	const collection = "/api/collections/{collection}"
	for pattern, answer := range map[string]func(*request) (int, any, error){
		"POST /api/realtime":                         s.setSubscriptions,
		"GET " + collection + "/records":             list,
		"POST " + collection + "/records":            create,
		"GET " + collection + "/records/{id}":        view,
		"PATCH " + collection + "/records/{id}":      update,
		"DELETE " + collection + "/records/{id}":     remove,
		"POST " + collection + "/auth-with-password": signIn,
		"POST " + collection + "/auth-refresh":       refresh,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, site, answer) })
	}
	for _, path := range []string{"/api/realtime", collection + "/records", collection + "/records/{id}", collection + "/auth-with-password", collection + "/auth-refresh"} {
		mux.HandleFunc("OPTIONS "+path, func(w http.ResponseWriter, r *http.Request) { site.Preflight(w, r, "GET, POST, PATCH, DELETE") })
	}
}

// A request is one on its way.
type request struct {
	*Server
	http    *http.Request
	arrival access.Arrival
	caller  api.Caller
	body    map[string]json.RawMessage
}

// serve answers a request.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, site *web.Server, answer func(*request) (int, any, error)) {
	req, err := s.receive(w, r, site)
	status, result := 0, any(nil)
	if err == nil {
		status, result, err = answer(req)
	}
	if err != nil {
		told := errorOf(err)
		status, result = told.Status, told
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(s.opts.WriteTimeout)); err != nil {
		return // the connection is gone
	}
	if result == nil {
		w.WriteHeader(status)
		return
	}
	h.Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(result) // fails when the client has gone
}

// receive lets a caller in, and reads what it asks.
func (s *Server) receive(w http.ResponseWriter, r *http.Request, site *web.Server) (*request, error) {
	a, err := site.Arrive(w, r)
	if err != nil {
		return nil, &Error{Status: http.StatusForbidden, Message: err.Error(), Data: object{}}
	}
	req := &request{Server: s, http: r, arrival: a}
	req.arrival.Login = loginOf(r)
	if strings.HasSuffix(r.URL.Path, "/auth-with-password") {
		req.caller = web.CallerOf(protocol, access.Nobody(), req.arrival)
		return req, req.read(w, min(s.opts.SignInBytes, s.opts.RequestBytes()))
	}
	who, err := s.hook.Door().Enter(req.arrival)
	if err != nil {
		return nil, ofDoor(err)
	}
	req.caller = web.CallerOf(protocol, who, req.arrival)
	return req, req.read(w, s.opts.RequestBytes())
}

// loginOf returns what a request signs in with: PocketBase's clients show a token alone.
func loginOf(r *http.Request) *access.Login {
	text := strings.TrimSpace(r.Header.Get("Authorization"))
	if text != "" && !strings.Contains(text, " ") {
		return &access.Login{Password: []byte(text), Bearer: true}
	}
	return web.LoginOf(r)
}

// read reads the body, a JSON object of so many bytes at most.
func (q *request) read(w http.ResponseWriter, most int) error {
	conn := http.NewResponseController(w)
	if err := conn.SetReadDeadline(time.Now().Add(q.opts.ReadTimeout)); err != nil {
		return err
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, q.http.Body, int64(most)))
	if err == nil {
		err = conn.SetReadDeadline(time.Time{})
	}
	if err != nil {
		return &Error{Status: http.StatusRequestEntityTooLarge, Message: "The request is too long, or did not come in time.", Data: object{}}
	}
	q.body = map[string]json.RawMessage{}
	if len(text) > 0 && json.Unmarshal(text, &q.body) != nil {
		return badRequest("Failed to read the request: it is no JSON object. (Forms and files are not taken.)")
	}
	return nil
}

// call asks the API for something, and reads its result.
func (q *request) call(controller, action string, arguments object, result any) error {
	text, err := json.Marshal(arguments)
	if err != nil {
		return err
	}
	return readAnswer(q.hook.API().Serve(q.http.Context(), q.caller, controller, action, text), result)
}

// readAnswer reads the result of a request of the API.
func readAnswer(answer api.Response, result any) error {
	told := struct {
		Result any        `json:"result"`
		Error  *api.Error `json:"error"`
	}{Result: result}
	if err := json.Unmarshal(answer.Body, &told); err != nil {
		return err
	}
	if told.Error != nil {
		return told.Error
	}
	return nil
}

// collection reads the name of a collection.
func (s *Server) collection(name string) (index, collection string, err error) {
	index, collection, ok := strings.Cut(name, ".")
	if !ok {
		index, collection = s.opts.Index, name
	}
	if index == "" || collection == "" {
		return "", "", notFound("Missing collection context: a collection is <index>.<name>, or a name alone with the setting pocketbase.index.")
	}
	return index, collection, nil
}
