package sessions_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/hooks"
)

// A session that is kept learns that ephemeral documents are gone, in the rooms of
// their collection and in no others.
func TestAKeptSessionIsToldThatEphemeralDocumentsAreGone(t *testing.T) {
	for _, version := range versions {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			n := startNode(t, func(o *options) {
				o.hook.Collections["fleet/live"] = hooks.Collection{Ephemeral: true}
			})
			const live, disk, scope = `fleet/live/?{}`, `fleet/trucks/?{}`, `$scope/fleet/live/?{}/`
			p := n.connect(version, "dash", keepSession)
			p.subscribe(1, live, disk, scope+"+")
			p.message(scope + "$synced")
			dev := n.connect(4, "dev", nil)
			dev.put("fleet/live/1", `{"n":1}`)
			for range 2 {
				p.anyMessage()
			}
			dev.put("fleet/trucks/1", `{"n":1}`)
			p.message(disk)
			p.hangUp()
			n.absent("dash")
			dev.put("fleet/trucks/1", `{"n":2}`)
			dev.put("fleet/live/2", `{"n":2}`)

			n.restart()
			p = n.connect(version, "dash", keepSession)
			told := map[string]string{}
			for range 4 { // the scope is cleared, and synced again
				m := p.anyMessage()
				told[m.TopicName] = string(m.Payload)
			}
			if m := told[live]; !strings.HasPrefix(m, `{"type":"gap","from":`) {
				t.Errorf("the room is told %s", m)
			}
			if m := told[disk]; !strings.Contains(m, `"_source":{"n":2,`) {
				t.Errorf("the room of another collection is told %s", m)
			}
			if m := told[scope+"$synced"]; m == "" {
				t.Errorf("the scope is told nothing; all is %v", told)
			}
			p.quiet()
		})
	}
}

// anyMessage expects a PUBLISH, acknowledges it, and returns it.
func (p *peer) anyMessage() packets.Packet {
	p.t.Helper()
	pk := p.expect(packets.Publish)
	if pk.FixedHeader.Qos == 1 {
		p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Puback}, PacketID: pk.PacketID})
	}
	return pk
}
