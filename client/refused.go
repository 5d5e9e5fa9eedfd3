package client

import (
	"errors"
	"fmt"
	"slices"
)

// A RefusedError is the broker's "no" to one packet.
type RefusedError struct {
	// Packet is what was refused: CONNECT, PUBLISH, SUBSCRIBE or UNSUBSCRIBE.
	Packet string
	// Code is the reason code of MQTT 5, from 0x80 up.
	Code byte
	// Reason is the broker's own explanation, or "".
	Reason string
}

// Error names the packet, the reason code, its meaning and the explanation.
func (e *RefusedError) Error() string {
	return e.Packet + " refused with " + explain(e.Code, e.Reason)
}

// isFinal says that to connect in the same way again is of no use: the version, the client
// identifier, the password or who it is will not do. A broker that is busy, stops, or has
// banned a client for a while may take it later.
func isFinal(err error) bool {
	var refused *RefusedError
	return errors.As(err, &refused) && slices.Contains([]byte{0x84, 0x85, 0x86, 0x87, 0x8C}, refused.Code)
}

// explain names a reason code, its meaning, and what the broker says to it if
// that is more than the meaning.
func explain(code byte, reason string) string {
	text := fmt.Sprintf("reason code 0x%02X (%s)", code, reasonText(code))
	if reason != "" && reason != reasonText(code) {
		text += ": " + reason
	}
	return text
}

// reasonText returns the name of a reason code [MQTT 5, 2.4].
func reasonText(code byte) string {
	text, ok := map[byte]string{
		0x00: "normal disconnection",
		0x80: "unspecified error",
		0x81: "malformed packet",
		0x82: "protocol error",
		0x83: "implementation specific error",
		0x84: "unsupported protocol version",
		0x85: "client identifier not valid",
		0x86: "bad user name or password",
		0x87: "not authorized",
		0x88: "server unavailable",
		0x89: "server busy",
		0x8A: "banned",
		0x8B: "server shutting down",
		0x8C: "bad authentication method",
		0x8D: "keep alive timeout",
		0x8E: "session taken over",
		0x8F: "topic filter invalid",
		0x90: "topic name invalid",
		0x91: "packet identifier in use",
		0x93: "receive maximum exceeded",
		0x94: "topic alias invalid",
		0x95: "packet too large",
		0x96: "message rate too high",
		0x97: "quota exceeded",
		0x98: "administrative action",
		0x99: "payload format invalid",
		0x9A: "retain not supported",
		0x9B: "QoS not supported",
		0x9C: "use another server",
		0x9D: "server moved",
		0x9E: "shared subscriptions not supported",
		0x9F: "connection rate exceeded",
		0xA0: "maximum connect time",
		0xA1: "subscription identifiers not supported",
		0xA2: "wildcard subscriptions not supported",
	}[code]
	if !ok {
		return "unknown"
	}
	return text
}
