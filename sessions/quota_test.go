package sessions_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/limits"
)

// startBounded starts a node with some quotas, and returns how often each was reached.
func startBounded(t *testing.T, change func(*options)) (*node, *limits.Counts) {
	t.Helper()
	counts := new(limits.Counts)
	return startNode(t, func(o *options) {
		o.Quotas.Counts = counts
		change(o)
	}), counts
}

// reached says that a limit was reached so often.
func reached(t *testing.T, counts *limits.Counts, k limits.Kind, times int64) {
	t.Helper()
	if n := counts.Of(k); n != times {
		t.Errorf("%s was reached %d times, want %d", k, n, times)
	}
}

func TestTheRoomsOfASessionCostNoMoreThanTheyMay(t *testing.T) {
	n, counts := startBounded(t, func(o *options) { o.Quotas.RoomCost = 5 })
	const two, three, other = `fleet/trucks/?{"in":{"n":[1,2]}}`, `fleet/trucks/?{"in":{"n":[1,2,3]}}`, `fleet/trucks/?{"in":{"n":[3,4]}}`
	p := n.connect(5, "dash", keepSession)
	for _, tt := range []struct {
		filters []string
		want    string
	}{
		{[]string{two, three, other, "a"}, "\x01\x01\x97\x01"},
		{[]string{two, three}, "\x01\x01"}, // they are there
		{[]string{other + "&scope=all", `fleet/trucks/?{}`}, "\x97\x97"},
	} {
		if ack := p.subscribe(1, tt.filters...); string(ack.ReasonCodes) != tt.want {
			t.Errorf("%q: reason codes % X, want % X", tt.filters, ack.ReasonCodes, tt.want)
		}
	}
	p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Unsubscribe, Qos: 1}, PacketID: p.nextID(), Filters: packets.Subscriptions{{Filter: three}}})
	p.expect(packets.Unsuback)
	if ack := p.subscribe(1, other, `fleet/trucks/?{}`, `fleet/trucks/?{"exists":"n"}`); string(ack.ReasonCodes) != "\x01\x01\x97" {
		t.Errorf("in place of another: % X", ack.ReasonCodes)
	}
	reached(t, counts, limits.RoomCost, 4)
}

func TestASessionHasNoMoreSubscriptionsThanItMay(t *testing.T) {
	n, counts := startBounded(t, func(o *options) { o.Quotas.Subscriptions, o.Quotas.Rooms = 4, 2 })
	for _, version := range versions {
		p := n.connect(version, "dash", nil)
		many := byte(0x97)
		if version < 5 {
			many = 0x80
		}
		const room = `fleet/trucks/?{"equals":{"n":%d}}`
		ack := p.subscribe(1, fmt.Sprintf(room, 1), fmt.Sprintf(room, 2), fmt.Sprintf(room, 3), "a", "b", "c")
		if want := []byte{1, 1, many, 1, 1, many}; string(ack.ReasonCodes) != string(want) {
			t.Errorf("reason codes % X, want % X", ack.ReasonCodes, want)
		}
		if ack := p.subscribe(1, "a", fmt.Sprintf(room, 1)); string(ack.ReasonCodes) != "\x01\x01" {
			t.Errorf("subscribing again: % X", ack.ReasonCodes)
		}
		p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Unsubscribe, Qos: 1}, PacketID: p.nextID(),
			Filters: packets.Subscriptions{{Filter: fmt.Sprintf(room, 1)}}})
		p.expect(packets.Unsuback)
		if ack := p.subscribe(1, fmt.Sprintf(room, 3)); ack.ReasonCodes[0] != 1 {
			t.Errorf("in place of another: 0x%02X", ack.ReasonCodes[0])
		}
		other := n.connect(version, "other", nil)
		if ack := other.subscribe(1, "a", fmt.Sprintf(room, 1)); string(ack.ReasonCodes) != "\x01\x01" {
			t.Errorf("another client is refused: % X", ack.ReasonCodes)
		}
		other.hangUp()
		p.hangUp()
		n.gone("dash")
		n.gone("other")
	}
	reached(t, counts, limits.Rooms, int64(len(versions)))
	reached(t, counts, limits.Subscriptions, int64(len(versions)))
	if n := n.engine.Subscriptions(); n != 0 {
		t.Errorf("%d subscriptions are left", n)
	}
}

