package sessions_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/sessions"

	"github.com/ambitmq/ambit/filter"
)

func TestSnapshotsThatAClientDoesNotReadAreBounded(t *testing.T) {
	n := startNode(t, nil)
	n.connect(4, "dev", nil).put("fleet/trucks/1", `{"speed":60}`)
	p := n.connect(5, "map", func(pk *packets.Packet) { pk.Properties.ReceiveMaximum = 1 })
	s := n.session("map")
	for i := range 10 {
		p.subscribe(1, scope+"+")
		if i == 0 {
			p.expect(packets.Publish) // never acknowledged: it is all that this client gets
		}
	}
	if reading := s.Sources(); reading != 1 {
		t.Errorf("%d snapshots are read for one subscription", reading)
	}
	var more []string
	for i := range sessions.MaxSources - 1 {
		more = append(more, fmt.Sprint("r/", i))
	}
	for _, code := range p.subscribe(1, more...).ReasonCodes {
		if code != 1 {
			t.Fatalf("reason code 0x%02X within the limit", code)
		}
	}
	if ack := p.subscribe(1, "one/more"); ack.ReasonCodes[0] != 0x97 {
		t.Errorf("reason code 0x%02X beyond the limit, want 0x97", ack.ReasonCodes[0])
	}
	if reading := s.Sources(); reading != sessions.MaxSources {
		t.Errorf("%d snapshots, the limit is %d", reading, sessions.MaxSources)
	}
}

func TestUserPropertiesCountInWhatAnOutboxHolds(t *testing.T) {
	const limit = 8 << 10
	n := startNode(t, func(o *options) { o.QueueBytes = limit })
	p := n.connect(5, "dash", keepSession)
	p.subscribe(1, "home/lamp")
	p.hangUp()
	n.absent("dash")
	dev := n.connect(5, "dev", nil)
	for range 20 {
		pk := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: 1}, TopicName: "home/lamp", PacketID: dev.nextID()}
		pk.Properties.User = []packets.UserProperty{{Key: strings.Repeat("k", 500), Val: strings.Repeat("v", 500)}}
		dev.send(pk)
		dev.expect(packets.Puback)
	}
	queued := n.session("dash").Queued()
	if held := queued * 1000; held == 0 || held > limit {
		t.Errorf("%d messages with %d bytes of user properties wait, the limit is %d bytes", queued, held, limit)
	}
}

func TestAReasonIsCutOrLeftOut(t *testing.T) {
	for _, tt := range []struct {
		name        string
		packetBytes uint32
		least, most int
	}{
		{"any packet size", 0, 100, 300},
		{"a small packet size", 100, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := startNode(t, nil)
			p := n.connect(5, "dev", func(pk *packets.Packet) { pk.Properties.MaximumPacketSize = tt.packetBytes })
			key := strings.Repeat("k", 70_000) // longer than a string of MQTT
			p.publish("fleet/trucks/1", fmt.Sprintf(`{%q:1,%q:2}`, key, key), 1)
			ack := p.expect(packets.Puback)
			if n := len(ack.Properties.ReasonString); ack.ReasonCode != 0x99 || n < tt.least || n > tt.most {
				t.Errorf("PUBACK 0x%02X with a reason of %d bytes, want 0x99 and %d to %d", ack.ReasonCode, n, tt.least, tt.most)
			}
		})
	}
}

