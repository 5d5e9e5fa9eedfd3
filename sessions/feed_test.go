package sessions_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"
)

// An absent client costs no memory for what it misses, and misses nothing.
func TestNothingIsKeptInMemoryOfWhatAnAbsentClientMisses(t *testing.T) {
	n := startNode(t, func(o *options) { o.QueueBytes = 4 << 10 })
	const clients, changes = 20, 500
	for i := range clients {
		id := fmt.Sprint("dash-", i)
		p := n.connect(4, id, keepSession)
		p.subscribe(1, everything, scope+"+")
		p.message(scope + "$synced")
		p.ping() // it is acknowledged
		p.hangUp()
		n.absent(id)
	}
	dev := n.connect(4, "dev", nil)
	for i := range changes {
		dev.put(fmt.Sprintf("fleet/trucks/%d", i%3), fmt.Sprintf(`{"speed":60,"pad":%q}`, strings.Repeat("x", 100)))
	}
	for i := range clients {
		s := n.session(fmt.Sprint("dash-", i))
		if s.Bytes() > 0 || s.Queued() > 0 {
			t.Fatalf("dash-%d has %d messages of %d bytes", i, s.Queued(), s.Bytes())
		}
	}
	for i := range clients {
		p := n.connect(4, fmt.Sprint("dash-", i), keepSession)
		next, scoped := uint64(1), 0
		for range 2 * changes {
			m := p.expect(packets.Publish)
			p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Puback}, PacketID: m.PacketID})
			if m.TopicName != everything {
				scoped++
				continue
			}
			if got := seqOf(t, m); got != next {
				t.Fatalf("dash-%d: got seq %d, want %d", i, got, next)
			}
			next++
		}
		if scoped != changes {
			t.Errorf("%d of %d changes of the scope", scoped, changes)
		}
	}
}

// What is repeated is what was not acknowledged, with the same seq.
func TestAClientThatComesBackIsToldWhatItDidNotAcknowledge(t *testing.T) {
	for _, restart := range []bool{false, true} {
		t.Run(fmt.Sprintf("restart=%v", restart), func(t *testing.T) {
			n := startNode(t, nil)
			dev := n.connect(4, "dev", nil)
			p := n.connect(5, "dash", keepSession)
			p.subscribe(1, everything)
			for range 4 {
				dev.put("fleet/trucks/1", `{"speed":60}`)
			}
			p.message(everything)
			p.message(everything)
			p.expect(packets.Publish)
			p.expect(packets.Publish)
			p.ping()
			p.hangUp()
			n.absent("dash")
			dev.put("fleet/trucks/1", `{"speed":70}`)
			if restart {
				n.restart()
			}
			p = n.connect(5, "dash", keepSession)
			for seq := uint64(3); seq <= 5; seq++ {
				if got := seqOf(t, p.message(everything)); got != seq {
					t.Errorf("got seq %d, want %d", got, seq)
				}
			}
			p.quiet()
		})
	}
}

// Clients subscribe again whenever they connect.
func TestSubscribingAgainDoesNotEndAReplay(t *testing.T) {
	for _, again := range []bool{false, true} {
		t.Run(fmt.Sprintf("again=%v", again), func(t *testing.T) {
			n := startNode(t, nil)
			dev := n.connect(4, "dev", nil)
			p := n.connect(4, "dash", keepSession)
			p.subscribe(1, everything)
			p.hangUp()
			n.absent("dash")
			const missed = 500
			dev.fill("1", missed)
			p = n.connect(4, "dash", keepSession)
			if again {
				p.send(packets.Packet{
					FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: p.nextID(),
					Filters: packets.Subscriptions{{Filter: everything, Qos: 1}},
				})
			}
			for next := uint64(1); next <= missed; {
				m, err := p.read()
				if err != nil {
					t.Fatal(err)
				}
				if m.FixedHeader.Type == packets.Suback {
					continue
				}
				if got := seqOf(t, m); got != next {
					t.Fatalf("got seq %d, want %d", got, next)
				}
				next++
				p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Puback}, PacketID: m.PacketID})
			}
			p.hangUp()
		})
	}
}

