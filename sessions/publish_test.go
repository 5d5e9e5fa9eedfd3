package sessions_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"
)

// TestPublishIsAnsweredByVersionAndQoS is the table of what a publisher is told.
func TestPublishIsAnsweredByVersionAndQoS(t *testing.T) {
	for _, tt := range []struct {
		name, topic, payload string
		code                 byte   // of MQTT 5; 0 is success
		reason               string // part of the reason string
		stored               bool
	}{
		{name: "a document", topic: "fleet/trucks/1", payload: `{"a":1}`, stored: true},
		{name: "plain text on an open collection", topic: "fleet/trucks/1", payload: "on"},
		{name: "broken JSON on an open collection", topic: "fleet/trucks/1", payload: `{"a":`},
		{name: "an ordinary topic", topic: "home/lamp", payload: `{"a":1}`},
		{name: "deleting nothing", topic: "fleet/trucks/1"},
		{name: "plain text on a strict collection", topic: "strict/docs/1", payload: "on", code: 0x99, reason: "not a JSON object"},
		{name: "an array on a strict collection", topic: "strict/docs/1", payload: "[1]", code: 0x99, reason: "not a JSON object"},
		{name: "a duplicate key", topic: "fleet/trucks/1", payload: `{"a":1,"a":2}`, code: 0x99},
		{name: "too deep", topic: "fleet/trucks/1", payload: strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40), code: 0x99},
		{name: "too many elements", topic: "fleet/trucks/1", payload: `{"a":[` + strings.Repeat("1,", 10_000) + "1]}", code: 0x99, reason: "the limit of elements, 10000,"},
		{name: "a reserved id", topic: "fleet/trucks/~1", payload: "{}", code: 0x90, reason: "must not begin with ~"},
		{name: "a system topic", topic: "$scope/a/b/~1/2", payload: "{}", code: 0x90, reason: "published by the broker alone"},
		{name: "the server's statistics", topic: "$SYS/broker/uptime", payload: "0", code: 0x90, reason: "published by the broker alone"},
	} {
		for _, version := range versions {
			for qos := range byte(3) {
				t.Run(fmt.Sprintf("%s/v%d/qos%d", tt.name, version, qos), func(t *testing.T) {
					n := startNode(t, nil)
					p := n.connect(version, "dev", nil)
					id := p.publish(tt.topic, tt.payload, qos)
					expectAnswer(p, id, qos, tt.code, tt.reason)
					if tt.code == 0 || version == 5 || qos == 0 {
						p.quiet() // still connected, and all that went before is done
						p.put("fleet/other/1", "{}")
					}
					if stored := n.truck("1") != nil; stored != tt.stored {
						t.Errorf("stored: %v, want %v", stored, tt.stored)
					}
				})
			}
		}
	}
}

func expectAnswer(p *peer, id uint16, qos, code byte, reason string) {
	p.t.Helper()
	if qos == 0 {
		return
	}
	if code != 0 && p.version < 5 {
		p.expectEnd(0)
		return
	}
	kind := packets.Puback
	if qos == 2 {
		kind = packets.Pubrec
	}
	ack := p.expect(kind)
	if ack.PacketID != id || ack.ReasonCode != code || !strings.Contains(ack.Properties.ReasonString, reason) {
		p.t.Fatalf("answer %d 0x%02X %q, want %d 0x%02X …%s…", ack.PacketID, ack.ReasonCode, ack.Properties.ReasonString, id, code, reason)
	}
	if qos == 2 && code == 0 {
		p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pubrel, Qos: 1}, PacketID: id})
		p.expect(packets.Pubcomp)
	}
}

func TestEmptyPayloadDeletesTheDocument(t *testing.T) {
	n := startNode(t, nil)
	p := n.connect(4, "dev", nil)
	p.put("fleet/trucks/1", `{"a":1}`)
	p.put("fleet/trucks/1", "")
	if doc := n.truck("1"); doc != nil {
		t.Errorf("it is still there: %s", doc.Body)
	}
}

