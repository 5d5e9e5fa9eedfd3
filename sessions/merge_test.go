package sessions_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/hooks"
)

func merging(o *options) {
	o.hook.DocumentBytes = 70
	o.hook.Documents.Members = 4
	o.hook.Collections["fleet/trucks"] = hooks.Collection{Merge: true}
}

// A patch that is within the limits is refused if the document would not be. Then
// nothing has happened, and nobody hears of it.
func TestAPatchWithAResultBeyondTheLimitsIsRefused(t *testing.T) {
	for _, tt := range []struct {
		name, patch, reason string
		code                byte
	}{
		{"too large", fmt.Sprintf(`{"b":%q}`, strings.Repeat("b", 30)), "would have 75 bytes, the limit is 70", 0x97},
		{"too many members", `{"b":1,"c":2,"d":3,"e":4}`, "the limit of members, 4,", 0x99},
		{"a patch that has a member twice", `{"b":1,"b":2}`, "duplicate key", 0x99},
	} {
		for _, version := range versions {
			for qos := range byte(3) {
				t.Run(fmt.Sprintf("%s/v%d/qos%d", tt.name, version, qos), func(t *testing.T) {
					n := startNode(t, merging)
					sub := n.connect(5, "sub", nil)
					sub.subscribe(0, "fleet/trucks/+")
					dev := n.connect(version, "dev", nil)
					dev.put("fleet/trucks/1", fmt.Sprintf(`{"a":%q}`, strings.Repeat("a", 30)))
					sub.message("fleet/trucks/1")
					before := n.truck("1")
					id := dev.publish("fleet/trucks/1", tt.patch, qos)
					expectAnswer(dev, id, qos, tt.code, tt.reason)
					n.connect(5, "other", nil).put("fleet/trucks/2", "{}")
					if m := sub.expect(packets.Publish); m.TopicName != "fleet/trucks/2" {
						t.Errorf("a subscriber is told %s %s", m.TopicName, m.Payload)
					}
					if after := n.truck("1"); after.Seq != before.Seq || string(after.Body) != string(before.Body) {
						t.Errorf("the document is %s", after.Body)
					}
				})
			}
		}
	}
}

// Nobody is there to be told that a will is refused, and nobody is told the will.
func TestAWillThatIsAPatchBeyondTheLimitsIsNotPublished(t *testing.T) {
	n := startNode(t, merging)
	sub := n.connect(5, "sub", nil)
	sub.subscribe(0, "fleet/trucks/+")
	dev := n.connect(5, "dev", func(pk *packets.Packet) {
		pk.Connect.WillFlag, pk.Connect.WillTopic, pk.Connect.WillPayload = true, "fleet/trucks/1", []byte(`{"b":1,"c":2,"d":3,"e":4}`)
	})
	dev.put("fleet/trucks/1", `{"a":1}`)
	sub.message("fleet/trucks/1")
	dev.hangUp()
	n.absent("dev")
	n.connect(5, "other", nil).put("fleet/trucks/2", "{}")
	if m := sub.expect(packets.Publish); m.TopicName != "fleet/trucks/2" {
		t.Errorf("a subscriber is told %s %s", m.TopicName, m.Payload)
	}
}

// A patch names some fields of a document: rooms are told of an update of these, as of one
// by a request. What makes the document is its creation.
func TestAPatchIsToldAsAnUpdate(t *testing.T) {
	n := startNode(t, merging)
	sub := n.connect(5, "sub", nil)
	sub.subscribe(0, "fleet/trucks/?{}")
	dev := n.connect(5, "dev", nil)
	dev.put("fleet/trucks/1", `{"a":{"b":1}}`)
	dev.put("fleet/trucks/1", `{"a":{"b":null,"c":2},"d":3}`)
	for _, want := range []string{
		`"action":"create","scope":"in","event":"write","result":{"_id":"1","_source":{"a":{"b":1},`,
		`"action":"update","scope":"in","event":"write","result":{"_id":"1","_source":{"a":{"c":2},"d":3,`,
	} {
		if m := sub.expect(packets.Publish); !strings.Contains(string(m.Payload), want) ||
			strings.Contains(string(m.Payload), `"_updatedFields":["a.b","a.c","d"]`) != strings.Contains(want, "update") {
			t.Errorf("a room is told %s", m.Payload)
		}
	}
}
