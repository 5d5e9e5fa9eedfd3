package hooks

import (
	"errors"
	"net/http"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/api"
	"github.com/ambitmq/ambit/sessions"
)

// Attach has somebody of another protocol than MQTT, whom the door has let in, be a client
// like any other. The error is an [*api.Error].
func (h *Hook) Attach(to sessions.Wire, a sessions.Attachment) (*sessions.Subscriber, error) {
	s, err := h.engine.Attach(to, a)
	if err != nil {
		return nil, Told(err)
	}
	return s, nil
}

// RenewAs has a subscriber be there for as long as somebody is who is the same user.
func (h *Hook) RenewAs(s *sessions.Subscriber, who *access.Identity) {
	s.Renew(who, h.rightsOf(who, s.ClientID()), h.lapseOf(who))
}

// TokenExpired returns what Kuzzle's clients are told when a token counts no more: a JSON object.
func (h *Hook) TokenExpired() string { return h.expired }

// Told returns what a client of another protocol is told of an error of the engine: a reason code has
// no meaning there.
func Told(err error) *api.Error {
	told := func(id string, code uint32, status int, text string) *api.Error {
		return &api.Error{ID: id, Code: code, Status: status, Message: text}
	}
	var e *sessions.Error
	if !errors.As(err, &e) {
		return told("core.fatal.unexpected_error", 0x00000001, http.StatusInternalServerError, "Caught an unexpected error: "+err.Error()+".")
	}
	switch e.Code {
	case packets.ErrQuotaExceeded.Code:
		return told("core.realtime.too_many_rooms", 0x00010002, http.StatusRequestEntityTooLarge, e.Text)
	case packets.ErrNotAuthorized.Code, packets.ErrBanned.Code:
		return told("security.rights.forbidden", 0x07030002, http.StatusForbidden, e.Text)
	case packets.ErrTopicFilterInvalid.Code:
		return told("api.assert.koncorde_dsl_error", 0x0201000e, http.StatusBadRequest, e.Text)
	case packets.ErrMessageRateTooHigh.Code:
		return told("api.process.too_many_requests", 0x02020008, http.StatusTooManyRequests, e.Text)
	}
	return told("core.fatal.service_unavailable", 0x00000002, http.StatusServiceUnavailable, "Service unavailable: "+e.Text+".")
}