// Refused, stored and ordinary publishes of one client are answered in order.
func TestAcknowledgementsComeInTheOrderOfPublishes(t *testing.T) {
	n := startNode(t, nil)
	p := n.connect(5, "dev", nil)
	go func() {
		for i := range 200 {
			switch i % 4 {
			case 0, 1:
				p.publish(fmt.Sprintf("fleet/trucks/%d", i), `{"a":1}`, 1)
			case 2:
				p.publish("home/lamp", "on", 1)
			case 3:
				p.publish("strict/docs/1", "no", 1)
			}
		}
	}()
	for i := range 200 {
		ack := p.expect(packets.Puback)
		if int(ack.PacketID) != i+1 {
			t.Fatalf("acknowledgement %d is for publish %d", i+1, ack.PacketID)
		}
		if refused := ack.ReasonCode == 0x99; refused != (i%4 == 3) {
			t.Fatalf("publish %d: 0x%02X", i, ack.ReasonCode)
		}
	}
}

func TestPlainSubscribersHearDocumentsInOrder(t *testing.T) {
	for _, version := range versions {
		t.Run(name(version), func(t *testing.T) {
			n := startNode(t, nil)
			sub := n.connect(version, "sub", nil)
			sub.subscribe(1, "fleet/#")
			pub := n.connect(version, "pub", nil)
			for i, payload := range []string{`{"n":0}`, "text", `{"n":2}`, ""} {
				pub.put("fleet/trucks/1", payload)
				if m := sub.message("fleet/trucks/1"); string(m.Payload) != payload {
					t.Fatalf("message %d is %q, want %q", i, m.Payload, payload)
				}
			}
		})
	}
}

func TestAliasedPublishIsCheckedAgainstTheRealTopic(t *testing.T) {
	n := startNode(t, nil)
	p := n.connect(5, "dev", nil)
	send := func(topic, payload string, alias uint16) packets.Packet {
		t.Helper()
		pk := packets.Packet{
			FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: 1}, PacketID: p.nextID(),
			TopicName: topic, Payload: []byte(payload),
		}
		pk.Properties.TopicAlias, pk.Properties.TopicAliasFlag = alias, true
		p.send(pk)
		return p.expect(packets.Puback)
	}
	for _, topic := range []string{"$scope/a/b/~1/2", ""} {
		if ack := send(topic, "{}", 1); ack.ReasonCode != 0x90 {
			t.Errorf("topic %q by alias: 0x%02X, want 0x90", topic, ack.ReasonCode)
		}
	}
	for _, topic := range []string{"fleet/trucks/1", ""} {
		if ack := send(topic, `{"a":1}`, 2); ack.ReasonCode != 0 {
			t.Errorf("topic %q by alias: 0x%02X", topic, ack.ReasonCode)
		}
	}
	if doc := n.truck("1"); doc == nil || doc.Version != 2 {
		t.Errorf("the document is %+v, want version 2", doc)
	}
}

func TestWillIsCheckedAndItsDocumentIsStored(t *testing.T) {
	will := func(topic string) func(*packets.Packet) {
		return func(pk *packets.Packet) {
			pk.Connect.WillFlag, pk.Connect.WillTopic = true, topic
			pk.Connect.WillPayload, pk.Connect.WillQos = []byte(`{"online":false}`), 1
		}
	}
	for _, version := range versions {
		t.Run(name(version), func(t *testing.T) {
			n := startNode(t, nil)
			want := map[byte]byte{4: 5, 5: 0x90}[version]
			if ack := n.dial(version).connect("bad", will("$scope/a/b/~1/2")); ack.ReasonCode != want {
				t.Errorf("a will on a system topic: CONNACK 0x%02X, want 0x%02X", ack.ReasonCode, want)
			}
			dash := n.connect(version, "dash", nil)
			dash.subscribe(1, `fleet/trucks/?{"equals":{"online":false}}`)
			dev := n.connect(version, "dev", will("fleet/trucks/1"))
			if err := dev.conn.Close(); err != nil {
				t.Fatal(err)
			}
			dash.message(`fleet/trucks/?{"equals":{"online":false}}`)
			if doc := n.truck("1"); doc == nil || string(doc.Body) != `{"online":false}` {
				t.Errorf("the document is %+v", doc)
			}
			tidy := n.connect(version, "tidy", will("fleet/trucks/2"))
			tidy.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Disconnect}})
			tidy.expectEnd(0)
			dash.quiet()
			if doc := n.truck("2"); doc != nil {
				t.Error("a client that disconnected left its will")
			}
		})
	}
}

