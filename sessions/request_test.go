package sessions_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"
)

const getTruck = `{"requestId":"r1","controller":"document","action":"get","index":"fleet","collection":"trucks","_id":"1"}`

// expectAnswerOn expects an answer, acknowledges it, and returns it.
func (p *peer) expectAnswerOn(topic string, qos byte, contains ...string) packets.Packet {
	p.t.Helper()
	pk := p.expect(packets.Publish)
	if pk.TopicName != topic || pk.FixedHeader.Qos != qos || pk.FixedHeader.Retain {
		p.t.Errorf("the answer is on %s with QoS %d, want %s and %d", pk.TopicName, pk.FixedHeader.Qos, topic, qos)
	}
	for _, part := range contains {
		if !strings.Contains(string(pk.Payload), part) {
			p.t.Errorf("the answer is %s, want …%s…", pk.Payload, part)
		}
	}
	switch qos {
	case 1:
		p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Puback}, PacketID: pk.PacketID})
	case 2:
		p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pubrec}, PacketID: pk.PacketID})
		p.expect(packets.Pubrel)
		p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pubcomp}, PacketID: pk.PacketID})
	}
	return pk
}

func TestARequestIsAnsweredToWhoAsks(t *testing.T) {
	for _, version := range versions {
		for qos := range byte(3) {
			for request, response := range map[string]string{"$ambit/request": "$ambit/response", "Kuzzle/request": "Kuzzle/response"} {
				t.Run(fmt.Sprintf("v%d/qos%d/%s", version, qos, request), func(t *testing.T) {
					n := startNode(t, nil)
					other := n.connect(version, "other", nil)
					other.subscribe(1, response)
					other.subscribe(1, "#")
					p := n.connect(version, "dash", nil)
					p.put("fleet/trucks/1", `{"a":1}`)
					other.expectAnswerOn("fleet/trucks/1", 1)
					id := p.publish(request, getTruck, qos)
					if qos > 0 {
						if ack := p.expect([]byte{1: packets.Puback, 2: packets.Pubrec}[qos]); ack.PacketID != id || ack.ReasonCode != 0 {
							t.Errorf("acknowledgement %d 0x%02X", ack.PacketID, ack.ReasonCode)
						}
					}
					p.expectAnswerOn(response, qos, `"requestId":"r1","status":200`, `"_source":{"a":1,`)
					other.quiet()
				})
			}
		}
	}
}

func TestARequestIsAnsweredWhereItSays(t *testing.T) {
	n := startNode(t, nil)
	other := n.connect(5, "other", nil)
	other.subscribe(1, "answers/#")
	p := n.connect(5, "dash", nil)
	p.subscribe(0, "answers/dash")
	p.send(packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Publish}, TopicName: "$ambit/request", Payload: []byte(getTruck),
		Mods:       packets.Mods{AllowResponseInfo: true},
		Properties: packets.Properties{ResponseTopic: "answers/dash", CorrelationData: []byte{7, 0, 8}},
	})
	pk := p.expectAnswerOn("answers/dash", 0, `"status":404`)
	if string(pk.Properties.CorrelationData) != "\x07\x00\x08" {
		t.Errorf("the correlation data is %q", pk.Properties.CorrelationData)
	}
	other.quiet()
}

// What a client published before a request, whether it is acknowledged or not, is
// what the request finds.
func TestARequestFindsWhatWasPublishedBeforeIt(t *testing.T) {
	n := startNode(t, nil)
	p := n.connect(4, "dash", nil)
	go func() {
		for i := range 50 {
			p.publish("fleet/trucks/1", fmt.Sprintf(`{"a":%d}`, i), 1)
			p.publish("$ambit/request", getTruck, 0)
		}
	}()
	for i := range 50 {
		p.expect(packets.Puback)
		p.expectAnswerOn("$ambit/response", 0, fmt.Sprintf(`"_source":{"a":%d,`, i))
	}
}

func TestAWillIsNoRequest(t *testing.T) {
	for _, topic := range []string{"$ambit/request", "Kuzzle/request", "$ambit/response", "Kuzzle/response"} {
		p := startNode(t, nil).dial(5)
		ack := p.connect("dev", func(pk *packets.Packet) {
			pk.Connect.WillFlag, pk.Connect.WillTopic, pk.Connect.WillPayload = true, topic, []byte("{}")
		})
		if ack.ReasonCode != packets.ErrTopicNameInvalid.Code {
			t.Errorf("%s: 0x%02X", topic, ack.ReasonCode)
		}
	}
}

