package sessions_test

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/sessions"
)

// kinds reads packets until the connection is closed, and yields their types.
// The last one is 0 if it is open and nothing came.
func (p *peer) kinds() <-chan byte {
	kinds := make(chan byte, 16)
	go func() {
		defer close(kinds)
		for {
			pk, err := p.read()
			if errors.Is(err, os.ErrDeadlineExceeded) {
				kinds <- 0
			}
			if err != nil {
				return
			}
			kinds <- pk.FixedHeader.Type
		}
	}()
	return kinds
}

func TestOfTwoConnectsAtOnceOneWorksAndTheOtherIsClosed(t *testing.T) {
	n := startNode(t, nil)
	for round := range 100 {
		var peers [2]*peer
		var kinds [2]<-chan byte
		for i := range peers {
			peers[i] = n.dial(5)
			kinds[i] = peers[i].kinds()
		}
		var sent sync.WaitGroup
		for _, p := range peers {
			sent.Go(func() { p.sendConnect(fmt.Sprint("dev", round), keepSession) })
		}
		for i := range kinds {
			<-kinds[i] // CONNACK, or the end
		}
		for _, p := range peers {
			sent.Go(func() { p.publish("a", "", 1) })
		}
		working, closed := 0, 0
		for i := range kinds {
			kind := byte(packets.Connack)
			for kind == packets.Connack || kind == packets.Disconnect {
				var open bool
				if kind, open = <-kinds[i]; !open {
					closed++
				}
			}
			if kind == packets.Puback {
				working++
			}
		}
		sent.Wait()
		if working != 1 || closed != 1 {
			t.Fatalf("round %d: %d connections work and %d are closed, want one of each", round, working, closed)
		}
	}
}

func TestOnlyMQTT5IsToldOfATakeOver(t *testing.T) {
	for _, version := range versions {
		for _, keep := range []func(*packets.Packet){nil, keepSession} {
			t.Run(fmt.Sprintf("%s/keep=%v", name(version), keep != nil), func(t *testing.T) {
				n := startNode(t, nil)
				old := n.connect(version, "dev", keep)
				p := n.dial(version)
				p.sendConnect("dev", keep)
				old.expectEnd(map[byte]byte{4: 0, 5: 0x8e}[version])
				p.expect(packets.Connack)
				p.put("fleet/trucks/1", "{}")
			})
		}
	}
}

func TestATakeOverThatMakesTheSessionPersistentStoresItsSubscriptions(t *testing.T) {
	n := startNode(t, nil)
	old := n.connect(5, "dash", func(pk *packets.Packet) { pk.Connect.Clean = false })
	old.subscribe(1, "home/lamp", body)
	p := n.dial(5)
	p.sendConnect("dash", keepSession)
	old.expectEnd(0x8e)
	if ack := p.expect(packets.Connack); !ack.SessionPresent {
		t.Fatal("the session is gone")
	}
	n.restart()
	p = n.dial(5)
	if ack := p.connect("dash", keepSession); !ack.SessionPresent {
		t.Fatal("the session is not on disk")
	}
	dev := n.connect(4, "dev", nil)
	dev.put("home/lamp", "on")
	p.message("home/lamp")
	dev.put("fleet/trucks/1", `{"speed":60}`)
	p.message(body)
}

func TestAConnackThatCannotBeSentLeavesNoSession(t *testing.T) {
	n := startNode(t, nil)
	p := n.dial(5)
	p.sendConnect("dev", func(pk *packets.Packet) { pk.Properties.MaximumPacketSize = 5 })
	p.expectEnd(0)
	waitFor(t, "the session to go", func() bool { _, there := n.engine.Session("dev"); return !there && n.engine.Connected() == 0 })
	n.connect(5, "dev", nil).put("fleet/trucks/1", "{}") // nobody has its turn
}

func TestNobodyIsLetInWhileTheBrokerDrains(t *testing.T) {
	n := startNode(t, nil)
	n.engine.Drain(&sessions.Error{Code: 0x8b, Text: "stop"})
	for version, want := range map[byte]byte{4: 3, 5: 0x8b} {
		if ack := n.dial(version).connect("late", nil); ack.ReasonCode != want {
			t.Errorf("CONNACK of version %d: 0x%02X, want 0x%02X", version, ack.ReasonCode, want)
		}
	}
}

