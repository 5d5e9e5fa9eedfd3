package sessions_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

func (p *peer) hangUp() {
	p.t.Helper()
	if err := p.conn.Close(); err != nil {
		p.t.Fatal(err)
	}
}

// body is the room that most tests of sessions subscribe to.
const body = fast + "&payload=document"

func TestAnAbsentSessionStaysInItsRoom(t *testing.T) {
	for _, restart := range []bool{false, true} {
		t.Run(fmt.Sprintf("restart=%v", restart), func(t *testing.T) {
			for _, version := range versions {
				t.Run(name(version), func(t *testing.T) {
					n := startNode(t, nil)
					p := n.connect(version, "dash", keepSession)
					p.subscribe(1, body)
					p.hangUp()
					n.absent("dash")
					if restart {
						n.restart()
					}
					dev := n.connect(4, "dev", nil)
					for i := range 50 {
						dev.put("fleet/trucks/1", fmt.Sprintf(`{"speed":%d}`, 60+i))
					}
					p = n.dial(version)
					if ack := p.connect("dash", keepSession); !ack.SessionPresent {
						t.Error("the session is gone")
					}
					for i := range 50 {
						if m := p.message(body); string(m.Payload) != fmt.Sprintf(`{"speed":%d}`, 60+i) {
							t.Fatalf("message %d is %s", i, m.Payload)
						}
					}
				})
			}
		})
	}
}

func TestACleanStartLeavesTheRoom(t *testing.T) {
	for _, version := range versions {
		t.Run(name(version), func(t *testing.T) {
			n := startNode(t, nil)
			old := n.connect(version, "dash", keepSession)
			old.subscribe(1, body)
			go func() { _, _ = old.read() }()
			p := n.dial(version)
			if ack := p.connect("dash", nil); ack.SessionPresent {
				t.Error("a clean start resumed the session")
			}
			if rooms := n.hook.Rooms(); rooms != 0 {
				t.Errorf("%d rooms are left", rooms)
			}
			n.restart()
			if ack := n.dial(version).connect("dash", keepSession); ack.SessionPresent {
				t.Error("the old session came back from the disk")
			}
		})
	}
}

func TestTheEndOfTheConnectionLeavesTheRoomOfACleanSession(t *testing.T) {
	for _, version := range versions {
		t.Run(name(version), func(t *testing.T) {
			n := startNode(t, nil)
			p := n.connect(version, "dash", nil)
			p.subscribe(1, body)
			p.hangUp()
			waitFor(t, "the room to go", func() bool { return n.hook.Rooms() == 0 })
		})
	}
}

func TestSessionExpiryLeavesTheRoom(t *testing.T) {
	n := startNode(t, nil)
	p := n.connect(5, "dash", func(pk *packets.Packet) {
		keepSession(pk)
		pk.Properties.SessionExpiryInterval = 1
	})
	p.subscribe(1, body)
	p.hangUp()
	waitFor(t, "the session to expire", func() bool { return n.hook.Rooms() == 0 })
	n.restart()
	if n.hook.Rooms() != 0 {
		t.Error("the room came back from the disk")
	}
}

func TestTakeOverTakesTheRoomAlong(t *testing.T) {
	for _, version := range versions {
		t.Run(name(version), func(t *testing.T) {
			n := startNode(t, nil)
			old := n.connect(version, "dash", keepSession)
			old.subscribe(1, body)
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				for {
					if _, err := old.read(); err != nil {
						return
					}
				}
			}()
			p := n.dial(version)
			if ack := p.connect("dash", keepSession); !ack.SessionPresent {
				t.Error("the session is gone")
			}
			<-ended
			n.connect(4, "dev", nil).put("fleet/trucks/1", `{"speed":60}`)
			p.message(body)
		})
	}
}