func TestNobodyAnswersForTheBroker(t *testing.T) {
	n := startNode(t, nil)
	p := n.connect(5, "dev", nil)
	for _, topic := range []string{"$ambit/response", "Kuzzle/response", "$ambit/request/x"} {
		expectAnswer(p, p.publish(topic, "{}", 1), 1, packets.ErrTopicNameInvalid.Code, "by the broker alone")
	}
}

func TestAnAnswerFitsTheClient(t *testing.T) {
	n := startNode(t, nil)
	n.connect(4, "dev", nil).put("fleet/trucks/1", `{"text":"`+strings.Repeat("x", 2000)+`"}`)
	p := n.connect(5, "dash", func(pk *packets.Packet) { pk.Properties.MaximumPacketSize = 1000 })
	p.publish("$ambit/request", getTruck, 0)
	p.expectAnswerOn("$ambit/response", 0, `"status":413`, "api.process.answer_too_large")
}

// What the API writes is told like what is published: to rooms, and to whoever
// subscribed to the document's topic.
func TestSubscribersAreToldOfWhatTheAPIWrites(t *testing.T) {
	const update = `{"requestId":"r2","controller":"document","action":"update","index":"fleet","collection":"trucks","_id":"1","body":{"speed":61},"volatile":{"by":"me"}}`
	n := startNode(t, nil)
	room := n.connect(4, "room", nil)
	room.subscribe(1, `fleet/trucks/?{"range":{"speed":{"gt":50}}}`)
	plain := n.connect(4, "plain", nil)
	plain.subscribe(1, "fleet/#")
	p := n.connect(4, "dash", nil)
	p.put("fleet/trucks/1", `{"speed":60,"type":"van"}`)
	room.expectAnswerOn(`fleet/trucks/?{"range":{"speed":{"gt":50}}}`, 1, `"action":"create"`)
	plain.expectAnswerOn("fleet/trucks/1", 1)

	p.publish("$ambit/request", update, 0)
	p.expectAnswerOn("$ambit/response", 0, `"requestId":"r2","status":200`)
	room.expectAnswerOn(`fleet/trucks/?{"range":{"speed":{"gt":50}}}`, 1, `"action":"update"`, `"_updatedFields":["speed"]`,
		`"requestId":"r2"`, `"volatile":{"by":"me"}`, `"protocol":"mqtt"`, `"transition":"stay"`)
	if pk := plain.expectAnswerOn("fleet/trucks/1", 1); string(pk.Payload) != `{"speed":61,"type":"van"}` {
		t.Errorf("the message is %s", pk.Payload)
	}

	// After a restart it is told again as it was told.
	n.restart()
	again := n.connect(4, "again", nil)
	again.subscribe(0, `fleet/trucks/?{"range":{"speed":{"gt":50}}}&since=1`)
	again.expectAnswerOn(`fleet/trucks/?{"range":{"speed":{"gt":50}}}&since=1`, 0, `"action":"update"`, `"_updatedFields":["speed"]`, `"requestId":"r2"`)
}

// A client that is in the room which it writes to waits for nobody.
func TestAClientIsToldOfItsOwnRequests(t *testing.T) {
	n := startNode(t, nil)
	p := n.connect(4, "dash", nil)
	p.subscribe(1, "fleet/trucks/?{}&payload=none")
	for i := range 20 {
		p.publish("$ambit/request", fmt.Sprintf(`{"controller":"document","action":"create","index":"fleet","collection":"trucks","_id":"%d","body":{}}`, i), 0)
		answered, told := false, false
		for !answered || !told {
			pk := p.expect(packets.Publish)
			if pk.TopicName == "$ambit/response" {
				answered = true
				continue
			}
			told = true
			p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Puback}, PacketID: pk.PacketID})
		}
	}
}

func TestAMessageToACollectionReachesItsRooms(t *testing.T) {
	const room = `fleet/trucks/?{"range":{"speed":{"gt":50}}}`
	for _, version := range versions {
		for qos := range byte(3) {
			t.Run(fmt.Sprintf("v%d/qos%d", version, qos), func(t *testing.T) {
				n := startNode(t, nil)
				sub := n.connect(version, "room", nil)
				sub.subscribe(1, room)
				plain := n.connect(version, "plain", nil)
				plain.subscribe(0, "fleet/trucks")
				p := n.connect(version, "dev", nil)
				for _, payload := range []string{`{"speed":60}`, `{"speed":10}`, `on`, `{"speed":60,"speed":60}`, ``} {
					expectAnswer(p, p.publish("fleet/trucks", payload, qos), qos, 0, "")
					if pk := plain.expectAnswerOn("fleet/trucks", 0); string(pk.Payload) != payload {
						t.Errorf("plain subscribers got %s, want %s", pk.Payload, payload)
					}
				}
				sub.expectAnswerOn(room, 1, `"action":"publish","scope":"in","event":"publish"`, `"_source":{"speed":60,`, `"controller":"realtime"`)
				sub.quiet()
				if seq := n.store.Snapshot().Seq(); seq != 0 {
					t.Errorf("there are %d changes", seq)
				}
				p.put("fleet/trucks/1", `{"speed":70}`) // the room goes on
				sub.expectAnswerOn(room, 1, `"action":"create"`, `"seq":1`)
			})
		}
	}
}