// The goroutine that applies waits for room, and so does SUBSCRIBE for it: the
// client cannot be blamed, its acknowledgements are not read meanwhile.
func TestSubscribingWhileTheOutboxIsFullIsHarmless(t *testing.T) {
	n := startNode(t, func(o *options) { o.QueueBytes, o.WriteTimeout = 4<<10, 500*time.Millisecond })
	p := n.connect(5, "dash", nil)
	p.subscribe(1, "fleet/trucks/+")
	dev := n.connect(4, "dev", nil)
	release := n.hold()
	const total = 60 // more than the limit, and less than busyFactor times as much
	for i := range total {
		dev.publish("fleet/trucks/1", fmt.Sprintf(`{"n":%d,"pad":%q}`, i, strings.Repeat("x", 100)), 1)
	}
	waitFor(t, "the publishes to be read", func() bool { return n.session("dev").Pending() == total })
	p.send(packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: p.nextID(),
		Filters: packets.Subscriptions{{Filter: "home/lamp"}},
	})
	n.waiting("dash")
	release()
	messages, granted := 0, false
	for messages < total || !granted {
		switch pk, err := p.read(); {
		case err != nil:
			t.Fatalf("after %d messages: %v", messages, err)
		case pk.FixedHeader.Type == packets.Publish:
			messages++ // none of them is acknowledged
		case pk.FixedHeader.Type == packets.Suback:
			granted = true
		default:
			t.Fatalf("after %d messages: %s 0x%02X", messages, packets.PacketNames[pk.FixedHeader.Type], pk.ReasonCode)
		}
	}
}

// A client that does not make room for a message, however long it is waited for,
// is told so. It keeps its session.
func TestAReaderThatStallsAtQoS1IsDisconnected(t *testing.T) {
	n := startNode(t, func(o *options) { o.QueueBytes = 4 << 10 })
	stalled := n.connect(5, "stalled", keepSession)
	stalled.subscribe(1, "home/lamp")
	dev := n.connect(4, "dev", nil)
	for range 40 {
		dev.publish("home/lamp", strings.Repeat("x", 200), 1)
		dev.expect(packets.Puback)
	}
	for {
		pk, err := stalled.read()
		if err != nil {
			t.Fatal(err)
		}
		if pk.FixedHeader.Type == packets.Publish {
			continue
		}
		if pk.FixedHeader.Type != packets.Disconnect || pk.ReasonCode != 0x97 {
			t.Errorf("got %s 0x%02X, want DISCONNECT 0x97", packets.PacketNames[pk.FixedHeader.Type], pk.ReasonCode)
		}
		break
	}
	n.absent("stalled")
	if ack := n.dial(5).connect("stalled", keepSession); !ack.SessionPresent {
		t.Error("the session is gone")
	}
}

// A client that reads, but slower than another publishes, slows that one down
// and loses nothing.
func TestASlowReaderSlowsItsPublisherDown(t *testing.T) {
	n := startNode(t, func(o *options) { o.QueueBytes = 4 << 10 })
	slow := n.connect(5, "slow", nil)
	slow.subscribe(0, "home/lamp")
	dev := n.connect(4, "dev", nil)
	var published sync.WaitGroup
	const total = 2000
	published.Go(func() {
		for i := range total {
			dev.publish("home/lamp", fmt.Sprintf("%0200d", i), 0)
		}
	})
	pace := time.NewTicker(time.Millisecond)
	defer pace.Stop()
	for i := range total {
		if i%50 == 0 {
			<-pace.C
		}
		if m := slow.message("home/lamp"); string(m.Payload) != fmt.Sprintf("%0200d", i) {
			t.Fatalf("message %d is %s", i, strings.TrimLeft(string(m.Payload), "0"))
		}
	}
	published.Wait()
}

// Nothing of QoS 0 is worth to disconnect anybody for.
func TestAReaderThatStallsLosesTheOldestMessagesOfQoS0(t *testing.T) {
	n := startNode(t, func(o *options) { o.QueueBytes, o.WriteTimeout = 4<<10, time.Second })
	stalled := n.connect(5, "stalled", nil)
	stalled.subscribe(0, "home/lamp")
	dev := n.connect(4, "dev", nil)
	const total = 2000
	for i := range total {
		dev.publish("home/lamp", fmt.Sprintf("%0200d", i), 0)
	}
	dev.ping()
	last := -1
	for lost := 0; last < total-1; {
		var number int
		pk := stalled.message("home/lamp")
		if _, err := fmt.Sscan(strings.TrimLeft(string(pk.Payload), "0")+" ", &number); err != nil && last >= 0 {
			t.Fatal(err)
		}
		if number <= last {
			t.Fatalf("%d comes behind %d", number, last)
		}
		lost += number - last - 1
		if last = number; last == total-1 && lost == 0 {
			t.Error("nothing was lost: the client did not stall")
		}
	}
}

