package sessions_test

import (
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/sessions"
)

func TestWhoComesWhileTheServerGoesIsToldWhereToGo(t *testing.T) {
	n := startNode(t, func(o *options) { o.Redirect = "other:1883" })
	n.engine.Drain(&sessions.Error{Code: packets.ErrUseAnotherServer.Code, Text: "it shuts down"})
	ack := n.dial(5).connect("late", nil)
	if ack.ReasonCode != 0x9C || ack.Properties.ServerReference != "other:1883" {
		t.Errorf("CONNACK 0x%02X %q, want 0x9C", ack.ReasonCode, ack.Properties.ServerReference)
	}
}