func TestAnAbsentClientIsToldOfAGap(t *testing.T) {
	for _, restart := range []bool{false, true} {
		t.Run(fmt.Sprintf("restart=%v", restart), func(t *testing.T) {
			n := startNode(t, shortLog)
			dev := n.connect(4, "dev", nil)
			p := n.connect(5, "dash", keepSession)
			p.subscribe(1, fast)
			p.subscribe(1, scope+"+")
			p.message(scope + "$synced")
			p.hangUp()
			n.absent("dash")
			dev.put("fleet/trucks/1", `{"speed":60}`)
			dev.fill("2", 200)
			if restart {
				n.restart()
				dev = n.connect(4, "dev", nil)
			}
			p = n.connect(5, "dash", keepSession)
			var told, scoped []string
			for range 7 {
				m := p.expect(packets.Publish)
				p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Puback}, PacketID: m.PacketID})
				if m.TopicName == fast {
					told = append(told, property(m, "gap")+property(m, "id"))
				} else {
					scoped = append(scoped, strings.TrimPrefix(m.TopicName, scope))
				}
			}
			if got, want := fmt.Sprint(told, scoped), "[0-201 1 2] [$synced 1 2 $synced]"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			dev.put("fleet/trucks/1", `{"speed":61}`)
			for range 2 {
				if m := p.expect(packets.Publish); property(m, "seq") != "202" {
					t.Errorf("%s with seq %s", m.TopicName, property(m, "seq"))
				}
			}
		})
	}
}

func TestManyRoomsAreReplayed(t *testing.T) {
	n := startNode(t, nil)
	dev := n.connect(4, "dev", nil)
	const subscriptions, changes = 150, 100
	p := n.connect(4, "dash", keepSession)
	for i := range subscriptions {
		p.subscribe(1, fmt.Sprintf(`fleet/trucks/?{"range":{"speed":{"gt":%d}}}&payload=none`, i))
	}
	p.hangUp()
	n.absent("dash")
	for range changes {
		dev.put("fleet/trucks/1", `{"speed":1000}`)
	}
	p = n.connect(4, "dash", keepSession)
	got := map[string]int{}
	for range subscriptions * changes {
		m := p.expect(packets.Publish)
		got[m.TopicName]++
		p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Puback}, PacketID: m.PacketID})
	}
	p.quiet()
	for topic, n := range got {
		if n != changes {
			t.Errorf("%d messages on %s", n, topic)
		}
	}
}

// A session's marks are on disk a moment after its acknowledgements.
func TestAcknowledgementsAreKeptWhileTheClientIsConnected(t *testing.T) {
	n := startNode(t, nil)
	dev := n.connect(4, "dev", nil)
	p := n.connect(4, "dash", keepSession)
	p.subscribe(1, everything)
	for range 3 {
		dev.put("fleet/trucks/1", `{"speed":60}`)
		p.message(everything)
	}
	p.ping()
	waitFor(t, "the mark", func() bool {
		for s, err := range n.store.Subscriptions() {
			if err != nil {
				t.Fatal(err)
			}
			if s.HasSeen && s.Seen == 3 {
				return true
			}
		}
		return false
	})
}

// The connection that was taken over ends after the other one has begun.
func TestTakingOverAgainAndAgainLosesNothing(t *testing.T) {
	n := startNode(t, nil)
	dev := n.connect(4, "dev", nil)
	p := n.connect(4, "dash", keepSession)
	p.subscribe(1, everything)
	next := uint64(1)
	for range 30 {
		old := p
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for {
				if _, err := old.read(); err != nil {
					return
				}
			}
		}()
		p = n.connect(4, "dash", keepSession)
		<-ended
		for range 3 {
			dev.put("fleet/trucks/1", `{"speed":60}`)
			if got := seqOf(t, p.message(everything)); got != next {
				t.Fatalf("got seq %d, want %d", got, next)
			}
			next++
		}
		p.ping()
	}
}