func TestDisconnectCannotExceedTheLimitOfSessionExpiry(t *testing.T) {
	n := startNode(t, nil) // an hour
	p := n.connect(5, "dev", keepSession)
	s := n.session("dev")
	p.send(packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Disconnect},
		Properties:  packets.Properties{SessionExpiryInterval: 1 << 30, SessionExpiryIntervalFlag: true},
	})
	p.expectEnd(0)
	n.absent("dev")
	if got := s.Expiry(); got != 3600 {
		t.Errorf("the session is kept for %d seconds, the limit is 3600", got)
	}
}

// What the old connection has read and not handled is sent again on the new
// one, or never was sent as far as its client knows: handled late, it would come
// behind what the new connection publishes.
func TestNothingOfAConnectionIsHandledAfterItsTakeOver(t *testing.T) {
	for _, keep := range []func(*packets.Packet){nil, keepSession} {
		t.Run(fmt.Sprintf("keep=%v", keep != nil), func(t *testing.T) {
			n := startNode(t, nil)
			dash := n.connect(5, "dash", nil)
			dash.subscribe(0, "home/lamp")
			old := n.connectSocket(5, "dev", keep)
			release := n.hold()
			old.send(packets.Packet{
				FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: old.nextID(),
				Filters: packets.Subscriptions{{Filter: "a"}},
			})
			old.publish("home/lamp", "old", 0)
			n.waiting("dev")
			p := n.dialSocket(5)
			p.sendConnect("dev", keep)
			for kind := byte(packets.Suback); kind != packets.Disconnect; { // the take-over has begun
				pk, err := old.read()
				if err != nil {
					t.Fatal(err)
				}
				kind = pk.FixedHeader.Type
			}
			release()
			p.expect(packets.Connack)
			p.publish("home/lamp", "new", 0)
			if m := dash.message("home/lamp"); string(m.Payload) != "new" {
				t.Errorf("the first message is %s", m.Payload)
			}
			dash.quiet()
		})
	}
}

// A session that would end with its connection goes on in the next one, with
// all that was in flight.
func TestATakeOverLosesNothingThatWasInFlight(t *testing.T) {
	n := startNode(t, nil)
	forNow := func(pk *packets.Packet) {
		pk.Connect.Clean = false
		pk.Properties.ReceiveMaximum = 1
	}
	old := n.connectSocket(5, "dash", forNow)
	old.subscribe(1, "home/lamp")
	dev := n.connect(5, "dev", nil)
	dev.put("home/lamp", "first")
	dev.put("home/lamp", "second")
	id := old.expect(packets.Publish).PacketID
	p := n.dialSocket(5)
	if ack := p.connect("dash", forNow); !ack.SessionPresent {
		t.Fatal("the session is gone")
	}
	if m := p.message("home/lamp"); string(m.Payload) != "first" || m.PacketID != id || !m.FixedHeader.Dup {
		t.Errorf("got %s with id %d, DUP %v", m.Payload, m.PacketID, m.FixedHeader.Dup)
	}
	if m := p.message("home/lamp"); string(m.Payload) != "second" || m.FixedHeader.Dup {
		t.Errorf("got %s, DUP %v", m.Payload, m.FixedHeader.Dup)
	}
}

// A connection that cannot be written to has lost messages by the time its
// client comes back, if nothing was to be kept for it.
func TestASessionThatHasLostMessagesIsNotResumed(t *testing.T) {
	n := startNode(t, nil)
	forNow := func(pk *packets.Packet) { pk.Connect.Clean = false }
	old := n.connectSocket(5, "dash", forNow)
	old.subscribe(1, "home/lamp")
	release := n.hold()
	old.send(packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: old.nextID(),
		Filters: packets.Subscriptions{{Filter: "a"}},
	})
	n.waiting("dash")
	old.hangUp()
	dev := n.connect(4, "dev", nil)
	waitFor(t, "a write to fail", func() bool {
		dev.put("home/lamp", "on")
		return !n.session("dash").Online()
	})
	dev.put("home/lamp", "lost")
	p := n.dialSocket(5)
	p.sendConnect("dash", forNow)
	release()
	if ack := p.expect(packets.Connack); ack.SessionPresent {
		t.Error("the session is resumed, without what was published meanwhile")
	}
}