func TestVolatileDataTravelsWithTheChange(t *testing.T) {
	n := startNode(t, nil)
	p := n.connect(5, "dev", nil)
	p.subscribe(0, "fleet/trucks/?{}")
	send := func(value string) {
		t.Helper()
		pk := packets.Packet{
			FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: 1}, PacketID: p.nextID(),
			TopicName: "fleet/trucks/1", Payload: []byte("{}"),
		}
		pk.Properties.User = []packets.UserProperty{{Key: "volatile", Val: value}}
		p.send(pk)
	}
	send(`{"trip":7}`)
	p.expect(packets.Puback)
	if m := p.message("fleet/trucks/?{}"); !strings.Contains(string(m.Payload), `"volatile":{"trip":7}`) {
		t.Errorf("notification: %s", m.Payload)
	}
	send(`{"trip"`)
	if ack := p.expect(packets.Puback); ack.ReasonCode != 0x99 {
		t.Errorf("volatile data that is not JSON: 0x%02X, want 0x99", ack.ReasonCode)
	}
}

func TestTooManyUserPropertiesEndTheConnection(t *testing.T) {
	n := startNode(t, nil)
	p := n.connect(5, "dev", nil)
	pk := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish}, TopicName: "a"}
	pk.Properties.User = make([]packets.UserProperty, 33)
	for i := range pk.Properties.User {
		pk.Properties.User[i] = packets.UserProperty{Key: "k", Val: "v"}
	}
	p.send(pk)
	p.expectEnd(0x97)
}

func TestAResentQoS2PublishIsTakenOnce(t *testing.T) {
	for _, version := range versions {
		t.Run(name(version), func(t *testing.T) {
			n := startNode(t, nil)
			p := n.connect(version, "dev", keepSession)
			id := p.publish("fleet/trucks/1", `{"a":1}`, 2)
			p.expect(packets.Pubrec)
			p.hangUp()
			n.absent("dev")
			p = n.connect(version, "dev", keepSession)
			p.id = id - 1
			p.publish("fleet/trucks/1", `{"a":1}`, 2)
			if ack := p.expect(packets.Pubrec); ack.PacketID != id || ack.ReasonCode != 0 {
				t.Errorf("PUBREC %d 0x%02X", ack.PacketID, ack.ReasonCode)
			}
			p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pubrel, Qos: 1}, PacketID: id})
			p.expect(packets.Pubcomp)
			if doc := n.truck("1"); doc.Version != 1 {
				t.Errorf("it was stored %d times", doc.Version)
			}
		})
	}
}

// A client that subscribes to its own messages must not wait for itself.
func TestAClientDoesNotWaitForItself(t *testing.T) {
	n := startNode(t, func(o *options) { o.QueueBytes = 4 << 10 })
	p := n.connect(5, "dev", nil)
	p.subscribe(1, "echo")
	payload := strings.Repeat("x", 1000)
	go func() {
		for range 7 { // more than the limit, and less than twice as much
			p.publish("echo", payload, 1)
		}
	}()
	acks, messages := 0, 0
	for acks+messages < 14 {
		pk, err := p.read()
		if err != nil {
			t.Fatalf("after %d acknowledgements and %d messages: %v", acks, messages, err)
		}
		if pk.FixedHeader.Type == packets.Puback {
			acks++
		} else {
			messages++ // none of them is acknowledged
		}
	}
}

