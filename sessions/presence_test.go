package sessions_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/mochi-mqtt/server/v2/packets"
)

const (
	members   = fast + "&users=all"
	presentIn = "$presence/rooms/" + fast
	devThere  = "$presence/clients/dev"
)

func withGrace(grace time.Duration) func(*options) {
	return func(o *options) { o.hook.Presence.Grace, o.fs = grace, vfs.NewCrashableMem() }
}

// user expects a user notification of members, and returns what it says.
func (p *peer) user() (told struct {
	User, Why string
	Result    struct{ Count int }
	Volatile  json.RawMessage
	Member    struct{ ClientID string }
},
) {
	p.t.Helper()
	if m := p.message(members); json.Unmarshal(m.Payload, &told) != nil || told.User == "" {
		p.t.Fatalf("%s is no user notification", m.Payload)
	}
	return told
}

// drained reads what comes to a client that is of no interest any more.
func (p *peer) drained() {
	go func() {
		for {
			if _, err := p.read(); err != nil {
				return
			}
		}
	}()
}

func (p *peer) disconnect(code byte, volatile string) {
	p.t.Helper()
	pk := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Disconnect}, ReasonCode: code}
	if volatile != "" {
		pk.Properties.User = []packets.UserProperty{{Key: "volatile", Val: volatile}}
	}
	p.send(pk)
}

// join subscribes with volatile data. The answer may come behind what it is told of
// itself.
func (p *peer) join(topicFilter, volatile string) {
	p.t.Helper()
	pk := packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: p.nextID(),
		Filters:    packets.Subscriptions{{Filter: topicFilter, Qos: 1}},
		Properties: packets.Properties{User: []packets.UserProperty{{Key: "volatile", Val: volatile}}},
	}
	p.send(pk)
}

// joined waits for the answer to join.
func (p *peer) joined() {
	p.t.Helper()
	if ack := p.expect(packets.Suback); ack.ReasonCodes[0] != 1 {
		p.t.Fatalf("SUBACK %v", ack.ReasonCodes)
	}
}

func (p *peer) leave(topicFilter, volatile string) {
	p.t.Helper()
	pk := packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Unsubscribe, Qos: 1}, PacketID: p.nextID(),
		Filters: packets.Subscriptions{{Filter: topicFilter}},
	}
	if volatile != "" {
		pk.Properties.User = []packets.UserProperty{{Key: "volatile", Val: volatile}}
	}
	p.send(pk)
	p.expect(packets.Unsuback)
}

// waysToLeave are how a client may leave a room, what is told of it, and with which
// volatile data.
var waysToLeave = []struct {
	name  string
	leave func(n *node, dev *peer)
	why   string
	told  string
	stays bool // in the node
}{
	{"UNSUBSCRIBE", func(_ *node, dev *peer) { dev.leave(fast, "") }, "unsubscribed", `{"by":"dev"}`, true},
	{"UNSUBSCRIBE with data", func(_ *node, dev *peer) { dev.leave(fast, `{"bye":1}`) }, "unsubscribed", `{"bye":1}`, true},
	{"DISCONNECT", func(_ *node, dev *peer) { dev.disconnect(0, "") }, "normal disconnection", `{"by":"dev"}`, false},
	{"DISCONNECT with data", func(_ *node, dev *peer) { dev.disconnect(0, `{"bye":1}`) }, "normal disconnection", `{"bye":1}`, false},
	{"DISCONNECT with will", func(_ *node, dev *peer) { dev.disconnect(4, "") }, "disconnected with will", `{"by":"dev"}`, false},
	{"lost", func(_ *node, dev *peer) { dev.hangUp() }, "connection lost", `{"by":"dev"}`, false},
	{"protocol error", func(_ *node, dev *peer) { dev.raw([]byte{packets.Connack << 4, 2, 0, 0}) }, "protocol error", `{"by":"dev"}`, false},
	{"keep-alive", func(*node, *peer) {}, "keep-alive timeout", `{"by":"dev"}`, false},
}

