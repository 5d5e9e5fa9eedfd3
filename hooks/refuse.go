package hooks

import (
	"errors"
	"fmt"
	"strings"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
)

// A refusal is an error with the reason code that a client is told. It is the
// only way from an error to a reason code.
type refusal struct {
	code byte
	text string
}

func (r *refusal) Error() string { return fmt.Sprintf("%s (reason code 0x%02X)", r.text, r.code) }

// maxReasonBytes is the longest reason that a client is told: it may quote what
// the client sent.
const maxReasonBytes = 256

// clip shortens a text for a packet or a log line.
func clip(text string) string {
	if len(text) <= maxReasonBytes {
		return text
	}
	return strings.ToValidUTF8(text[:maxReasonBytes], "") + "…"
}

// refuse returns the refusal that stands for err.
func refuse(err error) *refusal {
	r := *refusalOf(err)
	r.text = clip(r.text)
	return &r
}

func refusalOf(err error) *refusal {
	var r *refusal
	var limit *filter.LimitError
	switch {
	case errors.As(err, &r):
		return r
	case errors.As(err, &limit):
		return &refusal{packets.ErrPayloadFormatInvalid.Code, limit.Error()}
	case errors.Is(err, filter.ErrNotObject):
		return &refusal{packets.ErrPayloadFormatInvalid.Code, "the payload is not a JSON object"}
	case errors.Is(err, persistence.ErrDiskFull):
		return &refusal{packets.ErrQuotaExceeded.Code, "the disk of the broker is full"}
	case errors.Is(err, persistence.ErrClosed):
		return &refusal{packets.ErrServerShuttingDown.Code, packets.ErrServerShuttingDown.Reason}
	default:
		return &refusal{packets.ErrUnspecifiedError.Code, "the broker could not do it: " + err.Error()}
	}
}

func badTopic(err error) *refusal {
	return &refusal{packets.ErrTopicNameInvalid.Code, err.Error()}
}

func badFilter(err error) *refusal {
	return &refusal{packets.ErrTopicFilterInvalid.Code, err.Error()}
}

// suback returns the refusal as MQTT 3.1.1 or 5 puts it into SUBACK.
func (r *refusal) suback(version byte) byte {
	if version < 5 {
		return packets.ErrUnspecifiedError.Code // [MQTT-3.9.3-2] of MQTT 3.1.1
	}
	return r.code
}

// Disconnect ends a connection with the reason code that MQTT 5 has for it;
// MQTT 3.1.1 knows no DISCONNECT from a server.
func (h *Hook) Disconnect(cl *mqtt.Client, code packets.Code) {
	if cl.Properties.ProtocolVersion < 5 {
		cl.Stop(code)
		return
	}
	_ = h.server.DisconnectClient(cl, code) // it always returns the code
}