func TestAMessageToACollectionMayBeRetained(t *testing.T) {
	n := startNode(t, nil)
	sub := n.connect(4, "room", nil)
	sub.subscribe(0, "home/lamp/?{}&payload=document")
	p := n.connect(4, "dev", nil)
	p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish, Retain: true}, TopicName: "home/lamp", Payload: []byte(`{"on":true}`)})
	sub.expectAnswerOn("home/lamp/?{}&payload=document", 0, `{"on":true}`)
	late := n.connect(4, "late", nil)
	late.subscribe(0, "home/lamp")
	if pk := late.expect(packets.Publish); !pk.FixedHeader.Retain || string(pk.Payload) != `{"on":true}` {
		t.Errorf("retain %v, %s", pk.FixedHeader.Retain, pk.Payload)
	}
}

// A message that is stored nowhere does not move where a session stands in the
// changes: what it missed meanwhile is told when it is back.
func TestAMessageToACollectionDoesNotMoveASession(t *testing.T) {
	const room = `fleet/trucks/?{}&payload=document`
	n := startNode(t, nil)
	sub := n.connect(5, "room", keepSession)
	sub.subscribe(1, room)
	p := n.connect(4, "dev", nil)
	p.put("fleet/trucks/1", `{"n":1}`)
	sub.expectAnswerOn(room, 1, `{"n":1}`)
	expectAnswer(p, p.publish("fleet/trucks", `{"n":2}`, 1), 1, 0, "")
	sub.expectAnswerOn(room, 1, `{"n":2}`)
	sub.quiet()
	sub.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Disconnect}})
	sub.expectEnd(0)
	n.absent("room")
	expectAnswer(p, p.publish("fleet/trucks", `{"n":3}`, 1), 1, 0, "")
	p.put("fleet/trucks/1", `{"n":4}`)
	back := n.connect(5, "room", keepSession)
	back.expectAnswerOn(room, 1, `{"n":4}`)
	back.quiet()
}

// What the API writes waits for a session that is away, after a restart too.
func TestWhatTheAPIWritesWaitsForASession(t *testing.T) {
	n := startNode(t, nil)
	away := n.connect(5, "away", keepSession)
	away.subscribe(1, "fleet/#")
	away.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Disconnect}})
	away.expectEnd(0)
	p := n.connect(4, "dash", nil)
	for _, request := range []string{
		`{"controller":"document","action":"create","index":"fleet","collection":"trucks","_id":"1","body":{"a":1}}`,
		`{"controller":"document","action":"create","index":"fleet","collection":"trucks","_id":"1","body":{"a":2}}`,
		`{"controller":"document","action":"update","index":"fleet","collection":"trucks","_id":"1","body":{"b":2}}`,
		`{"controller":"document","action":"delete","index":"fleet","collection":"trucks","_id":"1"}`,
		`{"controller":"document","action":"delete","index":"fleet","collection":"trucks","_id":"1"}`,
		`{"controller":"realtime","action":"publish","index":"fleet","collection":"trucks","body":{"c":3}}`,
	} {
		p.publish("$ambit/request", request, 0)
		p.expectAnswerOn("$ambit/response", 0)
	}
	waiting := 0 // in the store, by the time of the answer
	for m, err := range n.store.Queued() {
		if err != nil || m.ClientID != "away" {
			t.Errorf("%+v waits, %v", m, err)
		}
		waiting++
	}
	if waiting != 4 {
		t.Errorf("%d messages wait in the store, want 4", waiting)
	}
	p.publish("$ambit/request", `{"controller":"collection","action":"truncate","index":"fleet","collection":"trucks"}`, 0)
	p.expectAnswerOn("$ambit/response", 0, `"status":412`) // there is nothing left
	n.restart()
	back := n.connect(5, "away", keepSession)
	for _, want := range [][2]string{{"fleet/trucks/1", `{"a":1}`}, {"fleet/trucks/1", `{"a":1,"b":2}`}, {"fleet/trucks/1", ""}, {"fleet/trucks", `{"c":3}`}} {
		if pk := back.expectAnswerOn(want[0], 1); string(pk.Payload) != want[1] {
			t.Errorf("%s: %s, want %s", want[0], pk.Payload, want[1])
		}
	}
	back.quiet()
}
