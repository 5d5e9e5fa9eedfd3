package sessions_test

import (
	"fmt"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/mochi-mqtt/server/v2/packets"
)

// crash takes the power away and starts the node again: what was not synced is gone.
func (n *node) crash() {
	n.t.Helper()
	left := n.fs.(*vfs.MemFS).CrashClone(vfs.CrashCloneCfg{})
	n.stop()
	n.fs = left
	n.start()
}

// absentAfterRestart subscribes a session, has its client leave, and publishes what
// publish does. The node is started again before the client comes back.
func absentAfterRestart(t *testing.T, version, qos byte, topicFilter string, publish func(*node, *peer)) (*node, *peer) {
	t.Helper()
	n := startNode(t, nil)
	p := n.connect(version, "dash", keepSession)
	p.subscribe(qos, topicFilter)
	p.hangUp()
	n.absent("dash")
	publish(n, n.connect(5, "dev", nil))
	n.restart()
	p = n.dial(version)
	if ack := p.connect("dash", keepSession); !ack.SessionPresent {
		t.Fatal("the session is gone")
	}
	return n, p
}

func TestWhatWaitsForAnAbsentClientSurvivesARestart(t *testing.T) {
	for _, version := range versions {
		for _, topic := range []string{"home/lamp", "fleet/trucks/1"} {
			t.Run(name(version)+" "+topic, func(t *testing.T) {
				_, p := absentAfterRestart(t, version, 1, topic, func(_ *node, dev *peer) {
					dev.send(packets.Packet{
						FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: 1}, TopicName: topic, PacketID: dev.nextID(),
						Payload: []byte(`{"n":0}`), Properties: packets.Properties{ContentType: "json", User: []packets.UserProperty{{Key: "k", Val: "v"}}},
					})
					dev.expect(packets.Puback)
					for i := 1; i < 20; i++ {
						dev.put(topic, fmt.Sprintf(`{"n":%d}`, i))
					}
				})
				for i := range 20 {
					m := p.message(topic)
					if want := fmt.Sprintf(`{"n":%d}`, i); string(m.Payload) != want || m.FixedHeader.Qos != 1 || m.FixedHeader.Dup {
						t.Fatalf("message %d is %s at QoS %d, DUP %v", i, m.Payload, m.FixedHeader.Qos, m.FixedHeader.Dup)
					}
					if p := m.Properties; version == 5 && i == 0 && (p.ContentType != "json" || len(p.User) != 1 || p.User[0].Val != "v") {
						t.Errorf("its properties are %+v", p)
					}
				}
				p.quiet()
			})
		}
	}
}

func TestAMessageForManyAbsentClientsWaitsForEachOfThem(t *testing.T) {
	n := startNode(t, nil)
	const clients = 40
	for i := range clients {
		p := n.connect(4, fmt.Sprint("dash", i), keepSession)
		p.subscribe(1, "home/+")
		p.hangUp()
		n.absent(fmt.Sprint("dash", i))
	}
	dev := n.connect(4, "dev", nil)
	dev.put("home/lamp", "on")
	dev.put("home/door", "shut")
	for i := range clients {
		if i%2 == 0 {
			n.restart()
		}
		p := n.connect(4, fmt.Sprint("dash", i), keepSession)
		p.message("home/lamp")
		p.message("home/door")
		p.quiet()
		p.hangUp()
		n.absent(fmt.Sprint("dash", i))
	}
	n.restart()
	for m, err := range n.store.Queued() {
		t.Errorf("%s still waits for %s, %v", m.Message.Topic, m.ClientID, err)
	}
}

