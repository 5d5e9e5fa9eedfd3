package pocketbase

import (
	"errors"
	"net/http"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/api"
)

// An Error is what a client is told.
type Error struct {
	Status  int    `json:"status"`
	Message string `json:"message"`
	Data    object `json:"data"`
}

func (e *Error) Error() string { return e.Message }

func badRequest(message string) *Error {
	return &Error{Status: http.StatusBadRequest, Message: message, Data: object{}}
}

func notFound(message string) *Error {
	return &Error{Status: http.StatusNotFound, Message: message, Data: object{}}
}

// invalid says what is wrong with a member of a request.
func invalid(member, code, message string) *Error {
	e := badRequest("Something went wrong while processing your request.")
	e.Data[member] = object{"code": code, "message": message}
	return e
}

// errorOf returns err as what a client is told. The API's errors have the statuses of HTTP; a limit that
// is reached is a bad request to PocketBase's clients, as anything else about what they ask.
func errorOf(err error) *Error {
	var told *Error
	var fault *FilterError
	var ours *api.Error
	switch {
	case errors.As(err, &told):
		return told
	case errors.As(err, &fault):
		return badRequest(fault.Error())
	case errors.As(err, &ours):
		switch ours.Status {
		case http.StatusNotFound, http.StatusPreconditionFailed:
			return notFound("The requested resource wasn't found.")
		case http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusInternalServerError:
			return &Error{Status: ours.Status, Message: ours.Message, Data: object{}}
		}
		return badRequest(ours.Message)
	}
	return &Error{Status: http.StatusInternalServerError, Message: "Something went wrong while processing your request: " + err.Error(), Data: object{}}
}

// ofDoor returns what somebody is told who does not come in.
func ofDoor(err error) error {
	status := http.StatusUnauthorized
	switch {
	case errors.Is(err, access.ErrBanned):
		status = http.StatusForbidden
	case errors.Is(err, access.ErrTooOften):
		status = http.StatusTooManyRequests
	case errors.Is(err, access.ErrBusy):
		status = http.StatusServiceUnavailable
	}
	return &Error{Status: status, Message: err.Error(), Data: object{}}
}
