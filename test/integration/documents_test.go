package integration

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

const strictCollection = `
collections:
  - name: fleet/strict
    strict: true
`

// refusals are publishes that the broker must not accept, and the reason code
// that says so in MQTT 5.
func refusals() []struct {
	name, topic, payload string
	code                 byte
} {
	deep := strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40)
	var wide strings.Builder
	for i := range 1001 {
		fmt.Fprintf(&wide, `,"m%d":0`, i)
	}
	return []struct {
		name, topic, payload string
		code                 byte
	}{
		{"text in a strict collection", "fleet/strict/1", "on", 0x99},
		{"a JSON array in a strict collection", "fleet/strict/1", "[1]", 0x99},
		{"JSON that breaks off in a strict collection", "fleet/strict/1", `{"speed":`, 0x99},
		{"an id with the mark of a filter", "fleet/trucks/?1", "{}", 0x90},
		{"an id with the mark of a hash", "fleet/trucks/~1", "{}", 0x90},
		{"an index of 129 bytes", strings.Repeat("f", 129) + "/trucks/1", "{}", 0x90},
		{"a system topic", "$scope/fleet/trucks/?{}/1", "{}", 0x90},
		{"JSON too deep", "fleet/trucks/1", deep, 0x99},
		{"JSON with too many members", "fleet/trucks/1", "{" + wide.String()[1:] + "}", 0x99},
		{"a number of 20,000 digits", "fleet/trucks/1", `{"a":` + strings.Repeat("9", 20_000) + "}", 0x99},
		{"a number with a great exponent", "fleet/trucks/1", `{"a":[1e999999]}`, 0x99},
		{"JSON with a duplicate key", "fleet/trucks/1", `{"a":1,"b":{"c":1,"c":2}}`, 0x99},
	}
}

// In every version of MQTT and with every QoS, a publish that is refused says
// so in the strongest way there is, is not stored, and reaches nobody.
func TestRefusedPublishesAreAnswered(t *testing.T) {
	b := startBroker(t, brokerOptions{config: strictCollection})
	watcher := connect(t, b, connectOptions{})
	watcher.subscribe(t, "#")
	documents := connect(t, b, connectOptions{})
	documents.subscribe(t, "fleet/trucks/?{}&payload=document", "fleet/strict/?{}&payload=document")
	for _, tt := range refusals() {
		for _, v5 := range []bool{false, true} {
			for qos := range byte(3) {
				t.Run(fmt.Sprintf("%s/v5=%v/qos=%d", tt.name, v5, qos), func(t *testing.T) {
					w := connect(t, b, connectOptions{v5: v5})
					w.refused(t, message{topic: tt.topic, payload: []byte(tt.payload), qos: qos}, tt.code)
				})
			}
		}
	}
	marker := connect(t, b, connectOptions{})
	marker.put(t, "fleet/trucks/marker", `{}`)
	if m := watcher.message(t); m.topic != "fleet/trucks/marker" {
		t.Errorf("a refused message reached a subscriber: %s %s", m.topic, m.payload)
	}
	if m := documents.message(t); !bytes.Equal(m.payload, []byte(`{}`)) {
		t.Errorf("a refused message reached a room: %s %s", m.topic, m.payload)
	}
}

// refused publishes a message that must be refused, and checks the answer.
func (w *wire) refused(t *testing.T, m message, code byte) {
	t.Helper()
	switch {
	case m.qos == 0:
		w.send(t, publishPacket(m, w.v5))
		w.ping(t) // dropped; the connection stays
	case w.v5:
		a := w.publish(t, m)
		want := map[byte]byte{1: typePuback, 2: typePubrec}[m.qos]
		if a.kind != want || a.code != code || a.reason == "" {
			t.Errorf("packet type %d, code %#x %q; want type %d, code %#x and a reason", a.kind, a.code, a.reason, want, code)
		}
		w.ping(t)
	default: // MQTT 3.1.1 has no way to say no but to hang up [MQTT-3.3.5-2]
		m.id = w.id()
		w.send(t, publishPacket(m, w.v5))
		w.awaitEnd(t)
	}
}