func TestAMessageWaitsForTheMemberOfAGroupWhoseTurnItIs(t *testing.T) {
	n := startNode(t, nil)
	for i := range 3 {
		p := n.connect(5, fmt.Sprint("worker", i), keepSession)
		p.subscribe(1, "$share/all/jobs/#", "jobs/urgent")
		p.hangUp()
		n.absent(fmt.Sprint("worker", i))
	}
	dev := n.connect(5, "dev", nil)
	for i := range 9 {
		dev.put("jobs/new", fmt.Sprint(i))
	}
	dev.put("jobs/urgent", "now") // to each, and once more to one
	n.restart()
	got := map[string]int{}
	for i := range 3 {
		p := n.connect(5, fmt.Sprint("worker", i), keepSession)
		for range n.session(fmt.Sprint("worker", i)).Waiting() {
			m := p.expect(packets.Publish)
			got[string(m.Payload)]++
			p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Puback}, PacketID: m.PacketID})
		}
		p.quiet()
	}
	for i := range 9 {
		if got[fmt.Sprint(i)] != 1 {
			t.Errorf("job %d was given to %d", i, got[fmt.Sprint(i)])
		}
	}
	if got["now"] != 4 {
		t.Errorf("what is urgent came %d times, want 4", got["now"])
	}
}

func TestWhatWasAcknowledgedDoesNotComeBackAfterARestart(t *testing.T) {
	n, p := absentAfterRestart(t, 4, 1, "home/lamp", func(_ *node, dev *peer) { dev.put("home/lamp", "on") })
	p.message("home/lamp")
	p.quiet()
	n.restart()
	p = n.connect(4, "dash", keepSession)
	p.quiet()
}

func TestAMessageAtQoS2GoesOnWhereItWasAfterARestart(t *testing.T) {
	for _, version := range versions {
		t.Run(name(version), func(t *testing.T) {
			n, p := absentAfterRestart(t, version, 2, "home/lamp", func(_ *node, dev *peer) {
				for _, payload := range []string{"on", "off"} {
					id := dev.publish("home/lamp", payload, 2)
					dev.expect(packets.Pubrec)
					dev.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pubrel, Qos: 1}, PacketID: id})
					dev.expect(packets.Pubcomp)
				}
			})
			first, second := p.expect(packets.Publish), p.expect(packets.Publish)
			p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pubrec}, PacketID: first.PacketID})
			if rel := p.expect(packets.Pubrel); rel.PacketID != first.PacketID {
				t.Fatalf("PUBREL %d, want %d", rel.PacketID, first.PacketID)
			}
			n.restart()
			p = n.connect(version, "dash", keepSession)
			if rel := p.expect(packets.Pubrel); rel.PacketID != first.PacketID {
				t.Fatalf("PUBREL %d after the restart, want %d", rel.PacketID, first.PacketID)
			}
			again := p.expect(packets.Publish)
			if again.PacketID != second.PacketID || !again.FixedHeader.Dup || string(again.Payload) != "off" {
				t.Fatalf("%s came again as %d, DUP %v; it was %d", again.Payload, again.PacketID, again.FixedHeader.Dup, second.PacketID)
			}
			for _, pk := range []packets.Packet{first, second} {
				if pk.PacketID == second.PacketID {
					p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pubrec}, PacketID: pk.PacketID})
					p.expect(packets.Pubrel)
				}
				p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pubcomp}, PacketID: pk.PacketID})
			}
			p.quiet()
			n.restart()
			p = n.connect(version, "dash", keepSession)
			p.quiet()
		})
	}
}

// A client that has what a room told it at QoS 2, and has not been told to release it,
// would take another message with the same packet identifier for that one.
func TestAPacketIdentifierThatAClientHoldsIsReleasedAfterARestart(t *testing.T) {
	n := startNode(t, nil)
	p := n.connect(5, "dash", keepSession)
	p.subscribe(2, body)
	n.connect(4, "dev", nil).put("fleet/trucks/1", `{"speed":60}`)
	held := p.expect(packets.Publish)
	n.restart()
	p = n.connect(5, "dash", keepSession)
	if rel := p.expect(packets.Pubrel); rel.PacketID != held.PacketID {
		t.Fatalf("PUBREL %d, want %d", rel.PacketID, held.PacketID)
	}
	if again := p.expect(packets.Publish); again.PacketID == held.PacketID || string(again.Payload) != string(held.Payload) {
		t.Fatalf("%s came with %d after PUBREL, %s had it before", again.Payload, again.PacketID, held.Payload)
	}
}

