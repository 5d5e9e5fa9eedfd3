package sdk

import (
	"strings"
	"testing"
)

// urlFor is where a client of a version of MQTT connects.
func urlFor(b *broker, version string) string {
	if version == "4" {
		return "mqtt://" + b.mqtt.address()
	}
	return "ws://" + b.http.address() + "/mqtt"
}

// MQTT 3.1.1 has no word for a message that is refused: the connection ends. What is sent again for
// ever would be all that the client does.
func TestAMessageThatIsRefusedFailsAndTheNextIsTaken(t *testing.T) {
	build(t)
	for version, says := range map[string]string{"4": "3 times", "5": "published by the broker alone"} {
		t.Run("MQTT "+version, func(t *testing.T) {
			c := startJS(t, version).open(t, urlFor(startBroker(t, ""), version), "")
			t.Cleanup(c.close)
			do(t, c, step{Publish: "$channel/chat/say", Detached: "refused"})
			do(t, c, step{Publish: "fleet/trucks/1"})
			ends(t, c, "refused", "fails")
			if _, err := c.do(step{Publish: "$channel/chat/say"}); err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("the error is %v, want one that says %q", err, says)
			}
		})
	}
}

func TestWhatIsNotPublishedInTimeIsNotPublished(t *testing.T) {
	build(t)
	for _, version := range []string{"4", "5"} {
		t.Run("MQTT "+version, func(t *testing.T) {
			b := startBroker(t, "")
			c := startJS(t, version).open(t, urlFor(b, version), "")
			t.Cleanup(c.close)
			b.kill()
			_, err := c.do(step{Publish: "fleet/trucks/1", Options: map[string]any{"timeout": 200}})
			if err == nil || !strings.Contains(err.Error(), "no answer in time") {
				t.Errorf("the error is %v", err)
			}
			do(t, c, step{Publish: "fleet/trucks/2", Detached: "later"})
			b.start(t)
			ends(t, c, "later", "done")
			for id, want := range map[string]bool{"1": false, "2": true} {
				is, err := c.do(step{Request: map[string]any{"controller": "document", "action": "exists", "index": index, "collection": collection, "_id": id}})
				if err != nil || is != want {
					t.Errorf("that %s exists is %v (%v)", id, is, err)
				}
			}
		})
	}
}
