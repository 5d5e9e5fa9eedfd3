package agnost

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/ambitmq/ambit/access"
)

// A handshake is what a client shows when it connects. Agnost's clients and Altogic's have each names of
// their own for the same.
type handshake struct {
	Env     text `json:"envId"`
	Key     text `json:"apiKey"`
	Session text `json:"session"`
	Echo    any  `json:"echoMessages"`

	ClientKey      text `json:"clientKey"`
	AltogicSession text `json:"Session"`
}

// A text is "" where a client has written anything else.
type text string

// UnmarshalJSON implements [json.Unmarshaler].
func (t *text) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*t = text(s)
	}
	return nil
}

// readHandshake reads what a client shows: a JSON object, or nothing. Names are told apart by their case.
func readHandshake(auth []byte) (h handshake, err error) {
	members := map[string]json.RawMessage{}
	if len(auth) > 0 {
		if err := json.Unmarshal(auth, &members); err != nil {
			return h, err
		}
	}
	for name, to := range map[string]any{
		"envId": &h.Env, "apiKey": &h.Key, "session": &h.Session, "echoMessages": &h.Echo, "clientKey": &h.ClientKey, "Session": &h.AltogicSession,
	} {
		if value, ok := members[name]; ok {
			if err := json.Unmarshal(value, to); err != nil {
				return h, err
			}
		}
	}
	if h.Key == "" {
		h.Key = h.ClientKey
	}
	if h.Session == "" {
		h.Session = h.AltogicSession
	}
	return h, nil
}

// isTrue says what JavaScript says of a value.
func isTrue(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case float64:
		return v != 0
	}
	return true
}

// A visitor is who was let in.
type visitor struct {
	*access.Identity
	// key is whose key was shown beside a session, or nil: it has to count for as long as the client is there.
	key *access.Identity
}

// enter says who shows a key and a session, of which either may be "".
func (s *Server) enter(a access.Arrival, key, session string) (visitor, error) {
	a.Login = nil
	var byKey *access.Identity
	if key != "" {
		a.Login = &access.Login{Password: []byte(key)}
		who, err := s.hook.Door().Enter(a)
		if err != nil {
			return visitor{}, ofKey(err)
		}
		byKey = who
	}
	switch {
	case s.opts.KeyRequired && (byKey == nil || byKey.By != access.APIKey):
		if key != "" {
			return visitor{}, refuse(http.StatusUnauthorized, invalidKey, "this is no API key")
		}
		return visitor{}, refuse(http.StatusUnauthorized, missingKey, "an API key has to be shown (see the setting agnost.key_required)")
	case session != "":
		a.Login, a.Certificate, a.User = &access.Login{Password: []byte(session), Bearer: true}, nil, ""
		who, err := s.hook.Door().Enter(a)
		if err != nil {
			return visitor{}, ofDoor(err, invalidSession, invalidSession)
		}
		return visitor{who, byKey}, nil
	case s.opts.SessionRequired:
		return visitor{}, refuse(http.StatusUnauthorized, missingSession, "a session has to be shown (see the setting agnost.session_required)")
	case byKey != nil:
		return visitor{Identity: byKey}, nil
	}
	who, err := s.hook.Door().Enter(a)
	if err != nil {
		return visitor{}, ofKey(err)
	}
	return visitor{Identity: who}, nil
}

// ofKey returns why somebody does not come in by a key, or without one.
func ofKey(err error) *Error {
	if errors.Is(err, access.ErrMustSignIn) || errors.Is(err, access.ErrElsewhere) {
		return refuse(http.StatusUnauthorized, missingKey, err.Error())
	}
	return ofDoor(err, expiredKey, invalidKey)
}