func TestEveryWayToLeaveIsToldOnce(t *testing.T) {
	for _, grace := range []time.Duration{0, 50 * time.Millisecond} {
		for _, kept := range []bool{false, true} {
			for _, way := range waysToLeave {
				t.Run(fmt.Sprintf("%v/kept=%v/%s", grace, kept, way.name), func(t *testing.T) {
					t.Parallel()
					n := startNode(t, withGrace(grace))
					dash := n.connect(4, "dash", nil)
					dash.subscribe(0, members)
					dev := n.connect(5, "dev", func(pk *packets.Packet) {
						if kept {
							keepSession(pk)
						}
						pk.Connect.Keepalive = 1
						pk.Connect.WillFlag, pk.Connect.WillTopic, pk.Connect.WillPayload = true, "will", []byte("bye")
					})
					dev.join(fast, `{"by":"dev"}`)
					dev.joined()
					if told := dash.user(); told.User != "in" || told.Result.Count != 2 || string(told.Volatile) != `{"by":"dev"}` {
						t.Errorf("got %+v", told)
					}
					way.leave(n, dev)
					dev.drained()
					told := dash.user()
					if told.User != "out" || told.Result.Count != 1 || told.Why != way.why || string(told.Volatile) != way.told || told.Member.ClientID != "dev" {
						t.Errorf("got %+v", told)
					}
					dash.subscribe(0, devThere)
					if m := dash.message(devThere); strings.Contains(string(m.Payload), `"online":true`) != way.stays || !m.FixedHeader.Retain {
						t.Errorf("got %s", m.Payload)
					}
					dash.quiet()
				})
			}
		}
	}
}

// waysBack are how a client may be away for a moment.
var waysBack = []struct {
	name string
	kept bool
	away func(n *node, dev *peer)
}{
	{"lost", false, func(n *node, dev *peer) { dev.hangUp(); n.gone("dev") }},
	{"lost, kept", true, func(n *node, dev *peer) { dev.hangUp(); n.absent("dev") }},
	{"DISCONNECT", false, func(n *node, dev *peer) { dev.disconnect(0, ""); dev.drained(); n.gone("dev") }},
	{"DISCONNECT, kept", true, func(n *node, dev *peer) { dev.disconnect(0, ""); dev.drained(); n.absent("dev") }},
	{"take-over", false, func(_ *node, dev *peer) { dev.drained() }},
	{"take-over, kept", true, func(_ *node, dev *peer) { dev.drained() }},
	{"restart, kept", true, func(n *node, dev *peer) { dev.drained(); n.restart() }},
	{"crash, kept", true, func(n *node, dev *peer) { dev.drained(); n.crash() }},
}

func TestAMereReconnectIsNotTold(t *testing.T) {
	for _, way := range waysBack {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			n := startNode(t, withGrace(time.Hour))
			back := func() (dash, dev *peer) {
				dash, dev = n.connect(5, "dash", keepSession), n.dial(5)
				dev.connect("dev", func(pk *packets.Packet) {
					if way.kept {
						keepSession(pk)
					}
				})
				if !way.kept {
					dev.join(fast, `{}`)
					dev.joined()
				}
				return dash, dev
			}
			dash := n.connect(5, "dash", keepSession)
			dash.subscribe(0, members) // at QoS 1 it may be told again after a crash
			dev := n.connect(5, "dev", func(pk *packets.Packet) {
				if way.kept {
					keepSession(pk)
				}
			})
			dev.join(fast, `{}`)
			dev.joined()
			dash.user()
			dash.drained()
			way.away(n, dev)
			dash, dev = back()
			dash.quiet()
			wall := n.connect(5, "wall", nil)
			wall.subscribe(0, presentIn)
			if m := wall.message(presentIn); !strings.HasPrefix(string(m.Payload), `{"count":2,`) {
				t.Errorf("got %s", m.Payload)
			}
			dev.leave(fast, "")
			if told := dash.user(); told.User != "out" || told.Result.Count != 1 {
				t.Errorf("got %+v", told)
			}
		})
	}
}

func TestAKeptMemberIsInAgainWhenItIsBack(t *testing.T) {
	n := startNode(t, nil)
	dash := n.connect(4, "dash", nil)
	dash.subscribe(0, members)
	dev := n.connect(5, "dev", keepSession)
	dev.join(members, `{"by":"dev"}`)
	dash.user()
	kinds := map[byte]int{}
	for range 2 { // it is told of itself, since it was not the first, before SUBACK or behind it
		pk, err := dev.read()
		if err != nil {
			t.Fatal(err)
		}
		dev.accept(pk)
		kinds[pk.FixedHeader.Type]++
	}
	if kinds[packets.Publish] != 1 || kinds[packets.Suback] != 1 {
		t.Errorf("got packets of the types %v", kinds)
	}
	dev.hangUp()
	dash.user()
	dev = n.connect(5, "dev", keepSession)
	if told := dash.user(); told.User != "in" || told.Result.Count != 2 || string(told.Volatile) != `{"by":"dev"}` {
		t.Errorf("got %+v", told)
	}
	dev.quiet()
}