// A date may come due while the client comes back: what it was about is over.
func TestADateThatComesTooLateEndsNothing(t *testing.T) {
	n := startNode(t, nil)
	dash := n.connect(4, "dash", nil)
	dash.subscribe(0, "gone")
	withWill := func(pk *packets.Packet) {
		keepSession(pk)
		pk.Connect.WillFlag, pk.Connect.WillTopic, pk.Connect.WillPayload = true, "gone", []byte("bye")
		pk.Connect.WillProperties.WillDelayInterval = 3600
	}
	n.connect(5, "dev", withWill).hangUp()
	n.absent("dev")
	n.engine.TakeTurn("dev", t) // the dates are set once the end of the connection is noted
	publishWill, expire := n.session("dev").Dates()
	n.engine.GiveTurn(t)
	p := n.connect(5, "dev", withWill)
	publishWill()
	n.engine.Tasks()
	dash.quiet()
	p.hangUp()
	n.absent("dev")
	expire()
	n.engine.Tasks()
	if ack := n.dial(5).connect("dev", keepSession); !ack.SessionPresent {
		t.Error("the session has expired")
	}
	dash.quiet()
}

// A client whose session ends with its connection is still a member of its
// groups when the connection has failed.
func TestAGroupGivesNothingToAMemberThatIsGone(t *testing.T) {
	n := startNode(t, nil)
	p := n.connect(5, "kept", keepSession)
	p.subscribe(1, "$share/g/home/lamp")
	p.hangUp()
	n.absent("kept")
	gone := n.connect(5, "gone", nil)
	gone.subscribe(1, "$share/g/home/lamp")
	n.engine.TakeTurn("gone", t)
	gone.hangUp()
	n.offline("gone")
	dev := n.connect(4, "dev", nil)
	const total = 10
	for range total {
		dev.put("home/lamp", "on")
	}
	n.engine.GiveTurn(t)
	p = n.connect(5, "kept", keepSession)
	for range total {
		p.message("home/lamp")
	}
}

// Whoever panics leaves nobody waiting for what he was going to send.
func TestAPanicHoldsUpNobodyElse(t *testing.T) {
	n := startNode(t, nil)
	dash := n.connectSocket(4, "dash", nil)
	dash.subscribe(0, "home/lamp")
	p := n.connectSocket(4, "dev", nil)
	n.session("dev").Break()
	p.raw(append(publishOf("home/lamp", "on"), packets.Publish<<4|2<<1, 5, 0, 1, 'a', 0, 1))
	p.expectEnd(0)
	n.connect(4, "other", nil).publish("home/lamp", "off", 0)
	dash.message("home/lamp")
	dash.message("home/lamp")
}

// Another connection may take the session over before the end of this one is
// noted: that must not publish a will that was taken back.
func TestDisconnectTakesTheWillBackAtOnce(t *testing.T) {
	n := startNode(t, nil)
	dev := n.connect(5, "dev", func(pk *packets.Packet) {
		keepSession(pk)
		pk.Connect.WillFlag, pk.Connect.WillTopic, pk.Connect.WillPayload = true, "gone", []byte("bye")
	})
	s := n.session("dev")
	n.engine.TakeTurn("dev", t)
	defer n.engine.GiveTurn(t)
	dev.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Disconnect}})
	dev.expectEnd(0)
	if s.HasWill() {
		t.Error("the will would be published by a take-over")
	}
}

// A client that comes back before its old connection is known to be dead must
// not be locked out by it.
func TestATakeOverIsLetInWhereNobodyElseIs(t *testing.T) {
	n := startNode(t, func(o *options) { o.Connections = 1 })
	old := n.connectSocket(5, "dev", keepSession)
	if ack := n.dial(5).connect("other", nil); ack.ReasonCode != 0x89 {
		t.Errorf("CONNACK 0x%02X beyond the limit, want 0x89", ack.ReasonCode)
	}
	if ack := n.dial(5).connect("dev", keepSession); ack.ReasonCode != 0 || !ack.SessionPresent {
		t.Errorf("CONNACK 0x%02X, session present %v", ack.ReasonCode, ack.SessionPresent)
	}
	old.expectEnd(0x8e)
}
