package agnost

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/api"
	"github.com/ambitmq/ambit/web"
)

// IsMembers says whether a path is one at which clients ask who is in a channel. The first level may be the
// name of an environment.
func IsMembers(path string) bool {
	for _, end := range []string{"/agnost/realtime/get-members", "/_api/rest/v1/realtime/get-members"} {
		if env, ok := strings.CutSuffix(path, end); ok {
			return strings.LastIndexByte(env, '/') <= 0
		}
	}
	return false
}

// membersOf asks who is in a channel, a page at a time.
func membersOf(channel string, ask func(action string, arguments object, result any) error) ([]member, error) {
	if isRoom(channel) {
		return nil, refuse(http.StatusBadRequest, badRequest, "a room has no members that say who they are")
	}
	all := []member{}
	for {
		var told struct {
			Count   int
			Members []struct {
				ID   string          `json:"clientId"`
				Data json.RawMessage `json:"metadata"`
			}
		}
		if err := ask("members", object{"channel": levelOf(channel), "from": len(all)}, &told); err != nil {
			return nil, err
		}
		for _, m := range told.Members {
			all = append(all, member{m.ID, m.Data})
		}
		if len(told.Members) == 0 || len(all) >= told.Count {
			return all, nil
		}
	}
}

// ServeMembers answers POST …/get-members.
func (s *Server) ServeMembers(w http.ResponseWriter, r *http.Request, site *web.Server) {
	a, err := site.Arrive(w, r)
	if err != nil {
		s.answer(w, nil, refuse(http.StatusForbidden, notAuthorized, err.Error()))
		return
	}
	shareCredentials(w)
	w.Header().Set("Access-Control-Allow-Headers", "Content-Type, Authorization, Session, X-Client, X-Client-Key")
	switch r.Method {
	case http.MethodPost:
		all, err := s.members(w, r, a)
		s.answer(w, all, err)
	case http.MethodOptions:
		w.Header().Set("Access-Control-Allow-Methods", http.MethodPost)
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Allow", http.MethodPost)
		s.answer(w, nil, refuse(http.StatusMethodNotAllowed, badRequest, "members are asked for by POST"))
	}
}

func (s *Server) members(w http.ResponseWriter, r *http.Request, a access.Arrival) ([]member, error) {
	key := cmp.Or(r.Header.Get("Authorization"), r.Header.Get("X-Client-Key"))
	who, err := s.enter(a, strings.TrimPrefix(key, "Bearer "), r.Header.Get("Session"))
	if err != nil {
		return nil, err
	}
	conn := http.NewResponseController(w)
	if err := conn.SetReadDeadline(time.Now().Add(s.opts.Sockets.ReadTimeout)); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(s.opts.RequestBytes())))
	if err == nil {
		err = conn.SetReadDeadline(time.Time{})
	}
	if err != nil {
		return nil, refuse(http.StatusRequestEntityTooLarge, badRequest, "the request is too long, or did not come in time")
	}
	asked, err := readPayload(bytes.TrimSpace(text))
	if err != nil || !isText(asked.Channel) {
		return nil, refuse(http.StatusBadRequest, badRequest, "the request has to be an object with a channel")
	}
	from := api.Caller{Name: "user " + who.User, User: who.User, Protocol: protocol, Identity: who.Identity, Arrival: a}
	if from.Arrival.Login = nil; who.User == "" {
		from.Name = web.AddressOf(a.From)
	}
	return membersOf(asked.Channel, func(action string, arguments object, result any) error {
		return request(r.Context(), s.hook.API(), from, action, arguments, result)
	})
}

// answer answers with members, or with why not.
func (s *Server) answer(w http.ResponseWriter, all []member, err error) {
	status, body := http.StatusOK, any(all)
	if err != nil {
		told := errorOf(err)
		status, body = told.status, object{"errors": []*Error{told}}
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(s.opts.Sockets.WriteTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return // the connection is gone
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // fails when the client has gone
}
