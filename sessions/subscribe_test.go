package sessions_test

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"
)

const fast = `fleet/trucks/?{"range":{"speed":{"gt":50}}}`

// property returns the value of a user property.
func property(pk packets.Packet, key string) string {
	for _, u := range pk.Properties.User {
		if u.Key == key {
			return u.Val
		}
	}
	return ""
}

func TestRoomMessagesArriveOnTheTopicThatWasSubscribed(t *testing.T) {
	for _, version := range versions {
		t.Run(name(version), func(t *testing.T) {
			n := startNode(t, nil)
			p := n.connect(version, "dash", nil)
			ack := p.subscribe(1, fast+"&payload=document", fast+"&scope=out&payload=none")
			if !bytes.Equal(ack.ReasonCodes, []byte{1, 1}) {
				t.Fatalf("SUBACK %v", ack.ReasonCodes)
			}
			dev := n.connect(4, "dev", nil)
			for _, speed := range []int{40, 60, 70, 30} {
				dev.put("fleet/trucks/42", fmt.Sprintf(`{"speed":%d}`, speed))
			}
			for i, want := range []struct{ topic, payload, transition string }{
				{fast + "&payload=document", `{"speed":60}`, "enter"},
				{fast + "&payload=document", `{"speed":70}`, "stay"},
				{fast + "&payload=document", "", "exit"},
				{fast + "&scope=out&payload=none", "", "exit"},
			} {
				m := p.message(want.topic)
				if string(m.Payload) != want.payload || m.FixedHeader.Retain {
					t.Errorf("message %d: %q", i, m.Payload)
				}
				if version == 5 && (property(m, "transition") != want.transition || property(m, "id") != "42") {
					t.Errorf("message %d: user properties %v", i, m.Properties.User)
				}
			}
		})
	}
}

func TestSubackSaysWhatIsWrongAndGrantsTheRest(t *testing.T) {
	n := startNode(t, nil)
	filters := []string{`a/b/?{"range":{"x":{"gt":"y"}}}`, fast, "a/b/?{", "a/#/b", "plain/#"}
	v5 := n.connect(5, "five", nil)
	ack := v5.subscribe(2, filters...)
	if want := []byte{0x8f, 2, 0x8f, 0x8f, 2}; !bytes.Equal(ack.ReasonCodes, want) {
		t.Errorf("SUBACK of MQTT 5: %x, want %x", ack.ReasonCodes, want)
	}
	for key, want := range map[string]string{
		"error-0": `"range.x.gt": must be a number`,
		"error-2": "not valid JSON",
		"error-3": "# must be the last level",
	} {
		if got := property(ack, key); !strings.Contains(got, want) {
			t.Errorf("%s is %q, want …%s…", key, got, want)
		}
	}
	hash := property(ack, "room-1")
	if len(hash) != 32 {
		t.Errorf("room-1 is %q, want a hash", hash)
	}
	v3 := n.connect(4, "three", nil)
	if ack := v3.subscribe(2, filters...); !bytes.Equal(ack.ReasonCodes, []byte{0x80, 2, 0x80, 0x80, 2}) {
		t.Errorf("SUBACK of MQTT 3.1.1: %x", ack.ReasonCodes)
	}
	n.connect(4, "dev", nil).put("fleet/trucks/1", `{"speed":60}`)
	v5.message(fast)
	v3.message(fast)
}

func TestRoomsAreFoundByTheirHash(t *testing.T) {
	n := startNode(t, nil)
	p := n.connect(5, "dash", nil)
	unknown := "fleet/trucks/~0123456789abcdef0123456789abcdef"
	if ack := p.subscribe(0, unknown); ack.ReasonCodes[0] != 0x8f || !strings.Contains(property(ack, "error-0"), "no room") {
		t.Errorf("unknown hash: %x %v", ack.ReasonCodes, ack.Properties.User)
	}
	hash := property(p.subscribe(0, fast), "room-0")
	other := n.connect(5, "other", nil)
	for _, topic := range []string{"fleet/trucks/~" + hash, "fleet/trucks/" + hash} {
		if ack := other.subscribe(0, topic); property(ack, "room-0") != hash {
			t.Errorf("SUBACK for %s: %x %v", topic, ack.ReasonCodes, ack.Properties.User)
		}
	}
	n.connect(4, "dev", nil).put("fleet/trucks/1", `{"speed":60}`)
	p.message(fast)
	got := []string{other.expect(packets.Publish).TopicName, other.expect(packets.Publish).TopicName}
	slices.Sort(got)
	if want := []string{"fleet/trucks/" + hash, "fleet/trucks/~" + hash}; !slices.Equal(got, want) {
		t.Errorf("messages on %v, want %v", got, want)
	}
}

