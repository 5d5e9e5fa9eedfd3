package sessions_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/mochi-mqtt/server/v2/packets"
)

// oneAtATime keeps the session of a client that takes one message at a time.
func oneAtATime(pk *packets.Packet) {
	keepSession(pk)
	pk.Properties.ReceiveMaximum = 1
}

// publication returns the next PUBLISH. Before that it answers what else comes.
func (p *peer) publication() packets.Packet {
	p.t.Helper()
	for {
		m, err := p.read()
		switch {
		case err != nil:
			p.t.Fatal(err)
		case m.FixedHeader.Type == packets.Publish:
			return m
		case m.FixedHeader.Type == packets.Pubrel:
			p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pubcomp}, PacketID: m.PacketID})
		}
	}
}

// accept acknowledges a message.
func (p *peer) accept(m packets.Packet) {
	p.t.Helper()
	if kind := map[byte]byte{1: packets.Puback, 2: packets.Pubrec}[m.FixedHeader.Qos]; kind > 0 {
		p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: kind}, PacketID: m.PacketID})
	}
}

// watch reads what a scope tells, as a client that knows of snapshots only that it is to
// forget what it knows when $synced is cleared, up to the message with the end of the one as
// of a change. It returns the ids in scope.
func (p *peer) watch(in map[string]bool, synced string) string {
	p.t.Helper()
	for {
		m := p.publication()
		p.accept(m)
		id := strings.TrimPrefix(m.TopicName, scope)
		if in[id] = true; len(m.Payload) == 0 || id == "$synced" {
			delete(in, id)
		}
		if id == "$synced" && len(m.Payload) == 0 {
			clear(in)
		}
		if id == "$synced" && string(m.Payload) == synced {
			return strings.Join(slices.Sorted(maps.Keys(in)), " ")
		}
	}
}

// The connection ends in the middle of a snapshot. Of what the client was told, something
// leaves while it is away.
func TestASnapshotThatIsToldAgainSaysWhatHasLeft(t *testing.T) {
	for _, qos := range []byte{1, 2} {
		for _, end := range []string{"hang up", "take over", "restart", "crash"} {
			t.Run(fmt.Sprintf("QoS %d, %s", qos, end), func(t *testing.T) {
				n := startNode(t, func(o *options) { o.fs = vfs.NewCrashableMem() })
				dev := n.connect(4, "dev", nil)
				for i := range 6 {
					dev.put(fmt.Sprintf("fleet/trucks/%d", i), `{"speed":60}`)
				}
				p := n.connect(5, "map", oneAtATime)
				p.subscribe(qos, scope+"+")
				in := map[string]bool{}
				for i := range 3 { // the last one is not acknowledged
					m := p.publication()
					in[strings.TrimPrefix(m.TopicName, scope)] = true
					if i < 2 {
						p.accept(m)
					}
				}
				if end != "take over" {
					p.hangUp()
					n.absent("map")
				}
				dev.put("fleet/trucks/0", `{"speed":10}`)
				dev.put("fleet/trucks/0", `{"speed":11}`)
				dev.put("fleet/trucks/1", "")
				dev.put("fleet/trucks/2", `{"speed":10}`)
				dev.put("fleet/trucks/3", `{"speed":10}`)
				dev.put("fleet/trucks/4", `{"speed":61}`)
				switch end {
				case "restart":
					n.restart()
				case "crash":
					n.crash()
				}
				p = n.connect(5, "map", keepSession)
				if got := p.watch(in, `{"seq":12}`); got != "4 5" {
					t.Errorf("in scope are %q", got)
				}
				n.connect(4, "other", nil).put("fleet/trucks/9", `{"speed":70}`)
				if m := p.publication(); m.TopicName != scope+"9" {
					t.Errorf("told of %s again", m.TopicName)
				}
			})
		}
	}
}

