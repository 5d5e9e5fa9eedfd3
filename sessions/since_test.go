package sessions_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"
)

// everything is the room of all trucks.
const everything = "fleet/trucks/?{}"

// seqOf returns the seq of a notification.
func seqOf(t *testing.T, m packets.Packet) uint64 {
	t.Helper()
	var n struct{ Seq uint64 }
	if err := json.Unmarshal(m.Payload, &n); err != nil {
		t.Fatalf("%s: %v", m.Payload, err)
	}
	return n.Seq
}

func TestSinceTellsAgainWhatWasToldAndIsThenLive(t *testing.T) {
	for _, version := range versions {
		for qos := range byte(2) {
			t.Run(fmt.Sprintf("%s QoS %d", name(version), qos), func(t *testing.T) {
				n := startNode(t, nil)
				dev := n.connect(4, "dev", nil)
				watcher := n.connect(version, "watcher", nil)
				watcher.subscribe(0, fast)
				for _, speed := range []int{60, 10, 70, 80, 10} {
					dev.put("fleet/trucks/1", fmt.Sprintf(`{"speed":%d}`, speed))
					dev.put("fleet/cars/1", `{"speed":100}`)
				}
				var told []string
				for range 5 {
					told = append(told, string(watcher.message(fast).Payload))
				}
				for missed, since := range []int{0, 1, 2, 3, 4, 6, 8, 9} {
					missed = []int{5, 4, 4, 3, 3, 2, 1, 0}[missed]
					topic := fmt.Sprintf("%s&since=%d", fast, since)
					p := n.connect(version, fmt.Sprintf("dash-%d", since), nil)
					p.subscribe(qos, topic)
					for _, want := range told[5-missed:] {
						if m := p.message(topic); string(m.Payload) != want {
							t.Errorf("since %d: got  %s\nwant %s", since, m.Payload, want)
						}
					}
					p.quiet()
					p.hangUp()
				}
				p := n.connect(version, "dash", nil)
				p.subscribe(qos, fast+"&since=10")
				dev.put("fleet/trucks/2", `{"speed":60}`)
				if got := seqOf(t, p.message(fast+"&since=10")); got != 11 {
					t.Errorf("the first live change has seq %d", got)
				}
			})
		}
	}
}

// Writers go on all the time: every change comes once, in order.
func TestSinceHasNoGapAndNothingTwice(t *testing.T) {
	for qos := range byte(2) {
		t.Run(fmt.Sprintf("QoS %d", qos), func(t *testing.T) {
			n := startNode(t, nil)
			dev := n.connect(4, "dev", nil)
			const before, all = 3000, 6000
			write := func(from, to int) {
				for i := from; i < to; i += 100 {
					for range 100 {
						dev.publish("fleet/trucks/1", fmt.Sprintf(`{"speed":60,"pad":%q}`, strings.Repeat("x", 100)), 1)
						dev.expect(packets.Puback)
					}
				}
			}
			write(0, before)
			p := n.connect(4, "dash", nil)
			p.subscribe(qos, everything+"&since=0")
			done := make(chan struct{})
			go func() {
				defer close(done)
				write(before, all)
			}()
			for i := range uint64(all) {
				if got := seqOf(t, p.message(everything+"&since=0")); got != i+1 {
					t.Fatalf("got seq %d, want %d", got, i+1)
				}
			}
			<-done
			p.quiet()
		})
	}
}

func TestATokenThatNobodyCanHaveIsRefused(t *testing.T) {
	n := startNode(t, nil)
	n.connect(4, "dev", nil).put("fleet/trucks/1", `{}`)
	for _, tt := range []struct{ name, token, reason string }{
		{"no number", "yesterday", `option since: "yesterday" is not allowed: must be the seq of a notification`},
		{"empty", "", `option since: "" is not allowed: must be the seq of a notification`},
		{"negative", "-1", `option since: "-1" is not allowed: must be the seq of a notification`},
		{"of the future", "2", "option since: 2 is in the future: the last change is 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := n.connect(5, "dash", nil)
			ack := p.subscribe(0, everything+"&since="+tt.token)
			if ack.ReasonCodes[0] != packets.ErrTopicFilterInvalid.Code || property(ack, "error-0") != tt.reason {
				t.Errorf("SUBACK 0x%02X %s", ack.ReasonCodes[0], property(ack, "error-0"))
			}
			if ack := n.connect(4, "old", nil).subscribe(0, everything+"&since="+tt.token); ack.ReasonCodes[0] != 0x80 {
				t.Errorf("SUBACK of MQTT 3.1.1 0x%02X", ack.ReasonCodes[0])
			}
		})
	}
}