func TestWildcardsSeeDocumentsAndNoRooms(t *testing.T) {
	n := startNode(t, nil)
	all := n.connect(4, "all", nil)
	all.subscribe(0, "#", "+/+/+")
	n.connect(4, "dash", nil).subscribe(0, fast, "$scope/fleet/trucks/?{}/+")
	n.connect(4, "dev", nil).put("fleet/trucks/1", `{"speed":60}`)
	all.message("fleet/trucks/1")
	all.quiet()
}

func TestUnsubscribeLeavesTheRoom(t *testing.T) {
	for _, version := range versions {
		t.Run(name(version), func(t *testing.T) {
			n := startNode(t, nil)
			p := n.connect(version, "dash", nil)
			p.subscribe(0, fast)
			unsubscribe := func(want byte) {
				t.Helper()
				p.send(packets.Packet{
					FixedHeader: packets.FixedHeader{Type: packets.Unsubscribe, Qos: 1}, PacketID: p.nextID(),
					Filters: packets.Subscriptions{{Filter: fast}},
				})
				if ack := p.expect(packets.Unsuback); version == 5 && ack.ReasonCodes[0] != want {
					t.Errorf("UNSUBACK 0x%02X, want 0x%02X", ack.ReasonCodes[0], want)
				}
			}
			unsubscribe(0)
			unsubscribe(0x11) // no subscription existed
			if rooms := n.hook.Rooms(); rooms != 0 {
				t.Errorf("%d rooms are left", rooms)
			}
			n.connect(4, "dev", nil).put("fleet/trucks/1", `{"speed":60}`)
			p.quiet()
		})
	}
}

func TestNoLocalSparesTheSender(t *testing.T) {
	n := startNode(t, nil)
	p := n.connect(5, "dev", nil)
	p.send(packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: p.nextID(),
		Filters: packets.Subscriptions{{Filter: fast, NoLocal: true}, {Filter: "fleet/#", NoLocal: true}},
	})
	p.expect(packets.Suback)
	p.put("fleet/trucks/1", `{"speed":60}`)
	p.quiet()
	n.connect(5, "other", nil).put("fleet/trucks/1", `{"speed":70}`)
	p.message(fast)
	p.message("fleet/trucks/1")
}

func TestSubscriptionIdentifiersComeWithTheMessages(t *testing.T) {
	n := startNode(t, nil)
	p := n.connect(5, "dash", nil)
	pk := packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: p.nextID(),
		Filters: packets.Subscriptions{{Filter: fast}},
	}
	pk.Properties.SubscriptionIdentifier = []int{7}
	p.send(pk)
	p.expect(packets.Suback)
	n.connect(5, "dev", nil).put("fleet/trucks/1", `{"speed":60}`)
	if m := p.message(fast); !slices.Equal(m.Properties.SubscriptionIdentifier, []int{7}) {
		t.Errorf("identifiers %v, want 7", m.Properties.SubscriptionIdentifier)
	}
}

const scope = `$scope/fleet/trucks/?{"range":{"speed":{"gt":50}}}/`