// Who subscribes again while he is told what he missed is told a snapshot instead.
func TestASnapshotInPlaceOfWhatWasMissedSaysWhatHasLeft(t *testing.T) {
	n := startNode(t, nil)
	dev := n.connect(4, "dev", nil)
	dev.put("fleet/trucks/1", `{"speed":60}`)
	dev.put("fleet/trucks/2", `{"speed":60}`)
	p := n.connect(5, "map", keepSession)
	p.subscribe(1, scope+"+")
	in := map[string]bool{}
	p.watch(in, `{"seq":2}`)
	p.hangUp()
	n.absent("map")
	dev.fill("2", 100)
	dev.put("fleet/trucks/1", `{"speed":10}`)
	p = n.connect(5, "map", oneAtATime)
	first := p.publication()
	p.subscribe(1, scope+"+")
	p.accept(first)
	if got := p.watch(in, `{"seq":103}`); got != "2" {
		t.Errorf("in scope are %q", got)
	}
	p.quiet()
}

// At QoS 2 the store is told of a message before the client is. If the connection ends
// between, what comes on the next one is as of then.
func TestWhatWasNeverSentAtQoS2DoesNotComeOutOfDate(t *testing.T) {
	n := startNode(t, nil)
	dev := n.connect(4, "dev", nil)
	dev.put("fleet/trucks/1", `{"speed":60}`)
	dev.put("fleet/trucks/2", `{"speed":60}`)
	p := n.connect(5, "map", keepSession)
	n.engine.TakeTurn("map", t) // so that the store is not told
	p.subscribe(2, scope+"+")
	waitFor(t, "the snapshot to wait for the store", func() bool { return n.session("map").Bytes() > 0 })
	p.hangUp()
	n.offline("map")
	n.engine.GiveTurn(t)
	n.absent("map")
	dev.put("fleet/trucks/1", `{"speed":10}`)
	p = n.connect(5, "map", keepSession)
	for id := ""; id != "$synced"; {
		m := p.publication()
		p.accept(m)
		if id = strings.TrimPrefix(m.TopicName, scope); id == "1" && len(m.Payload) > 0 {
			t.Errorf("fleet/trucks/1 is told as %s", m.Payload)
		}
	}
}

// Where the change log does not go back far enough, nobody can say what has left. What waits for
// the client goes before, at any QoS.
func TestAScopeIsClearedWhereTheChangeLogIsTooShort(t *testing.T) {
	for _, qos := range []byte{0, 1, 2} {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprintf("QoS %d, restart=%v", qos, restart), func(t *testing.T) {
				n := startNode(t, shortLog)
				dev := n.connect(4, "dev", nil)
				dev.put("fleet/trucks/1", `{"speed":60}`)
				dev.put("fleet/trucks/2", `{"speed":60}`)
				p := n.connect(5, "map", keepSession)
				p.subscribe(1, "home/lamp")
				p.subscribe(qos, scope+"+")
				in := map[string]bool{}
				p.watch(in, `{"seq":2}`)
				p.hangUp()
				n.absent("map")
				dev.put("home/lamp", "on")
				dev.put("home/lamp", "off")
				dev.put("fleet/trucks/1", `{"speed":10}`)
				dev.fill("2", 200)
				if restart {
					n.restart()
				}
				p = n.connect(5, "map", oneAtATime)
				lamp := p.publication()
				n.hold()()
				p.quiet() // what waits goes before
				p.accept(lamp)
				if got := p.watch(in, `{"seq":203}`); got != "2" {
					t.Errorf("in scope are %q", got)
				}
			})
		}
	}
}

// One who subscribed to one document of a scope is told that it is not there.
func TestOneDocumentOfAScopeIsClearedWhereTheChangeLogIsTooShort(t *testing.T) {
	n := startNode(t, shortLog)
	dev := n.connect(4, "dev", nil)
	dev.put("fleet/trucks/1", `{"speed":60}`)
	p := n.connect(5, "map", keepSession)
	p.subscribe(1, scope+"1")
	p.message(scope + "1")
	p.ping()
	p.hangUp()
	n.absent("map")
	dev.put("fleet/trucks/1", "")
	dev.fill("2", 200)
	p = n.connect(5, "map", keepSession)
	if m := p.message(scope + "1"); len(m.Payload) > 0 || property(m, "gap") != "1-202" {
		t.Errorf("told %s of the gap %s", m.Payload, property(m, "gap"))
	}
	p.quiet()
}
