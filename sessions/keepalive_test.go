package sessions_test

import (
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

func TestAKeepAliveThatIsTooLongIsShortened(t *testing.T) {
	n := startNode(t, func(o *options) { o.KeepAlive = 20 * time.Second })
	for _, tt := range []struct {
		name  string
		asked uint16
		told  uint16 // 0 is nothing
	}{
		{"a shorter one stays", 19, 0},
		{"the longest stays", 20, 0},
		{"a longer one is shortened", 21, 20},
		{"whoever wants none gets one", 0, 20},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ack := n.dial(5).connect("client", func(pk *packets.Packet) { pk.Connect.Keepalive = tt.asked })
			if p := ack.Properties; p.ServerKeepAlive != tt.told || p.ServerKeepAliveFlag != (tt.told > 0) {
				t.Errorf("Server Keep Alive %d, want %d", p.ServerKeepAlive, tt.told)
			}
		})
	}
}

func TestAClientIsHeldToTheKeepAliveOfTheServer(t *testing.T) {
	n := startNode(t, func(o *options) { o.KeepAlive = time.Second })
	before := n.connect(4, "three", nil) // is held to its own, a minute
	n.connect(5, "five", nil).expectEnd(packets.ErrKeepAliveTimeout.Code)
	before.publish("home/lamp", "on", 1)
	before.expect(packets.Puback)
}