func TestScopeIsASnapshotAndThenLive(t *testing.T) {
	for _, version := range versions {
		t.Run(name(version), func(t *testing.T) {
			n := startNode(t, nil)
			dev := n.connect(4, "dev", nil)
			dev.put("fleet/trucks/1", `{"speed":60}`)
			dev.put("fleet/trucks/2", `{"speed":10}`)
			dev.put("fleet/trucks/3", `{"speed":70}`)
			p := n.connect(version, "map", nil)
			p.subscribe(1, scope+"+")
			for _, want := range []struct{ id, payload string }{
				{"1", `{"speed":60}`}, {"3", `{"speed":70}`}, {"$synced", `{"seq":3}`},
			} {
				m := p.message(scope + want.id)
				if string(m.Payload) != want.payload || !m.FixedHeader.Retain {
					t.Errorf("snapshot: %s %q retain=%v", m.TopicName, m.Payload, m.FixedHeader.Retain)
				}
			}
			dev.put("fleet/trucks/2", `{"speed":80}`)
			dev.put("fleet/trucks/1", `{"speed":5}`)
			for _, want := range []struct{ id, payload, transition string }{{"2", `{"speed":80}`, "enter"}, {"1", "", "exit"}} {
				m := p.message(scope + want.id)
				if string(m.Payload) != want.payload || m.FixedHeader.Retain {
					t.Errorf("live: %s %q retain=%v", m.TopicName, m.Payload, m.FixedHeader.Retain)
				}
				if version == 5 && property(m, "transition") != want.transition {
					t.Errorf("live: %v", m.Properties.User)
				}
			}
		})
	}
}

func TestScopeOfOneDocument(t *testing.T) {
	n := startNode(t, nil)
	dev := n.connect(4, "dev", nil)
	dev.put("fleet/trucks/1", `{"speed":60}`)
	dev.put("fleet/trucks/2", `{"speed":60}`)
	p := n.connect(4, "map", nil)
	p.subscribe(0, scope+"2")
	p.message(scope + "2")
	dev.put("fleet/trucks/1", `{"speed":61}`)
	dev.put("fleet/trucks/2", "")
	if m := p.message(scope + "2"); len(m.Payload) != 0 {
		t.Errorf("deleted in scope: %s", m.Payload)
	}
	p.quiet()
}

func TestRetainHandlingGovernsTheSnapshot(t *testing.T) {
	n := startNode(t, nil)
	n.connect(4, "dev", nil).put("fleet/trucks/1", `{"speed":60}`)
	p := n.connect(5, "map", nil)
	subscribe := func(handling byte) {
		t.Helper()
		p.send(packets.Packet{
			FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: p.nextID(),
			Filters: packets.Subscriptions{{Filter: scope + "+", RetainHandling: handling}},
		})
		p.expect(packets.Suback)
	}
	subscribe(2) // never
	subscribe(1) // only if the subscription is new, which it is not
	p.quiet()
	subscribe(0) // always
	p.message(scope + "1")
	p.message(scope + "$synced")
}

// A snapshot that is read while documents change ends at their latest state:
// the client that applies every message in order has what the store has.
func TestSnapshotHasNoGapAndNoStaleDocument(t *testing.T) {
	n := startNode(t, func(o *options) { o.QueueBytes = 8 << 10 }) // so that the snapshot takes many batches
	dev := n.connect(4, "dev", nil)
	const docs = 400
	body := func(i, round int) string {
		return fmt.Sprintf(`{"speed":%d,"pad":%q}`, 40+(i*7+round*13)%40, strings.Repeat("x", 100))
	}
	want := map[string]string{}
	put := func(i, round int) {
		id := strconv.Itoa(i)
		dev.put("fleet/trucks/"+id, body(i, round))
		delete(want, id)
		if 40+(i*7+round*13)%40 > 50 {
			want[id] = body(i, round)
		}
	}
	for i := range docs {
		put(i, 0)
	}
	p := n.connect(5, "map", nil)
	p.subscribe(1, scope+"+")
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range docs {
			put(docs-1-i, 1)
		}
		dev.put("fleet/trucks/end", `{"speed":99}`)
		want["end"] = `{"speed":99}`
	}()
	have, synced := map[string]string{}, false
	for have["end"] == "" || !synced {
		m := p.expect(packets.Publish)
		p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Puback}, PacketID: m.PacketID})
		id := strings.TrimPrefix(m.TopicName, scope)
		switch {
		case id == "$synced":
			synced = true
		case len(m.Payload) == 0:
			delete(have, id)
		default:
			have[id] = string(m.Payload)
		}
	}
	<-done
	if len(have) != len(want) {
		t.Errorf("%d documents in scope, want %d", len(have), len(want))
	}
	for id, body := range want {
		if have[id] != body {
			t.Errorf("document %s is stale: %q, want %q", id, have[id], body)
		}
	}
}