func TestAPacketTooLargeEndsTheConnection(t *testing.T) {
	b := startBroker(t, brokerOptions{config: "limits: {packet_bytes: 4096}"})
	large := message{topic: "fleet/trucks/1", payload: bytes.Repeat([]byte(" "), 5000), qos: 1, id: 1}
	for _, tt := range []struct {
		name string
		v5   bool
		code byte
	}{{"MQTT 3.1.1", false, 0}, {"MQTT 5", true, 0x95}} {
		t.Run(tt.name, func(t *testing.T) {
			w := connect(t, b, connectOptions{v5: tt.v5})
			w.send(t, publishPacket(large, tt.v5))
			if code := w.awaitEnd(t); code != tt.code {
				t.Errorf("DISCONNECT %#x, want %#x", code, tt.code)
			}
		})
	}
}

// A QoS 2 document is stored and told once, however often its PUBLISH is sent.
func TestQoS2DocumentsAreStoredOnce(t *testing.T) {
	b := startBroker(t, brokerOptions{})
	room := connect(t, b, connectOptions{v5: true})
	room.subscribe(t, "fleet/trucks/?{}&payload=document")
	for _, v5 := range []bool{false, true} {
		t.Run(fmt.Sprintf("v5=%v", v5), func(t *testing.T) {
			w := connect(t, b, connectOptions{v5: v5})
			m := message{topic: "fleet/trucks/42", payload: []byte(`{"n":1}`), qos: 2, id: 77}
			w.send(t, publishPacket(m, v5))
			w.await(t, typePubrec)
			m.dup = true
			w.send(t, publishPacket(m, v5))
			w.await(t, typePubrec)
			w.send(t, ackPacket(typePubrel, m.id))
			w.await(t, typePubcomp)
			w.put(t, "fleet/trucks/42", `{"n":2}`)
			for _, want := range []string{`{"n":1}`, `{"n":2}`} {
				if m := room.message(t); string(m.payload) != want {
					t.Errorf("told %s, want %s", m.payload, want)
				}
			}
		})
	}
}

// Acknowledgements come in the order of the publishes, whatever they are of.
func TestAcknowledgementsComeInOrder(t *testing.T) {
	b := startBroker(t, brokerOptions{config: strictCollection})
	w := connect(t, b, connectOptions{v5: true})
	var burst []byte
	topics := []string{"fleet/trucks/1", "home/lamp", "fleet/strict/1", "fleet/trucks/2"}
	for id := uint16(1); id <= 400; id++ {
		m := message{topic: topics[id%4], payload: []byte(`{}`), qos: 1, id: id}
		if m.topic == "fleet/strict/1" && id%8 == 2 {
			m.payload = []byte("no object")
		}
		burst = append(burst, publishPacket(m, true)...)
	}
	w.send(t, burst)
	for id := uint16(1); id <= 400; id++ {
		w.answer(t, w.await(t, typePuback), id)
	}
}

// MQTT 5 receivers need not parse a notification to know what happened.
func TestNotificationsHaveUserProperties(t *testing.T) {
	b := startBroker(t, brokerOptions{})
	w := connect(t, b, connectOptions{v5: true})
	w.subscribe(t, `fleet/trucks/?{"exists":"speed"}&payload=none`)
	device := connect(t, b, connectOptions{})
	device.put(t, "fleet/trucks/42", `{"speed":1}`)
	device.put(t, "fleet/trucks/42", `{"speed":2}`)
	device.put(t, "fleet/trucks/42", `{}`)
	for i, transition := range []string{"enter", "stay", "exit"} {
		m := w.message(t)
		want := map[string]string{
			"transition": transition, "id": "42",
			"seq": fmt.Sprint(i + 1), "version": fmt.Sprint(i + 1),
		}
		if fmt.Sprint(m.user) != fmt.Sprint(want) {
			t.Errorf("user properties %v, want %v", m.user, want)
		}
	}
	device.put(t, "fleet/trucks", `{"speed":3}`) // which is stored nowhere: there is nothing to go on from
	if m := w.message(t); len(m.user) > 0 {
		t.Errorf("a message to the collection has the user properties %v", m.user)
	}
	fresh := connect(t, b, connectOptions{v5: true})
	fresh.subscribe(t, "$scope/empty/collection/?/+")
	if m := fresh.message(t); fmt.Sprint(m.user) != fmt.Sprint(map[string]string{"seq": "3"}) {
		t.Errorf("%s has the user properties %v", m.topic, m.user)
	}
}