func TestTakeOverPublishesTheWillOfTheOldConnection(t *testing.T) {
	n := startNode(t, nil)
	dash := n.connect(4, "dash", nil)
	dash.subscribe(0, "gone")
	withWill := func(delay uint32) func(*packets.Packet) {
		return func(pk *packets.Packet) {
			keepSession(pk)
			pk.Connect.WillFlag, pk.Connect.WillTopic, pk.Connect.WillPayload = true, "gone", []byte("bye")
			pk.Connect.WillProperties.WillDelayInterval = delay
		}
	}
	first := n.connect(5, "dev", withWill(0))
	go func() { _, _ = first.read() }()
	second := n.connect(5, "dev", withWill(3600))
	dash.message("gone")
	go func() { _, _ = second.read() }()
	n.connect(5, "dev", keepSession) // before the delay has passed: no will
	dash.quiet()
}

func TestADelayedWillComesWhenItsSessionEnds(t *testing.T) {
	n := startNode(t, nil)
	dash := n.connect(4, "dash", nil)
	dash.subscribe(0, "gone")
	dev := n.connect(5, "dev", func(pk *packets.Packet) {
		keepSession(pk)
		pk.Connect.WillFlag, pk.Connect.WillTopic, pk.Connect.WillPayload = true, "gone", []byte("bye")
		pk.Connect.WillProperties.WillDelayInterval = 3600
	})
	dev.hangUp()
	n.absent("dev")
	dash.quiet()
	n.connect(5, "dev", nil) // a clean start ends the session
	dash.message("gone")
}

// What was sent and not acknowledged is sent again, first, in order, with DUP;
// what was not sent follows.
func TestResumeSendsInOrder(t *testing.T) {
	n := startNode(t, nil)
	window := func(pk *packets.Packet) {
		keepSession(pk)
		pk.Properties.ReceiveMaximum = 5
	}
	p := n.connect(5, "dash", window)
	p.subscribe(1, body)
	dev := n.connect(4, "dev", nil)
	const total = 30
	for i := range total {
		dev.put("fleet/trucks/1", fmt.Sprintf(`{"speed":%d}`, 60+i))
	}
	var ids []uint16
	for range 5 {
		ids = append(ids, p.expect(packets.Publish).PacketID)
	}
	p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Puback}, PacketID: ids[0]})
	p.expect(packets.Publish) // the sixth: the window is full again
	p.hangUp()
	n.absent("dash")
	p = n.connect(5, "dash", window)
	for i := 1; i < total; i++ {
		m := p.expect(packets.Publish)
		if want := fmt.Sprintf(`{"speed":%d}`, 60+i); string(m.Payload) != want {
			t.Fatalf("message %d is %s, want %s", i, m.Payload, want)
		}
		if m.FixedHeader.Dup != (i <= 5) || i < 5 && m.PacketID != ids[i] {
			t.Fatalf("message %d: DUP %v, id %d", i, m.FixedHeader.Dup, m.PacketID)
		}
		p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Puback}, PacketID: m.PacketID})
	}
	p.quiet()
}

// A client may use the packet identifiers that the server has in flight, for
// its own packets.
func TestPacketIdentifiersOfTheTwoDirectionsAreApart(t *testing.T) {
	n := startNode(t, nil)
	p := n.connect(5, "dash", nil)
	p.subscribe(2, body)
	n.connect(4, "dev", nil).put("fleet/trucks/1", `{"speed":60}`)
	m := p.expect(packets.Publish)
	p.id = m.PacketID - 1
	if ack := p.subscribe(0, "another"); ack.ReasonCodes[0] != 0 {
		t.Errorf("SUBACK 0x%02X", ack.ReasonCodes[0])
	}
	p.id = m.PacketID - 1
	p.put("fleet/trucks/2", `{"speed":10}`)
	p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pubrec}, PacketID: m.PacketID})
	if rel := p.expect(packets.Pubrel); rel.PacketID != m.PacketID || rel.ReasonCode != 0 {
		t.Errorf("PUBREL %d 0x%02X", rel.PacketID, rel.ReasonCode)
	}
	p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pubcomp}, PacketID: m.PacketID})
	p.quiet()
}