func TestRetainedDocumentsAreTheDocuments(t *testing.T) {
	for _, version := range versions {
		t.Run(name(version), func(t *testing.T) {
			n := startNode(t, nil)
			dev := n.connect(4, "dev", nil)
			retain := func(topic, payload string) {
				t.Helper()
				dev.retain(topic, payload, 1)
				dev.expect(packets.Puback)
			}
			retain("fleet/trucks/1", `{"speed":60}`)
			retain("home/lamp", "on")
			retain("home/gone", "x")
			retain("home/gone", "")
			dev.put("fleet/trucks/2", `{"speed":60}`) // not retained
			n.restart()
			p := n.connect(version, "new", nil)
			p.subscribe(1, "#")
			got := map[string]string{}
			for range 2 {
				m := p.expect(packets.Publish)
				if !m.FixedHeader.Retain {
					t.Errorf("%s is not marked as retained", m.TopicName)
				}
				p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Puback}, PacketID: m.PacketID})
				got[m.TopicName] = string(m.Payload)
			}
			if got["fleet/trucks/1"] != `{"speed":60}` || got["home/lamp"] != "on" {
				t.Errorf("retained messages: %v", got)
			}
			p.quiet()
		})
	}
}

func TestSharedSubscriptionsGoToOneConnectedMember(t *testing.T) {
	n := startNode(t, nil)
	away := n.connect(5, "away", keepSession)
	away.subscribe(1, "$share/g/fleet/#")
	if err := away.conn.Close(); err != nil {
		t.Fatal(err)
	}
	here := n.connect(5, "here", nil)
	here.subscribe(1, "$share/g/fleet/#")
	waitFor(t, "the other to be gone", func() bool { return !n.session("away").Connected() })
	dev := n.connect(5, "dev", nil)
	for i := range 10 {
		dev.put("fleet/trucks/1", fmt.Sprintf(`{"n":%d}`, i))
		if m := here.message("fleet/trucks/1"); string(m.Payload) != fmt.Sprintf(`{"n":%d}`, i) {
			t.Fatalf("message %d is %s", i, m.Payload)
		}
	}
}

// The document is the retained message of its topic, also after a publish
// without retain: there is no second copy that could stay behind.
func TestARetainedDocumentStaysRetained(t *testing.T) {
	n := startNode(t, nil)
	dev := n.connect(4, "dev", nil)
	dev.retain("fleet/trucks/1", `{"n":1}`, 1)
	dev.expect(packets.Puback)
	dev.put("fleet/trucks/1", `{"n":2}`)
	dev.quiet() // subscribers of that moment have heard it
	p := n.connect(4, "new", nil)
	p.subscribe(0, "fleet/+/1")
	if m := p.message("fleet/trucks/1"); string(m.Payload) != `{"n":2}` || !m.FixedHeader.Retain {
		t.Errorf("got %s, retain %v", m.Payload, m.FixedHeader.Retain)
	}
	dev.put("fleet/trucks/1", "")
	dev.quiet()
	p.message("fleet/trucks/1")
	other := n.connect(4, "newer", nil)
	other.subscribe(0, "fleet/+/1")
	other.quiet()
}

func TestAnAnswerIsNotMuchLongerThanItsRequest(t *testing.T) {
	n := startNode(t, nil)
	refused := make([]string, 1000)
	for i := range refused {
		refused[i] = "$x"
	}
	ack := n.connect(5, "dash", nil).subscribe(0, refused...)
	if told := len(ack.Properties.User); len(ack.ReasonCodes) != len(refused) || told != n.opts.UserProperties {
		t.Errorf("%d reason codes, and %d of them explained, want %d and %d", len(ack.ReasonCodes), told, len(refused), n.opts.UserProperties)
	}
}
