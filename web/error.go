package web

import (
	"errors"
	"net/http"
	"os"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/api"
)

var (
	errOrigin = errors.New("pages of another host may not ask (see the settings origins and, for names by which the broker is reached, hosts)")
	errHost   = errors.New("this is not a name of the broker (see the setting hosts), and nobody is signed in")
	errVerb   = errors.New("a request is made by POST")
	errURL    = errors.New("a request is made at /api/<controller>/<action>")
)

// errorOf returns what a request is answered that does not come as far as the API,
// with its HTTP status. Those of the API have their own.
func errorOf(err error) *api.Error {
	told := func(id string, code uint32, status int, text string) *api.Error {
		return &api.Error{ID: id, Code: code, Status: status, Message: text}
	}
	var long *http.MaxBytesError
	switch {
	case errors.Is(err, access.ErrDenied), errors.Is(err, access.ErrMustSignIn), errors.Is(err, access.ErrElsewhere):
		return told("security.rights.unauthorized", 0x07030001, http.StatusUnauthorized, err.Error())
	case errors.Is(err, access.ErrToken), errors.Is(err, access.ErrRevoked):
		return told("security.token.invalid", 0x07010001, http.StatusUnauthorized, "Invalid token.")
	case errors.Is(err, access.ErrExpired):
		return told("security.token.expired", 0x07010006, http.StatusUnauthorized, "Token expired")
	case errors.Is(err, access.ErrBanned):
		return told("security.rights.forbidden", 0x07030002, http.StatusForbidden, err.Error())
	case errors.Is(err, access.ErrTooOften):
		return told("api.process.too_many_requests", 0x02020008, http.StatusTooManyRequests, err.Error())
	case errors.Is(err, access.ErrBusy):
		return told("core.fatal.service_unavailable", 0x00000002, http.StatusServiceUnavailable, err.Error())
	case errors.Is(err, errOrigin), errors.Is(err, errHost):
		return told("security.rights.forbidden", 0x07030002, http.StatusForbidden, err.Error())
	case errors.As(err, &long):
		return told("network.http.request_too_large", 0x03010001, http.StatusRequestEntityTooLarge, "Maximum HTTP request size exceeded.")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return told("network.http.unexpected_error", 0x03010002, http.StatusRequestTimeout, "The request did not come in time.")
	case errors.Is(err, errVerb):
		return told("network.http.unsupported_verb", 0x03010006, http.StatusMethodNotAllowed, err.Error())
	case errors.Is(err, errURL):
		return told("network.http.url_not_found", 0x03010007, http.StatusNotFound, err.Error())
	}
	return told("network.http.unexpected_error", 0x03010002, http.StatusBadRequest, "Caught an unexpected HTTP error: "+err.Error())
}