func TestTheEndOfASessionIsNotToldAgain(t *testing.T) {
	n := startNode(t, nil)
	dash := n.connect(4, "dash", nil)
	dash.subscribe(0, members)
	dev := n.connect(5, "dev", func(pk *packets.Packet) {
		keepSession(pk)
		pk.Properties.SessionExpiryInterval = 1
	})
	dev.join(fast, "{}")
	dev.joined()
	dash.user()
	dev.hangUp()
	dash.user()
	n.gone("dev")
	dash.quiet()
	if rooms := n.hook.Rooms(); rooms != 1 {
		t.Errorf("%d rooms", rooms)
	}
}

func TestAClientThatIsNotBackAfterARestartIsOffline(t *testing.T) {
	for why, end := range map[string]func(*node){"server crashed": (*node).crash, "server shut down": (*node).restart} {
		t.Run(why, func(t *testing.T) {
			n := startNode(t, withGrace(100*time.Millisecond))
			dash := n.connect(4, "dash", nil)
			dash.subscribe(1, devThere)
			n.connect(5, "dev", func(pk *packets.Packet) {
				pk.Properties.User = []packets.UserProperty{{Key: "metadata", Val: `{"type":"van"}`}}
			}).drained()
			if m := dash.message(devThere); !strings.Contains(string(m.Payload), `"online":true`) || m.FixedHeader.Retain {
				t.Errorf("got %s", m.Payload)
			}
			dash.drained()
			end(n)
			dash = n.connect(4, "dash", nil)
			dash.subscribe(1, devThere)
			m := dash.message(devThere) // or it took so long that the grace is over
			if strings.Contains(string(m.Payload), `"online":true`) {
				m = dash.message(devThere)
			}
			var told struct {
				Online   bool
				Why      string
				Metadata json.RawMessage
			}
			if err := json.Unmarshal(m.Payload, &told); err != nil || told.Online || told.Why != why || string(told.Metadata) != `{"type":"van"}` {
				t.Errorf("got %s", m.Payload)
			}
		})
	}
}

func TestPresenceIsToldAfreshToWhoWasAway(t *testing.T) {
	n := startNode(t, nil)
	dash := n.connect(5, "dash", keepSession)
	dash.subscribe(1, devThere, presentIn)
	dash.message(presentIn)
	dash.hangUp()
	n.absent("dash")
	dev := n.connect(5, "dev", nil)
	dev.join(fast, "{}")
	dev.joined()
	dash = n.connect(5, "dash", keepSession)
	got := map[string]string{}
	for range 2 {
		m := dash.expect(packets.Publish)
		got[m.TopicName] = string(m.Payload)
		dash.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Puback}, PacketID: m.PacketID})
	}
	if !strings.Contains(got[devThere], `"online":true`) || !strings.Contains(got[presentIn], `"count":1`) {
		t.Errorf("got %v", got)
	}
	dash.quiet()
}

func TestVolatileDataThatIsNotJSONIsLeftOut(t *testing.T) {
	n := startNode(t, nil)
	dash := n.connect(4, "dash", nil)
	dash.subscribe(0, members)
	for i, data := range []string{"", "{", `"` + strings.Repeat("x", 5000) + `"`} {
		dev := n.connect(5, fmt.Sprint("dev", i), nil)
		dev.join(fast, data)
		dev.joined()
		if told := dash.user(); string(told.Volatile) != "null" {
			t.Errorf("got %s", told.Volatile)
		}
	}
}

func TestPresenceIsOfTheBrokerAlone(t *testing.T) {
	n := startNode(t, nil)
	dash := n.connect(5, "dash", nil)
	if ack := dash.subscribe(1, "$share/g/$presence/clients/+", "#", "$presence/clients/+"); ack.ReasonCodes[0] < 0x80 || ack.ReasonCodes[2] != 1 {
		t.Errorf("SUBACK %v", ack.ReasonCodes)
	}
	dash.message("$presence/clients/dash")
	id := dash.publish(devThere, "{}", 1)
	if ack := dash.expect(packets.Puback); ack.PacketID != id || ack.ReasonCode != packets.ErrTopicNameInvalid.Code {
		t.Errorf("PUBACK 0x%02X", ack.ReasonCode)
	}
}