func TestAllSessionsHaveNoMoreSubscriptionsThanTheyMay(t *testing.T) {
	n, counts := startBounded(t, func(o *options) { o.Quotas.AllSubscriptions = 3 })
	n.connect(5, "one", keepSession).subscribe(0, "a", "b")
	n.restart()
	two := n.connect(5, "two", nil)
	if ack := two.subscribe(0, "c", "d"); string(ack.ReasonCodes) != "\x00\x97" {
		t.Errorf("reason codes % X", ack.ReasonCodes)
	}
	reached(t, counts, limits.AllSubscriptions, 1)
}

func TestNoMoreSessionsAreKeptThanMayBe(t *testing.T) {
	n, counts := startBounded(t, func(o *options) { o.Quotas.Sessions = 2 })
	for _, id := range []string{"one", "two"} {
		n.connect(5, id, keepSession).hangUp()
		n.absent(id)
	}
	for _, tt := range []struct{ version, code byte }{{5, 0x97}, {4, 3}} {
		if ack := n.dial(tt.version).connect("three", keepSession); ack.ReasonCode != tt.code {
			t.Errorf("CONNACK 0x%02X, want 0x%02X", ack.ReasonCode, tt.code)
		}
	}
	n.connect(5, "three", nil).hangUp() // ends with its connection
	n.connect(5, "one", keepSession)
	reached(t, counts, limits.Sessions, 2)
}

func TestNoMoreRetainedMessagesAreKeptThanMayBe(t *testing.T) {
	n, counts := startBounded(t, func(o *options) { o.Quotas.Retained = 2 })
	p := n.connect(5, "dev", nil)
	retain := func(topic, payload string) byte {
		p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: 1, Retain: true}, TopicName: topic,
			PacketID: p.nextID(), Payload: []byte(payload)})
		return p.expect(packets.Puback).ReasonCode
	}
	for _, tt := range []struct {
		topic, payload string
		code           byte
	}{{"a", "1", 0}, {"b", "1", 0}, {"c", "1", 0x97}, {"a", "2", 0}, {"a", "", 0}, {"c", "1", 0}, {"a", "1", 0x97}} {
		if code := retain(tt.topic, tt.payload); code != tt.code && code != 0x10 {
			t.Errorf("%s %q: PUBACK 0x%02X, want 0x%02X", tt.topic, tt.payload, code, tt.code)
		}
	}
	reached(t, counts, limits.Retained, 2)
}

// A client that is faster than it may be is read more slowly, and nobody else is.
func TestAClientIsReadAsFastAsItMayPublish(t *testing.T) {
	n, counts := startBounded(t, func(o *options) {
		o.Quotas.Publishes = []limits.Rate{{N: 50, Per: time.Second}, {N: 1000, Per: time.Minute}}
	})
	fast, calm, sub := n.connect(5, "fast", nil), n.connect(5, "calm", nil), n.connect(5, "sub", nil)
	sub.subscribe(0, "home/#")
	done := make(chan time.Duration)
	begun := time.Now()
	go func() {
		for i := range 75 {
			fast.publish("home/fast", fmt.Sprint(i), 0)
		}
		fast.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pingreq}})
		done <- time.Since(begun)
	}()
	waitFor(t, "the client to be held", func() bool { return counts.Of(limits.PublishRate) > 0 })
	before := time.Now()
	calm.put("home/calm", "1")
	if took := time.Since(before); took > 400*time.Millisecond && took > time.Since(begun)/2 {
		t.Errorf("another client waits for %v", took)
	}
	for fasts := 0; fasts < 75; {
		if pk := sub.expect(packets.Publish); pk.TopicName == "home/fast" {
			if string(pk.Payload) != fmt.Sprint(fasts) {
				t.Fatalf("message %s comes as number %d", pk.Payload, fasts)
			}
			fasts++
		}
	}
	<-done
	fast.expect(packets.Pingresp)
	if took := time.Since(begun); took < 400*time.Millisecond {
		t.Errorf("25 messages more than there is room for took %v, want half a second", took)
	}
}

