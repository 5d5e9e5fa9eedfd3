package hooks

import (
	"errors"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/limits"
	"github.com/ambitmq/ambit/sessions"
)

// A filterError is a fault in a content filter.
type filterError struct {
	error
	keyword string
}

var _ sessions.KeywordError = filterError{}

// Keyword returns the keyword at fault, or "" if it is none.
func (e filterError) Keyword() string { return e.keyword }

// Unwrap returns the error with its reason code.
func (e filterError) Unwrap() error { return e.error }

// refuseFilter returns what is wrong with a topic filter with its reason code, and counts what breaks a limit.
func (h *Hook) refuseFilter(err error) error {
	refused := &sessions.Error{Code: packets.ErrTopicFilterInvalid.Code, Text: err.Error()}
	var syntax *filter.SyntaxError
	if errors.As(err, &syntax) {
		if syntax.Limit {
			h.door.Counts.Add(limits.Filters)
		}
		return filterError{refused, syntax.Keyword}
	}
	return refused
}

// refuse returns err with the reason code that a client is told. It is the only
// way from an error of Ambit's own to a reason code.
func refuse(err error) error {
	var limit *filter.LimitError
	switch {
	case errors.As(err, &limit):
		return &sessions.Error{Code: packets.ErrPayloadFormatInvalid.Code, Text: limit.Error()}
	case errors.Is(err, access.ErrDenied), errors.Is(err, access.ErrToken):
		return &sessions.Error{Code: packets.ErrBadUsernameOrPassword.Code, Text: err.Error()}
	case errors.Is(err, access.ErrBanned):
		return &sessions.Error{Code: packets.ErrBanned.Code, Text: err.Error()}
	case errors.Is(err, access.ErrTooOften):
		return &sessions.Error{Code: packets.ErrConnectionRateExceeded.Code, Text: err.Error()}
	case errors.Is(err, access.ErrBusy):
		return &sessions.Error{Code: packets.ErrServerBusy.Code, Text: err.Error()}
	case errors.Is(err, access.ErrExpired):
		return &sessions.Error{Code: packets.ErrMaxConnectTime.Code, Text: err.Error()}
	case errors.Is(err, access.ErrChanged):
		return &sessions.Error{Code: packets.ErrAdministrativeAction.Code, Text: err.Error()}
	case errors.Is(err, access.ErrRevoked), errors.Is(err, access.ErrMustSignIn), errors.Is(err, access.ErrElsewhere),
		errors.Is(err, access.ErrForbidden):
		return &sessions.Error{Code: packets.ErrNotAuthorized.Code, Text: err.Error()}
	case errors.Is(err, filter.ErrNotObject):
		return &sessions.Error{Code: packets.ErrPayloadFormatInvalid.Code, Text: "the payload is not a JSON object"}
	}
	return err
}

// refuseDocument is refuse, and counts what breaks a limit.
func (h *Hook) refuseDocument(err error) error {
	var limit *filter.LimitError
	if errors.As(err, &limit) {
		h.door.Counts.Add(limits.JSON)
	}
	return refuse(err)
}

// refuseVolatile is refuseDocument for volatile data, which may be JSON of any kind.
func (h *Hook) refuseVolatile(err error) error {
	text := "the user property volatile is not JSON"
	var limit *filter.LimitError
	if errors.As(err, &limit) {
		h.door.Counts.Add(limits.JSON)
		text = "the user property volatile: " + limit.Error()
	}
	return &sessions.Error{Code: packets.ErrPayloadFormatInvalid.Code, Text: text}
}