func TestAFilterBeyondALimitIsRefusedWithItsNumbers(t *testing.T) {
	n := startNode(t, func(o *options) { o.hook.Filters = filter.Limits{Cost: 2, Depth: 3, Values: 2} })
	ack := n.connect(5, "dash", nil).subscribe(1,
		`a/b/?{"in":{"x":[1,2]}}`,
		`a/b/?{"in":{"x":[1,2,3]}}`,
		`a/b/?{"and":[{"exists":"x"},{"exists":"y"},{"exists":"z"}]}`,
		`a/b/?{"not":{"not":{"not":{"exists":"x"}}}}`,
	)
	if want := []byte{1, 0x8f, 0x8f, 0x8f}; !bytes.Equal(ack.ReasonCodes, want) {
		t.Errorf("SUBACK %x, want %x", ack.ReasonCodes, want)
	}
	for key, want := range map[string]string{
		"error-1":   `"in.x": has 3 values, the limit is 2`,
		"error-2":   `"and.exists": the filter costs 3 conditions or more, the limit is 2`,
		"error-3":   `"not.not.not.exists": keywords are nested 4 deep, the limit is 3`,
		"keyword-1": "in", "keyword-2": "exists", "keyword-3": "exists",
	} {
		if got := property(ack, key); !strings.Contains(got, want) {
			t.Errorf("%s is %q, want …%s…", key, got, want)
		}
	}
}

func TestAFilterThatWasAcceptedOutlivesAStricterLimit(t *testing.T) {
	n := startNode(t, nil)
	p := n.connect(4, "dash", keepSession)
	p.subscribe(1, fast)
	p.hangUp()
	n.absent("dash")
	n.opts.hook.Filters.Bytes = 10
	n.restart()
	n.connect(4, "dev", nil).put("fleet/trucks/1", `{"speed":60}`)
	n.connect(4, "dash", keepSession).message(fast)
}

// A session that is kept is no other subscriber: its publisher is held up before his
// message is stored for it.
func TestAReaderWhoseSessionIsKeptSlowsItsPublisherDown(t *testing.T) {
	for _, qos := range []byte{1, 2} {
		t.Run(fmt.Sprint("QoS ", qos), func(t *testing.T) {
			n := startNode(t, func(o *options) { o.QueueBytes = 4 << 10 })
			slow := n.connect(5, "slow", func(pk *packets.Packet) {
				keepSession(pk)
				pk.Properties.ReceiveMaximum = 4
			})
			slow.subscribe(1, "home/lamp")
			dev := n.connect(4, "dev", nil)
			const total = 400
			go func() {
				for i := range total {
					dev.send(packets.Packet{
						FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: qos}, TopicName: "home/lamp", PacketID: uint16(i + 1),
						Payload: []byte(fmt.Sprintf("%3d%s", i, strings.Repeat("x", 200))),
					})
				}
			}()
			go func() {
				for {
					if _, err := dev.read(); err != nil {
						return
					}
				}
			}()
			pace := time.NewTicker(5 * time.Millisecond)
			defer pace.Stop()
			for i := range total {
				m := slow.expect(packets.Publish)
				if want := fmt.Sprintf("%3d", i); string(m.Payload[:3]) != want {
					t.Fatalf("%s came, want %s", m.Payload[:3], want)
				}
				<-pace.C
				slow.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Puback}, PacketID: m.PacketID})
			}
		})
	}
}
