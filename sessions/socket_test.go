package sessions_test

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/sessions"
)

// dialSocket opens a connection over TCP, without CONNECT: the engine writes to
// sockets without waiting, and to pipes it cannot.
func (n *node) dialSocket(version byte) *peer {
	n.t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(n.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		n.t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // one connection is all it is for
	var d net.Dialer
	ours, err := d.DialContext(n.t.Context(), "tcp", l.Addr().String())
	if err != nil {
		n.t.Fatal(err)
	}
	theirs, err := l.Accept()
	if err != nil {
		n.t.Fatal(err)
	}
	n.serve(theirs)
	n.t.Cleanup(func() { _ = ours.Close() })
	return &peer{t: n.t, conn: ours, version: version}
}

// connectSocket is connect over TCP.
func (n *node) connectSocket(version byte, id string, change func(*packets.Packet)) *peer {
	n.t.Helper()
	p := n.dialSocket(version)
	if ack := p.connect(id, change); ack.ReasonCode != 0 {
		n.t.Fatalf("CONNACK 0x%02X %s", ack.ReasonCode, ack.Properties.ReasonString)
	}
	return p
}

// What does not fit the bytes that a link writes next is queued, and follows
// when they are written, though nobody appends anything any more.
func TestABurstOfQoS0ArrivesWhole(t *testing.T) {
	n := startNode(t, nil)
	dash := n.connectSocket(4, "dash", nil)
	dash.subscribe(0, "fleet/trucks/+")
	dev := n.connectSocket(4, "dev", nil)
	const total = 200
	release := n.hold()
	for i := range total {
		dev.publish("fleet/trucks/1", fmt.Sprintf(`{"n":%d,"pad":%q}`, i, strings.Repeat("x", 1000)), 0)
	}
	waitFor(t, "the publishes to be read", func() bool { return n.session("dev").Pending() == total })
	release()
	for i := range total {
		if m := dash.message("fleet/trucks/1"); !strings.HasPrefix(string(m.Payload), fmt.Sprintf(`{"n":%d,`, i)) {
			t.Fatalf("message %d is %.20s", i, m.Payload)
		}
	}
}

// An ordinary message waits for the documents before it, and for whether it
// does or not, it is asked once.
func TestAnOrdinaryMessageBehindADocumentIsNotLost(t *testing.T) {
	n := startNode(t, nil)
	dash := n.connectSocket(4, "dash", nil)
	dash.subscribe(0, "home/lamp")
	dev := n.connectSocket(4, "dev", nil)
	const rounds, messages = 200, 200 // the document is done while they are read
	batch := publishOf("fleet/trucks/1", "{}")
	for i := range messages {
		batch = append(batch, publishOf("home/lamp", fmt.Sprint(i))...)
	}
	for round := range rounds {
		dev.raw(batch)
		for i := range messages {
			if m := dash.message("home/lamp"); string(m.Payload) != fmt.Sprint(i) {
				t.Fatalf("round %d: message %d is %s", round, i, m.Payload)
			}
		}
	}
}

// publishOf returns a short PUBLISH of QoS 0 and MQTT 3.1.1.
func publishOf(topic, payload string) []byte {
	b := append([]byte{packets.Publish << 4, byte(2 + len(topic) + len(payload)), 0, byte(len(topic))}, topic...)
	return append(b, payload...)
}

// Whoever waits for room in an outbox sees to it that its client has something
// to read.
func TestNobodyWaitsForAClientThatIsNotWrittenTo(t *testing.T) {
	n := startNode(t, func(o *options) { o.QueueBytes = 4 << 10 })
	dash := n.connectSocket(4, "dash", nil)
	dash.subscribe(1, "home/lamp")
	const held = 10
	for range held {
		n.session("dash").Append(&sessions.Message{Topic: "home/lamp", Payload: make([]byte, 250)})
	}
	dev := n.connectSocket(4, "dev", nil)
	dev.publish("home/lamp", strings.Repeat("x", 1000), 1)
	dev.publish("home/lamp", strings.Repeat("x", 1000), 1)
	for range held + 2 {
		dash.message("home/lamp")
	}
}