// A publish that is acknowledged may not be delivered yet: the next one, which
// needs no store, must not overtake it.
func TestMessagesOfOneQoSKeepTheirOrder(t *testing.T) {
	for _, tt := range []struct{ name, topic, payload string }{
		{"behind a retained message", "home/lamp", "on"},
		{"behind a document", "fleet/trucks/1", `{"n":1}`},
	} {
		for qos := range byte(2) {
			t.Run(fmt.Sprintf("%s/qos%d", tt.name, qos), func(t *testing.T) {
				n := startNode(t, nil)
				sub := n.connect(4, "sub", nil)
				sub.subscribe(1, "#")
				dev := n.connect(4, "dev", nil)
				release := n.hold()
				dev.retain(tt.topic, tt.payload, qos)
				if qos > 0 {
					dev.expect(packets.Puback)
				}
				dev.publish("home/lamp", "off", qos)
				if qos > 0 {
					dev.expect(packets.Puback)
				}
				dev.ping() // it is read
				release()
				for _, want := range []string{tt.payload, "off"} {
					if m := sub.expect(packets.Publish); string(m.Payload) != want {
						t.Fatalf("got %s, want %s", m.Payload, want)
					}
				}
			})
		}
	}
}

// The publishes of a client that does not wait for PUBREC, and its PUBRELs, are
// all answered while others go on.
func TestPipelinedQoS2DoesNotStopTheBroker(t *testing.T) {
	n := startNode(t, nil)
	p := n.connect(5, "dev", func(pk *packets.Packet) { pk.Properties.ReceiveMaximum = 100 })
	const total, ahead = 20_000, 50
	go func() {
		for i := range uint16(total + ahead) {
			if i < total {
				p.publish(fmt.Sprintf("fleet/trucks/%d", i%10), `{"a":1}`, 2)
			}
			if i >= ahead {
				p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pubrel, Qos: 1}, PacketID: i - ahead + 1})
			}
		}
	}()
	recs, comps := 0, 0
	for recs+comps < 2*total {
		switch pk, err := p.read(); {
		case err != nil:
			t.Fatalf("after %d PUBREC and %d PUBCOMP: %v", recs, comps, err)
		case pk.FixedHeader.Type == packets.Pubrec && pk.ReasonCode == 0:
			recs++
		case pk.FixedHeader.Type == packets.Pubcomp && pk.ReasonCode == 0:
			comps++
		default:
			t.Fatalf("got %s 0x%02X", packets.PacketNames[pk.FixedHeader.Type], pk.ReasonCode)
		}
	}
	n.connect(4, "other", nil).put("fleet/trucks/1", "{}")
}

func TestAWillKeepsItsMessageExpiry(t *testing.T) {
	n := startNode(t, nil)
	sub := n.connect(5, "sub", nil)
	sub.subscribe(0, "gone")
	n.connect(5, "dev", func(pk *packets.Packet) {
		pk.Connect.WillFlag, pk.Connect.WillTopic, pk.Connect.WillPayload = true, "gone", []byte("bye")
		pk.Connect.WillProperties.MessageExpiryInterval = 60
	}).hangUp()
	if m := sub.message("gone"); m.Properties.MessageExpiryInterval != 60 {
		t.Errorf("message expiry of %d seconds, want 60", m.Properties.MessageExpiryInterval)
	}
}

func TestNoLocalOfOneSubscriptionDoesNotSilenceAnother(t *testing.T) {
	n := startNode(t, nil)
	p := n.connect(5, "dev", nil)
	p.send(packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: p.nextID(),
		Filters: packets.Subscriptions{{Filter: "home/#", NoLocal: true}, {Filter: "home/lamp"}},
	})
	p.expect(packets.Suback)
	p.publish("home/lamp", "on", 0)
	p.message("home/lamp")
	p.publish("home/door", "open", 0)
	p.quiet()
}