// shortLog is for startNode: the change log keeps some 30 changes of fill.
func shortLog(o *options) { o.store.LogBytes = 16 << 10 }

// fill makes so many changes of a document that the change log forgets them.
func (p *peer) fill(id string, changes int) {
	for i := range changes {
		p.put("fleet/trucks/"+id, fmt.Sprintf(`{"speed":60,"n":%d,"pad":%q}`, i, strings.Repeat("x", 200)))
	}
}

func TestAGapIsToldAndThenWhatIsInScope(t *testing.T) {
	for _, version := range versions {
		t.Run(name(version), func(t *testing.T) {
			n := startNode(t, shortLog)
			dev := n.connect(4, "dev", nil)
			dev.put("fleet/trucks/1", `{"speed":60}`)
			dev.put("fleet/trucks/2", `{"speed":10}`)
			dev.fill("3", 200)
			topic := fast + "&since=1"
			p := n.connect(version, "dash", nil)
			ack := p.subscribe(1, topic)
			hash := property(ack, "room-0")
			m := p.message(topic)
			want := fmt.Sprintf(`{"type":"gap","from":1,"to":202,"index":"fleet","collection":"trucks","room":"%s"}`, hash)
			if version == 5 && string(m.Payload) != want || !strings.HasPrefix(string(m.Payload), want[:50]) {
				t.Errorf("got  %s\nwant %s", m.Payload, want)
			}
			if version == 5 && property(m, "gap") != "1-202" {
				t.Errorf("the user property gap is %q", property(m, "gap"))
			}
			for _, seq := range []uint64{1, 202} {
				m := p.message(topic)
				if got := seqOf(t, m); got != seq || !strings.Contains(string(m.Payload), `"transition":"enter"`) {
					t.Errorf("got %s, want seq %d", m.Payload, seq)
				}
			}
			p.quiet()
			dev.put("fleet/trucks/1", `{"speed":10}`)
			if got := seqOf(t, p.message(topic)); got != 203 {
				t.Errorf("the first live change has seq %d", got)
			}
		})
	}
}

func TestAGapPassesForNoDocument(t *testing.T) {
	n := startNode(t, shortLog)
	dev := n.connect(4, "dev", nil)
	dev.fill("1", 200)
	topic := body + "&since=0"
	p := n.connect(5, "dash", nil)
	p.subscribe(0, topic)
	if m := p.message(topic); len(m.Payload) > 0 || property(m, "gap") != "0-200" {
		t.Errorf("the notice is %q, and says %q", m.Payload, property(m, "gap"))
	}
	if m := p.message(topic); property(m, "id") != "1" {
		t.Errorf("got %s", m.Payload)
	}
}

// The documents that a filter names are where they were then.
func TestNearIsReplayedWithWhereItsDocumentsWere(t *testing.T) {
	n := startNode(t, nil)
	dev := n.connect(4, "dev", nil)
	dev.put("fleet/trucks/7", `{"at":[0,0]}`)
	dev.put("fleet/trucks/1", `{"at":[0,0.001],"n":1}`)
	dev.put("fleet/trucks/7", `{"at":[50,50]}`)
	dev.put("fleet/trucks/1", `{"at":[0,0.001],"n":2}`)
	dev.put("fleet/trucks/2", `{"at":[50,50],"n":3}`)
	topic := `fleet/trucks/?{"near":{"at":{"id":"7","distance":"1km"}}}&since=0`
	p := n.connect(4, "dash", nil)
	p.subscribe(0, topic)
	for _, seq := range []uint64{2, 5} {
		if got := seqOf(t, p.message(topic)); got != seq {
			t.Errorf("got seq %d, want %d", got, seq)
		}
	}
	p.quiet()
}
