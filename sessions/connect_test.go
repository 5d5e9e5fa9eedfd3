package sessions_test

import (
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"
)

// connect31 is what a client of MQTT 3.1 sends.
var connect31 = []byte{0x10, 15, 0, 6, 'M', 'Q', 'I', 's', 'd', 'p', 3, 2, 0, 60, 0, 1, 'c'}

func TestClientsOfMQTT31AreServedAs311(t *testing.T) {
	n := startNode(t, nil)
	p := n.dial(4)
	p.raw(connect31)
	if ack := p.expect(packets.Connack); ack.ReasonCode != 0 {
		t.Fatalf("CONNACK %d", ack.ReasonCode)
	}
	p.subscribe(1, "home/lamp")
	p.put("home/room", "on")
	n.connect(5, "dev", nil).put("home/lamp", "on")
	p.message("home/lamp")
}

func TestResponseInformationIsGivenToWhoAsksForIt(t *testing.T) {
	n := startNode(t, nil)
	for _, asks := range []byte{0, 1} {
		ack := n.dial(5).connect("dev", func(pk *packets.Packet) { pk.Properties.RequestResponseInfo = asks })
		want := ""
		if asks == 1 {
			want = "response/dev"
		}
		if got := ack.Properties.ResponseInfo; got != want {
			t.Errorf("Request Response Information %d: %q, want %q", asks, got, want)
		}
	}
}