func TestAPublishAtQoS2CountsOnceAcrossARestart(t *testing.T) {
	for _, version := range versions {
		for _, topic := range []string{"home/lamp", "fleet/trucks/1"} {
			t.Run(name(version)+" "+topic, func(t *testing.T) {
				n := startNode(t, nil)
				dash := n.connect(5, "dash", keepSession)
				dash.subscribe(1, topic)
				dev := n.connect(version, "dev", keepSession)
				pk := packets.Packet{
					FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: 2}, TopicName: topic, PacketID: 7, Payload: []byte(`{"n":1}`),
				}
				dev.send(pk)
				dev.expect(packets.Pubrec)
				dash.message(topic)
				dash.quiet()

				n.restart()
				dash = n.connect(5, "dash", keepSession)
				dev = n.connect(version, "dev", keepSession)
				pk.FixedHeader.Dup = true
				dev.send(pk)
				dev.expect(packets.Pubrec)
				dash.quiet()
				dev.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pubrel, Qos: 1}, PacketID: 7})
				if ack := dev.expect(packets.Pubcomp); ack.ReasonCode != 0 {
					t.Errorf("PUBCOMP 0x%02X", ack.ReasonCode)
				}

				n.restart() // the packet identifier is free again
				dash = n.connect(5, "dash", keepSession)
				dev = n.connect(version, "dev", keepSession)
				pk.FixedHeader.Dup, pk.Payload = false, []byte(`{"n":2}`)
				dev.send(pk)
				dev.expect(packets.Pubrec)
				if m := dash.message(topic); string(m.Payload) != `{"n":2}` {
					t.Errorf("%s came", m.Payload)
				}
				dash.quiet()
			})
		}
	}
}

// withWill connects a client that leaves a will behind.
func withWill(delay, expiry uint32) func(*packets.Packet) {
	return func(pk *packets.Packet) {
		keepSession(pk)
		pk.Connect.WillFlag, pk.Connect.WillTopic, pk.Connect.WillPayload, pk.Connect.WillQos = true, "home/gone", []byte("gone"), 1
		pk.Properties.SessionExpiryInterval = expiry
		pk.Connect.WillProperties.WillDelayInterval = delay
		pk.Connect.WillProperties.ContentType = "text"
	}
}

func TestAWillSurvivesACrash(t *testing.T) {
	for _, tt := range []struct {
		name    string
		connect func(*packets.Packet)
		back    bool // the client is back before its will is due
		comes   bool
	}{
		{"of a client that was connected", withWill(0, 3600), false, true},
		{"with a delay", withWill(1, 3600), false, true},
		{"of a session that ends before its delay has passed", withWill(3000, 1), false, true},
		{"of a client that is back in time", withWill(3000, 3600), true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := startNode(t, func(o *options) { o.fs = vfs.NewCrashableMem() })
			dash := n.connect(5, "dash", keepSession)
			dash.subscribe(1, "home/gone")
			n.connect(5, "dev", tt.connect)
			n.crash()
			dash = n.connect(5, "dash", keepSession)
			if tt.back {
				dev := n.connect(5, "dev", keepSession)
				dev.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Disconnect}})
				dev.expectEnd(0)
				n.absent("dev")
			}
			if tt.comes {
				if m := dash.message("home/gone"); string(m.Payload) != "gone" || m.Properties.ContentType != "text" {
					t.Errorf("the will is %s of type %q", m.Payload, m.Properties.ContentType)
				}
			}
			dash.quiet()
			n.restart() // it does not come again
			dash = n.connect(5, "dash", keepSession)
			dash.quiet()
		})
	}
}
