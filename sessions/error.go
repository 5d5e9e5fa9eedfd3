package sessions

import (
	"errors"
	"fmt"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/persistence"
)

// An Error is a fault with the MQTT 5 reason code for it. MQTT 3.1.1 is told
// what comes nearest, by an old return code or the end of the connection.
type Error struct {
	Code byte
	Text string // for people; becomes the reason string
}

func (e *Error) Error() string { return fmt.Sprintf("%s (reason code 0x%02X)", e.Text, e.Code) }

// isMove says whether a connection ends for a reason that is nobody's fault: another one
// takes its place, here or elsewhere.
func (e *Error) isMove() bool {
	switch e.Code {
	case packets.ErrSessionTakenOver.Code, packets.ErrServerShuttingDown.Code, packets.ErrUseAnotherServer.Code:
		return true
	}
	return false
}

// A KeywordError is an error of a handler that knows the keyword at fault. MQTT 5
// is told.
type KeywordError interface {
	error
	Keyword() string
}

// errorOf returns err as an *Error.
func errorOf(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	var quota *persistence.QuotaError
	switch {
	case errors.As(err, &quota):
		return &Error{packets.ErrQuotaExceeded.Code, quota.Error()}
	case errors.Is(err, persistence.ErrDiskFull):
		return &Error{packets.ErrQuotaExceeded.Code, "the disk of the broker is full"}
	case errors.Is(err, persistence.ErrMemoryFull):
		return &Error{packets.ErrQuotaExceeded.Code, "the memory for ephemeral documents is full"}
	case errors.Is(err, persistence.ErrClosed):
		return &Error{packets.ErrServerShuttingDown.Code, packets.ErrServerShuttingDown.Reason}
	}
	return &Error{packets.ErrUnspecifiedError.Code, "the broker could not do it: " + err.Error()}
}

func malformed(format string, args ...any) *Error {
	return &Error{packets.ErrMalformedPacket.Code, fmt.Sprintf(format, args...)}
}

func violation(format string, args ...any) *Error {
	return &Error{packets.ErrProtocolViolation.Code, fmt.Sprintf(format, args...)}
}

// disconnectCode returns what DISCONNECT says for a code. "Banned" is one of CONNACK alone
// (MQTT 5, table 3-13).
func disconnectCode(code byte) byte {
	if code == packets.ErrBanned.Code {
		return packets.ErrAdministrativeAction.Code
	}
	return code
}

// connackCode returns what CONNACK of MQTT 3.1.1 says for a code of MQTT 5, or 0
// if it has no word for it: then the connection just ends.
func connackCode(code byte) byte {
	switch code {
	case packets.ErrUnsupportedProtocolVersion.Code:
		return 1
	case packets.ErrClientIdentifierNotValid.Code:
		return 2
	case packets.ErrServerUnavailable.Code, packets.ErrServerBusy.Code, packets.ErrServerShuttingDown.Code, packets.ErrUseAnotherServer.Code,
		packets.ErrQuotaExceeded.Code, packets.ErrConnectionRateExceeded.Code, packets.ErrUnspecifiedError.Code:
		return 3
	case packets.ErrBadUsernameOrPassword.Code:
		return 4
	case packets.ErrNotAuthorized.Code, packets.ErrBanned.Code, packets.ErrTopicNameInvalid.Code:
		return 5
	}
	return 0
}
