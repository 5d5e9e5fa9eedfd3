package sessions_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"
)

// The name of a room, and the topics by which it is subscribed to.
const (
	depot      = "fleet/trucks/@depot"
	depotScope = "$scope/fleet/trucks/@depot/"
	slow       = `{"range":{"speed":{"lt":30}}}`
	middling   = `{"range":{"speed":{"gte":20,"lt":60}}}`
)

// rename asks for an action of the controller room about the name depot.
func (n *node) rename(action, filter string) {
	n.t.Helper()
	if filter == "" {
		filter = "null"
	}
	p := n.connect(5, "operator", nil)
	p.publish("$ambit/request", fmt.Sprintf(`{"controller":"room","action":%q,"index":"fleet","collection":"trucks","name":"depot","body":%s}`, action, filter), 0)
	if m := p.message("$ambit/response"); !strings.Contains(string(m.Payload), `"status":200`) {
		n.t.Fatalf("room:%s: %s", action, m.Payload)
	}
	p.hangUp()
}

// drive has a truck for each speed: those of depot and middling overlap in one.
func (n *node) drive() *peer {
	n.t.Helper()
	dev := n.connect(4, "dev", nil)
	for id, speed := range map[string]int{"slow": 10, "both": 25, "middling": 50, "fast": 90} {
		dev.put("fleet/trucks/"+id, fmt.Sprintf(`{"speed":%d}`, speed))
	}
	return dev
}

// story expects messages, each "<id> <transition>", in this order.
func (p *peer) story(want ...string) {
	p.t.Helper()
	for _, w := range want {
		m := p.message(depot)
		if got := property(m, "id") + " " + property(m, "transition"); got != w {
			p.t.Errorf("told %q, want %q", got, w)
		}
	}
	p.quiet()
}

// follow reads what a room tells until the documents in scope are those that are wanted.
func (p *peer) follow(in map[string]bool, want ...string) {
	p.t.Helper()
	for slices.Sort(want); !slices.Equal(slices.Sorted(maps.Keys(in)), want); {
		m := p.message(depot)
		if id := property(m, "id"); property(m, "transition") == "exit" {
			delete(in, id)
		} else {
			in[id] = true
		}
	}
}

func TestANameIsSubscribedToOnceItIsThere(t *testing.T) {
	n := startNode(t, nil)
	p := n.connect(5, "dash", nil)
	if ack := p.subscribe(1, depot, depotScope+"+"); ack.ReasonCodes[0] != 0x8F || ack.ReasonCodes[1] != 0x8F || property(ack, "error-0") != "no room of fleet/trucks has the name depot" {
		t.Errorf("SUBACK %x %v", ack.ReasonCodes, ack.Properties.User)
	}
	n.rename("create", slow)
	if ack := p.subscribe(1, depot); ack.ReasonCodes[0] != 1 || len(property(ack, "room-0")) != 32 {
		t.Errorf("SUBACK %x %v", ack.ReasonCodes, ack.Properties.User)
	}
	dev := n.drive()
	dev.put("fleet/trucks/both", `{"speed":70}`)
	got := map[string]bool{}
	for range 3 {
		m := p.message(depot)
		got[property(m, "id")+" "+property(m, "transition")] = true
	}
	if !got["slow enter"] || !got["both enter"] || !got["both exit"] {
		t.Errorf("told %v", got)
	}
	p.quiet()
}

// told reads so many messages, and returns their payloads by topic.
func (p *peer) told(messages int) map[string]string {
	p.t.Helper()
	all := map[string]string{}
	for range messages {
		m := p.expect(packets.Publish)
		if m.FixedHeader.Retain {
			p.t.Errorf("%s is told as retained", m.TopicName)
		}
		if m.FixedHeader.Qos == 1 {
			p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Puback}, PacketID: m.PacketID})
		}
		all[m.TopicName] += string(m.Payload) + ";"
	}
	return all
}

func TestEditingANameTellsWhatLeavesAndWhatEnters(t *testing.T) {
	for _, version := range []byte{4, 5} {
		for _, qos := range []byte{0, 1} {
			t.Run(fmt.Sprintf("version %d, QoS %d", version, qos), func(t *testing.T) {
				n := startNode(t, nil)
				dev := n.drive()
				n.rename("create", slow)
				p := n.connect(version, "dash", nil)
				p.subscribe(qos, depot+"&payload=document", depotScope+"+")
				for _, id := range []string{"both", "slow", "$synced"} {
					p.message(depotScope + id)
				}
				n.rename("update", middling)
				got, want := p.told(4), map[string]string{
					depot + "&payload=document": `{"speed":50};;`, depotScope + "middling": `{"speed":50};`, depotScope + "slow": ";",
				}
				if !maps.Equal(got, want) {
					t.Errorf("told %v, want %v", got, want)
				}
				dev.put("fleet/trucks/slow", `{"speed":11}`)
				dev.put("fleet/trucks/fast", `{"speed":55}`)
				got, want = p.told(2), map[string]string{
					depot + "&payload=document": `{"speed":55};`, depotScope + "fast": `{"speed":55};`,
				}
				if !maps.Equal(got, want) {
					t.Errorf("told %v, want %v", got, want)
				}
				p.quiet()
			})
		}
	}
}

