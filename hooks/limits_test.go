package hooks

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/filter"
)

func TestSnapshotsThatAClientDoesNotReadAreBounded(t *testing.T) {
	n := startNode(t, nil)
	n.connect(4, "dev", nil).put("fleet/trucks/1", `{"speed":60}`)
	p := n.connect(5, "map", func(pk *packets.Packet) { pk.Properties.ReceiveMaximum = 1 })
	box := n.hook.session("map").box
	for i := range 10 {
		p.subscribe(1, scope+"+")
		if i == 0 {
			p.expect(packets.Publish) // never acknowledged: it is all that this client gets
		}
	}
	if reading := box.reading(nil); reading != 1 {
		t.Errorf("%d snapshots are read for one subscription", reading)
	}
	var more []string
	for i := range maxSources - 1 {
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
	if reading := box.reading(nil); reading != maxSources {
		t.Errorf("%d snapshots, the limit is %d", reading, maxSources)
	}
}

func TestUserPropertiesCountInWhatAnOutboxHolds(t *testing.T) {
	const limit = 8 << 10
	n := startNode(t, func(o *Options) { o.QueueBytes = limit })
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
	box := n.hook.session("dash").box
	box.mu.Lock()
	defer box.mu.Unlock()
	if held := len(box.queue) * 1000; held == 0 || held > limit {
		t.Errorf("%d messages with %d bytes of user properties wait, the limit is %d bytes", len(box.queue), held, limit)
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
	n := startNode(t, func(o *Options) { o.QueueBytes, o.WriteTimeout = 4<<10, 500*time.Millisecond })
	p := n.connect(5, "dash", nil)
	p.subscribe(1, "fleet/trucks/+")
	dev := n.connect(4, "dev", nil)
	release := n.hold()
	const total = 60 // more than the limit, and less than busyFactor times as much
	for i := range total {
		dev.publish("fleet/trucks/1", fmt.Sprintf(`{"n":%d,"pad":%q}`, i, strings.Repeat("x", 100)), 1)
	}
	waitFor(t, "the publishes to be read", func() bool { return n.hook.session("dev").pending.Load() == total })
	p.send(packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: p.nextID(),
		Filters: packets.Subscriptions{{Filter: "home/lamp"}},
	})
	n.hook.session("dash").box.waiting(t)
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

// A client that reads, but slower than others publish, holds them up a little
// every time. It may do so for as long as its credit lasts.
func TestASlowReaderIsExpelledOnceItsCreditIsUsedUp(t *testing.T) {
	n := startNode(t, func(o *Options) { o.QueueBytes, o.WriteTimeout = 4<<10, 200*time.Millisecond })
	slow := n.connect(5, "slow", nil)
	slow.subscribe(0, "home/lamp")
	dev := n.connect(4, "dev", nil)
	var published sync.WaitGroup
	const total = 2000
	published.Go(func() {
		for range total {
			dev.publish("home/lamp", strings.Repeat("x", 200), 0)
		}
	})
	pace := time.NewTicker(2 * time.Millisecond)
	defer pace.Stop()
	for read := 0; ; read++ {
		if read == total {
			t.Fatal("it reads everything at its own pace")
		}
		<-pace.C
		pk, err := slow.read()
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
	published.Wait()
}

func TestAFilterBeyondALimitIsRefusedWithItsNumbers(t *testing.T) {
	n := startNode(t, func(o *Options) { o.Filters = filter.Limits{Cost: 2, Depth: 3, Values: 2} })
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
		"error-1": `"in.x": has 3 values, the limit is 2`,
		"error-2": `"and.exists": the filter costs 3 conditions or more, the limit is 2`,
		"error-3": `"not.not.not.exists": keywords are nested 4 deep, the limit is 3`,
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
	n.opts.Filters.Bytes = 10
	n.restart()
	n.connect(4, "dev", nil).put("fleet/trucks/1", `{"speed":60}`)
	n.connect(4, "dash", keepSession).message(fast)
}
