package hooks

import (
	"errors"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/sessions"
)

// refuse returns err with the reason code that a client is told. It is the only
// way from an error of Ambit's own to a reason code.
func refuse(err error) error {
	var limit *filter.LimitError
	switch {
	case errors.As(err, &limit):
		return &sessions.Error{Code: packets.ErrPayloadFormatInvalid.Code, Text: limit.Error()}
	case errors.Is(err, access.ErrDenied):
		return &sessions.Error{Code: packets.ErrBadUsernameOrPassword.Code, Text: err.Error()}
	case errors.Is(err, filter.ErrNotObject):
		return &sessions.Error{Code: packets.ErrPayloadFormatInvalid.Code, Text: "the payload is not a JSON object"}
	}
	return err
}