func TestWhoIsAwayIsToldOfAnEditWhenHeIsBack(t *testing.T) {
	for _, restart := range []bool{false, true} {
		for _, again := range []bool{false, true} {
			t.Run(fmt.Sprintf("restart=%v, subscribing again=%v", restart, again), func(t *testing.T) {
				n := startNode(t, nil)
				dev := n.drive()
				n.rename("create", slow)
				p := n.connect(5, "dash", keepSession)
				p.subscribe(1, depot)
				dev.put("fleet/trucks/slow", `{"speed":11}`)
				p.story("slow stay")
				p.hangUp()
				n.absent("dash")
				dev.put("fleet/trucks/fast", `{"speed":12}`) // in scope of the old filter
				n.rename("update", middling)
				dev.put("fleet/trucks/both", `{"speed":26}`)
				if restart {
					n.restart()
				}
				p = n.connect(5, "dash", keepSession)
				// What came before it was back is told by the filter that it knows.
				want := []string{"fast enter", "both stay", "fast exit", "middling enter", "slow exit"}
				if again {
					p.story(want...)
					p.subscribe(1, depot)
					want = nil
				}
				p.story(want...)
				n.connect(4, "dev", nil).put("fleet/trucks/slow", `{"speed":21}`)
				p.story("slow enter")
			})
		}
	}
}

func TestDeletingANameTellsThatAllExit(t *testing.T) {
	n := startNode(t, nil)
	dev := n.drive()
	n.rename("create", slow)
	p := n.connect(5, "dash", keepSession)
	p.subscribe(1, depot)
	n.rename("delete", "")
	p.story("both exit", "slow exit")
	dev.put("fleet/trucks/slow", `{"speed":11}`)
	p.quiet()
	if ack := n.connect(5, "other", nil).subscribe(1, depot); ack.ReasonCodes[0] != 0x8F {
		t.Errorf("SUBACK %x", ack.ReasonCodes)
	}
	p.hangUp()
	n.restart() // the subscription is there, and told nothing
	p = n.connect(5, "dash", keepSession)
	p.quiet()
	n.rename("create", middling)
	p.story("both enter", "middling enter")
}

// The connection ends before the difference is told to its end. Meanwhile a document
// leaves that was told of, and enters what it was told by before.
func TestADifferenceThatIsCutOffIsToldAgain(t *testing.T) {
	for _, restart := range []bool{false, true} {
		t.Run(fmt.Sprintf("restart=%v", restart), func(t *testing.T) {
			n := startNode(t, nil)
			dev := n.drive()
			n.rename("create", slow)
			p := n.connect(5, "dash", keepSession)
			p.subscribe(1, depot)
			n.rename("update", middling)
			p.message(depot)
			p.expect(packets.Publish) // it is not acknowledged
			p.hangUp()
			n.absent("dash")
			dev.put("fleet/trucks/middling", `{"speed":80}`)
			dev.put("fleet/trucks/fast", `{"speed":27}`)
			n.rename("update", `{"range":{"speed":{"gte":85}}}`)
			dev.put("fleet/trucks/new", `{"speed":95}`)
			if restart {
				n.restart()
			}
			p = n.connect(5, "dash", keepSession)
			in := map[string]bool{"slow": true, "both": true, "middling": true}
			p.follow(in, "new")
			p.quiet()
		})
	}
}

// A scope is told nothing by a filter that is about changes, and comes back from that.
func TestAScopeOutlivesAFilterThatIsAboutChanges(t *testing.T) {
	n := startNode(t, nil)
	n.drive()
	n.rename("create", slow)
	p := n.connect(5, "dash", keepSession)
	p.subscribe(1, depotScope+"+")
	for _, id := range []string{"both", "slow", "$synced"} {
		p.message(depotScope + id)
	}
	n.rename("update", `{"changed":"speed"}`)
	for _, id := range []string{"both", "slow"} {
		if m := p.message(depotScope + id); len(m.Payload) > 0 {
			t.Errorf("%s is in scope", id)
		}
	}
	p.ping()
	n.rename("update", middling)
	for _, id := range []string{"both", "middling"} {
		p.message(depotScope + id)
	}
	p.quiet()
}