func TestASubscriberThatStopsReadingIsClosed(t *testing.T) {
	n := startNode(t, func(o *options) { o.QueueBytes, o.WriteTimeout = 4<<10, 200*time.Millisecond })
	stalled := n.connect(5, "stalled", keepSession)
	stalled.subscribe(1, body)
	good := n.connect(5, "good", nil)
	good.subscribe(0, body)
	dev := n.connect(5, "dev", nil)
	const total = 200
	go func() {
		for i := range total {
			dev.publish("fleet/trucks/1", fmt.Sprintf(`{"speed":%d,"pad":%q}`, 60+i, strings.Repeat("x", 200)), 1)
		}
	}()
	acked := make(chan struct{})
	go func() {
		defer close(acked)
		for range total {
			dev.expect(packets.Puback)
		}
	}()
	for i := range total {
		if m := good.message(body); !strings.HasPrefix(string(m.Payload), fmt.Sprintf(`{"speed":%d,`, 60+i)) {
			t.Fatalf("message %d is %.20s", i, m.Payload)
		}
	}
	<-acked
	if held := n.session("stalled").Bytes(); held > 4<<10 {
		t.Errorf("%d bytes wait for a stalled client, the limit is 4096", held)
	}
}

func TestAMessageLargerThanTheClientTakesIsLeftOut(t *testing.T) {
	n := startNode(t, nil)
	small := func(pk *packets.Packet) { pk.Properties.MaximumPacketSize = 300 }
	p := n.connect(5, "small", small)
	p.subscribe(1, body)
	dev := n.connect(4, "dev", nil)
	dev.put("fleet/trucks/1", fmt.Sprintf(`{"speed":60,"pad":%q}`, strings.Repeat("x", 300)))
	dev.put("fleet/trucks/1", `{"speed":61}`)
	if m := p.message(body); string(m.Payload) != `{"speed":61}` {
		t.Errorf("got %s", m.Payload)
	}
	n.engine.Statistics("test", time.Minute)
	p.subscribe(0, "$SYS/broker/publish/messages/oversize")
	if m := p.message("$SYS/broker/publish/messages/oversize"); string(m.Payload) != "1" {
		t.Errorf("%s messages were too large, want 1", m.Payload)
	}
}

func TestNoMessageIsTooLargeBecauseOfItsAlias(t *testing.T) {
	n := startNode(t, nil)
	const limit = 64
	p := n.connect(5, "small", func(pk *packets.Packet) {
		pk.Properties.MaximumPacketSize, pk.Properties.TopicAliasMaximum = limit, 5
	})
	p.subscribe(1, "home/+")
	dev := n.connect(4, "dev", nil)
	const most = limit - 2 - 2 - len("home/1") - 2 - 1
	for i := range 5 {
		topic := fmt.Sprint("home/", i)
		dev.put(topic, strings.Repeat("x", most+1))
		dev.put(topic, strings.Repeat("x", most-i))
		if m := p.message(topic); len(m.Payload) != most-i || m.Properties.TopicAliasFlag != (i > 2) {
			t.Errorf("%d bytes with alias %d, want %d; there is room for an alias from 3 less on", len(m.Payload), m.Properties.TopicAlias, most-i)
		}
	}
	p.subscribe(1, "a")
	dev.put("a", "x") // an alias that is known is longer than this topic
	p.message("a")
	dev.put("a", strings.Repeat("x", limit-2-2-len("a")-2-1))
	p.message("a")
}

func TestConnackSaysWhatTheServerTakes(t *testing.T) {
	n := startNode(t, nil)
	ack := n.dial(5).connect("dev", nil)
	if ack.Properties.MaximumPacketSize != 256<<10 || ack.Properties.TopicAliasMaximum != 16 {
		t.Errorf("CONNACK %+v", ack.Properties)
	}
}

func TestClientIdentifiersWithWildcardsAreRefused(t *testing.T) {
	n := startNode(t, nil)
	if ack := n.dial(5).connect("dev/#", nil); ack.ReasonCode != 0x85 {
		t.Errorf("CONNACK 0x%02X, want 0x85", ack.ReasonCode)
	}
}
