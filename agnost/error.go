package agnost

import (
	"errors"
	"net/http"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/api"
)

// An Error is why something is refused, as Agnost says it.
type Error struct {
	Origin  string `json:"origin"`
	Code    string `json:"code"`
	Message string `json:"message"`
	// Event is the one that is refused, or "".
	Event string `json:"event,omitempty"`

	status int
}

func (e *Error) Error() string { return e.Message }

// The codes of errors. Those of the first two lines are Agnost's.
const (
	missingKey, invalidKey, expiredKey, wrongOrigin, wrongNetwork = "missing_api_key", "invalid_api_key", "expired_api_key", "domain_not_authorized", "ip_not_authorized"
	missingSession, invalidSession, noEnvironment, tooFast        = "missing_session_token", "invalid_session_token", "no_environment_found", "rate_limit_exceeded"

	badRequest, notAuthorized, limitReached, unavailable = "invalid_request_body", "not_authorized", "limit_exceeded", "internal_server_error"
)

func refuse(status int, code, message string) *Error {
	origin := "client_error"
	if status >= http.StatusInternalServerError {
		origin = "server_error"
	}
	return &Error{Origin: origin, Code: code, Message: message, status: status}
}

// errorOf returns err as a client is told it.
func errorOf(err error) *Error {
	var own *Error
	var ours *api.Error
	switch {
	case errors.As(err, &own):
		return own
	case !errors.As(err, &ours):
		return refuse(http.StatusInternalServerError, unavailable, err.Error())
	}
	code := badRequest
	switch ours.Status {
	case http.StatusTooManyRequests:
		code = tooFast
	case http.StatusUnauthorized, http.StatusForbidden:
		code = notAuthorized
	case http.StatusRequestEntityTooLarge:
		code = limitReached
	case http.StatusInternalServerError, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		code = unavailable
	}
	return refuse(ours.Status, code, ours.Message)
}

// ofDoor returns why somebody does not come in by a key, or by a session.
func ofDoor(err error, expired, invalid string) *Error {
	code, status := invalid, http.StatusUnauthorized
	switch {
	case errors.Is(err, access.ErrKeyOrigin):
		code = wrongOrigin
	case errors.Is(err, access.ErrKeyNetwork):
		code = wrongNetwork
	case errors.Is(err, access.ErrExpired):
		code = expired
	case errors.Is(err, access.ErrTooOften):
		code, status = tooFast, http.StatusTooManyRequests
	case errors.Is(err, access.ErrBusy):
		code, status = unavailable, http.StatusServiceUnavailable
	case errors.Is(err, access.ErrBanned):
		code, status = notAuthorized, http.StatusForbidden
	}
	return refuse(status, code, err.Error())
}