// Who is refused again and again is read more slowly, at any QoS, and nobody else is.
func TestAClientIsReadMoreSlowlyThatIsRefusedAgainAndAgain(t *testing.T) {
	n, counts := startBounded(t, func(o *options) { o.Quotas.Refusals = []limits.Rate{{N: 50, Per: time.Second}} })
	for _, tt := range []struct {
		name string
		send func(p *peer)
	}{
		{"messages", func(p *peer) { p.publish("fleet/trucks/?", "1", 0) }},
		{"topic filters", func(p *peer) {
			p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: 1,
				Filters: packets.Subscriptions{{Filter: `fleet/trucks/?{"no":1}`}}})
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bad := n.connect(5, "bad", nil)
			before, begun := counts.Of(limits.RefusalRate), time.Now()
			go func() {
				for range 100 {
					tt.send(bad)
				}
				bad.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pingreq}})
			}()
			waitFor(t, "the client to be held", func() bool { return counts.Of(limits.RefusalRate) > before })
			n.connect(5, "calm", nil).put("home/calm", "1")
			for pong := false; !pong; {
				pk, err := bad.read()
				if err != nil {
					t.Fatal(err)
				}
				pong = pk.FixedHeader.Type == packets.Pingresp
			}
			if took := time.Since(begun); took < 800*time.Millisecond {
				t.Errorf("50 more than there is room for took %v, want a second", took)
			}
		})
	}
}

func TestAClientThatWouldHaveToWaitForLongIsDisconnected(t *testing.T) {
	n, counts := startBounded(t, func(o *options) { o.Quotas.Bytes = []limits.Rate{{N: 100, Per: time.Second}} })
	for _, tt := range []struct{ version, code byte }{{5, 0x96}, {4, 0}} {
		p := n.connect(tt.version, "dev", nil)
		p.publish("home/lamp", string(make([]byte, 10_000)), 0)
		p.publish("home/lamp", "on", 0)
		p.expectEnd(tt.code)
	}
	reached(t, counts, limits.PublishRate, 2)
}

func TestAClientThatIsHeldCanBeReplaced(t *testing.T) {
	n, counts := startBounded(t, func(o *options) { o.Quotas.Publishes = []limits.Rate{{N: 1, Per: 9 * time.Second}} })
	p := n.connect(5, "dev", nil)
	p.publish("home/lamp", "1", 0)
	p.publish("home/lamp", "2", 0)
	waitFor(t, "the client to be held", func() bool { return counts.Of(limits.PublishRate) > 0 })
	begun := time.Now()
	n.connect(5, "dev", nil)
	p.expectEnd(packets.ErrSessionTakenOver.Code)
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("the new connection has waited for %v", took)
	}
}

func TestTopicFiltersComeAsFastAsTheyMay(t *testing.T) {
	n, counts := startBounded(t, func(o *options) { o.Quotas.Subscribes = []limits.Rate{{N: 4, Per: 200 * time.Millisecond}} })
	p := n.connect(5, "dash", nil)
	begun := time.Now()
	for range 3 {
		p.subscribe(0, "a", "b", "c", "d")
	}
	if took := time.Since(begun); took < 200*time.Millisecond {
		t.Errorf("8 topic filters more than there is room for took %v", took)
	}
	if counts.Of(limits.SubscribeRate) == 0 {
		t.Error("the client was not held")
	}
}

func TestAUserHasNoMoreConnectionsThanItMay(t *testing.T) {
	n, counts := startBounded(t, func(o *options) {
		o.Quotas.UserConnections = 2
		withUsers(t)(o)
		o.hook.AllowRemote = true
	})
	named := func(name string) func(*packets.Packet) {
		return func(pk *packets.Packet) {
			pk.Connect.UsernameFlag, pk.Connect.PasswordFlag = true, true
			pk.Connect.Username, pk.Connect.Password = []byte(name), []byte("secret")
		}
	}
	first := n.connect(5, "one", named("anna"))
	n.connect(5, "two", named("anna"))
	if ack := n.dial(5).connect("three", named("anna")); ack.ReasonCode != 0x97 {
		t.Errorf("CONNACK 0x%02X, want 0x97", ack.ReasonCode)
	}
	n.connect(5, "three", nil) // nobody in particular
	again := n.connect(5, "one", named("anna"))
	first.expectEnd(packets.ErrSessionTakenOver.Code)
	again.hangUp()
	n.gone("one")
	waitFor(t, "room for a connection", func() bool { return n.dial(5).connect("four", named("anna")).ReasonCode == 0 })
	if counts.Of(limits.UserConnections) == 0 {
		t.Error("it is not counted")
	}
}

func TestADocumentThatBreaksALimitIsCounted(t *testing.T) {
	n, counts := startBounded(t, func(o *options) { o.hook.Documents.Depth, o.hook.Documents.Members = 2, 10 })
	p := n.connect(5, "dev", nil)
	p.publish("fleet/trucks/1", `{"a":{"b":{}}}`, 1)
	if code := p.expect(packets.Puback).ReasonCode; code != 0x99 {
		t.Errorf("PUBACK 0x%02X, want 0x99", code)
	}
	reached(t, counts, limits.JSON, 1)
}
