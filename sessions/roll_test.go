package sessions_test

import (
	"strings"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/sessions"
)

// look returns the entry of dash, which has one.
func (n *node) look(t *testing.T) (sessions.Entry, []sessions.Subscribed) {
	t.Helper()
	entry, held, ok := n.engine.Look("dash")
	if !ok {
		t.Fatal("there is no session of dash")
	}
	return entry, held
}

func TestTheRollSaysWhatWaitsForAClient(t *testing.T) {
	n := startNode(t, nil)
	if _, _, ok := n.engine.Look("dash"); ok {
		t.Error("there is a session of somebody who never came")
	}
	dash := n.connect(5, "dash", keepSession)
	dash.subscribe(1, "home/#")
	dash.subscribe(1, fast)
	dev := n.connect(5, "dev", nil)
	dev.publish("home/lamp", "on", 1)
	dash.expect(packets.Publish) // and does not acknowledge it
	dev.expect(packets.Puback)
	waitFor(t, "a message in flight", func() bool {
		entry, _ := n.look(t)
		return entry.InFlight == 1 && entry.QueuedMessages == 1 && entry.QueuedBytes > 0
	})
	entry, held := n.look(t)
	if !entry.Connected || entry.Subscriptions != 2 || entry.Rooms != 1 || entry.Fault != nil {
		t.Errorf("entry %+v", entry)
	}
	if len(held) != 2 || held[0].TopicFilter != fast || held[0].Room == "" || held[1] != (sessions.Subscribed{TopicFilter: "home/#", QoS: 1}) {
		t.Errorf("subscriptions %+v", held)
	}
	dash.hangUp()
	n.absent("dash")
	dev.publish("home/lamp", "off", 1)
	dev.expect(packets.Puback)
	waitFor(t, "a second message to wait for an absent client", func() bool {
		entry, _ := n.look(t)
		return !entry.Connected && entry.QueuedMessages == 2
	})
}

func TestTheRollSaysWhatAClientWasRefused(t *testing.T) {
	n := startNode(t, nil)
	p := n.connect(5, "dash", keepSession)
	for _, tt := range []struct {
		name        string
		packet      packets.Packet
		topic, text string
		code        byte
	}{
		{"a publish", packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: 1}, PacketID: 1, TopicName: "$x/y"},
			"$x/y", "", packets.ErrTopicNameInvalid.Code},
		{"a subscription", packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: 2, Filters: packets.Subscriptions{{Filter: `fleet/trucks/?{"above":1}`}}},
			`fleet/trucks/?{"above":1}`, `"above": unknown keyword`, packets.ErrTopicFilterInvalid.Code},
		{"the connection", packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish}, TopicName: "home/#"}, "", "", 0},
	} {
		p.send(tt.packet)
		if _, err := p.read(); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		waitFor(t, tt.name, func() bool {
			entry, _ := n.look(t)
			return entry.Fault != nil && entry.Fault.Topic == tt.topic
		})
		entry, _ := n.look(t)
		if f := entry.Fault; !strings.Contains(f.Text, tt.text) || tt.code != 0 && f.Code != tt.code || f.At.IsZero() {
			t.Errorf("%s: %+v", tt.name, f)
		}
	}
	n.absent("dash")
}
