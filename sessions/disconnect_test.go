package sessions_test

import (
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/sessions"
)

func TestAConnectionIsEndedByItsClientIdentifier(t *testing.T) {
	n := startNode(t, nil)
	why := &sessions.Error{Code: packets.ErrAdministrativeAction.Code, Text: "an operator said so"}
	if n.engine.Disconnect("dev", why) {
		t.Error("there is such a connection before it is made")
	}
	for _, tt := range []struct {
		version, code byte
	}{{4, 0}, {5, why.Code}} {
		p, other := n.connect(tt.version, "dev", keepSession), n.connect(5, "other", nil)
		if !n.engine.Disconnect("dev", why) {
			t.Error("there is no such connection")
		}
		p.expectEnd(tt.code)
		n.absent("dev")
		if n.engine.Disconnect("dev", why) {
			t.Error("a client that is away has a connection")
		}
		other.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pingreq}})
		other.expect(packets.Pingresp)
	}
}

func TestConnectionsAreEndedByWhoTheyAre(t *testing.T) {
	n := startNode(t, nil)
	one, two, three := n.connect(5, "one", nil), n.connect(5, "two", nil), n.connect(5, "three", nil)
	ended := n.engine.DisconnectAll(func(c *sessions.Client) *sessions.Error {
		if c.ClientID == "three" {
			return nil
		}
		return &sessions.Error{Code: packets.ErrBanned.Code, Text: "banned"}
	})
	if ended != 2 {
		t.Errorf("%d connections are ended, want 2", ended)
	}
	one.expectEnd(packets.ErrAdministrativeAction.Code)
	two.expectEnd(packets.ErrAdministrativeAction.Code)
	three.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pingreq}})
	three.expect(packets.Pingresp)
}
