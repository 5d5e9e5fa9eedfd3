package integration

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A client may do its worst. Each test here is one thing that ended, or held
// up, the process of some broker.

func TestATruncatedSubscribeEndsOnlyItsConnection(t *testing.T) {
	t.Parallel()
	b := startBroker(t, brokerOptions{})
	for _, v5 := range []bool{false, true} {
		whole := subscribePacket(1, v5, "fleet/trucks/+")
		for length := 2; length < len(whole); length++ {
			w := connect(t, b, connectOptions{v5: v5})
			w.send(t, frame(whole[0], whole[2:length]))
			w.awaitEnd(t)
		}
	}
	connect(t, b, connectOptions{}).ping(t)
}

// stall fills the connection of a subscriber that does not read, until the
// broker has closed it. It returns how long each publish took.
func stall(t *testing.T, publisher *wire, topic string) []time.Duration {
	t.Helper()
	body := fmt.Appendf(nil, `{"load":"%s"}`, bytes.Repeat([]byte("x"), 60_000))
	took := make([]time.Duration, 0, 500)
	for range cap(took) {
		start := time.Now()
		publisher.publish(t, message{topic: topic, payload: body, qos: 1})
		took = append(took, time.Since(start))
	}
	return took
}

// stalledClient connects a subscriber that will not read any more.
func stalledClient(t *testing.T, b *broker, o connectOptions, topicFilter string) *wire {
	t.Helper()
	w := connect(t, b, o)
	w.subscribe(t, topicFilter)
	return w
}

// It is measured, so nothing runs beside it; a second more than the deadline is
// for a busy machine.
func TestASubscriberThatStopsReadingDelaysAPublisherOnce(t *testing.T) {
	for _, tt := range []struct{ name, topicFilter, topic string }{
		{"plain messages", "load/+", "load/1"},
		{"messages of a document", "fleet/trucks/+", "fleet/trucks/1"},
		{"notifications", "fleet/trucks/?{}", "fleet/trucks/1"},
		{"a scope", "$scope/fleet/trucks/?{}/+", "fleet/trucks/1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := startBroker(t, brokerOptions{config: "limits: {write_timeout: 1s}"})
			w := stalledClient(t, b, connectOptions{}, tt.topicFilter)
			slow := 0
			for _, took := range stall(t, connect(t, b, connectOptions{}), tt.topic) {
				if took > 700*time.Millisecond {
					slow++
				}
				if took > 2*time.Second {
					t.Errorf("one publish took %v, with a write timeout of 1s", took)
				}
			}
			if slow > 1 {
				t.Errorf("%d publishes were delayed", slow)
			}
			w.awaitEnd(t)
		})
	}
}

func TestAStalledSessionCanBeTakenOver(t *testing.T) {
	t.Parallel()
	b := startBroker(t, brokerOptions{config: "limits: {write_timeout: 2s}"})
	for _, v5 := range []bool{false, true} {
		o := connectOptions{id: "dash", keep: true, v5: v5, expiry: 3600}
		stalledClient(t, b, o, "load/+")
		publisher := connect(t, b, connectOptions{})
		body := bytes.Repeat([]byte("x"), 60_000)
		for range 200 { // without waiting: the acknowledgements would come late
			publisher.send(t, publishPacket(message{topic: "load/1", payload: body, qos: 0}, false))
		}
		connect(t, b, o).ping(t)
	}
}

func TestASilentSocketIsClosed(t *testing.T) {
	t.Parallel()
	b := startBroker(t, brokerOptions{config: "limits: {connect_timeout: 300ms}"})
	whole := connectPacket(connectOptions{id: "slow"})
	for _, length := range []int{0, 1, len(whole) - 1} {
		w := dial(t, b.mqtt)
		w.send(t, whole[:length])
		w.awaitEnd(t)
	}
}

// The rights of a publish are those of its topic, also when that is an alias.
func TestAnAliasedPublishIsCheckedAgainstItsTopic(t *testing.T) {
	b := startBroker(t, brokerOptions{})
	room := connect(t, b, connectOptions{})
	room.subscribe(t, "fleet/trucks/?{}&payload=document")
	scope := connect(t, b, connectOptions{})
	scope.subscribe(t, "$scope/fleet/trucks/?{}/+")
	scope.message(t) // $synced

	w := connect(t, b, connectOptions{v5: true})
	w.publish(t, message{topic: "fleet/trucks/1", payload: []byte(`{"n":1}`), qos: 1, alias: 1})
	w.publish(t, message{payload: []byte(`{"n":2}`), qos: 1, alias: 1})
	for n := 1; n <= 2; n++ {
		want := fmt.Sprintf(`{"n":%d}`, n)
		if m := room.message(t); string(m.payload) != want {
			t.Errorf("stored %s, want %s", m.payload, want)
		}
		if m := scope.message(t); string(m.payload) != want {
			t.Errorf("in scope %s, want %s", m.payload, want)
		}
	}
	for _, topic := range []string{"$scope/fleet/trucks/?{}/1", ""} {
		a := w.publish(t, message{topic: topic, payload: []byte(`{"forged":true}`), qos: 1, alias: 1})
		if a.code != 0x90 {
			t.Errorf("PUBACK %#x for topic %q with the alias of a system topic", a.code, topic)
		}
	}
	connect(t, b, connectOptions{}).put(t, "fleet/trucks/2", `{"marker":1}`)
	if m := scope.message(t); string(m.payload) != `{"marker":1}` {
		t.Errorf("%s %s reached a subscriber", m.topic, m.payload)
	}
}

func TestAWillIsCheckedAtConnect(t *testing.T) {
	b := startBroker(t, brokerOptions{})
	for _, topic := range []string{"$scope/fleet/trucks/?{}/1", "fleet/trucks/?{}", "fleet/+/1"} {
		will := &message{topic: topic, payload: []byte(`{}`), qos: 1}
		if _, ack := tryConnect(t, b, connectOptions{v5: true, will: will}); ack.code != 0x90 {
			t.Errorf("MQTT 5: a will on %s is answered with %#x", topic, ack.code)
		}
		if _, ack := tryConnect(t, b, connectOptions{will: will}); ack.code != 5 {
			t.Errorf("MQTT 3.1.1: a will on %s is answered with %#x", topic, ack.code)
		}
	}
}

func TestTheDocumentOfAWillIsStored(t *testing.T) {
	b := startBroker(t, brokerOptions{})
	room := connect(t, b, connectOptions{})
	room.subscribe(t, `fleet/trucks/?{"equals":{"online":false}}&payload=document`)
	for i, v5 := range []bool{false, true} {
		topic := fmt.Sprintf("fleet/trucks/%d", i)
		will := &message{topic: topic, payload: fmt.Appendf(nil, `{"online":false,"n":%d}`, i), qos: 1}
		w := connect(t, b, connectOptions{v5: v5, will: will})
		w.put(t, topic, `{"online":true}`)
		w.Close() // without a DISCONNECT
		if m := room.message(t); !bytes.Equal(m.payload, will.payload) {
			t.Errorf("the room was told %s, want %s", m.payload, will.payload)
		}
	}
	late := connect(t, b, connectOptions{})
	late.subscribe(t, `$scope/fleet/trucks/?{"equals":{"online":false}}/+`)
	for i := range 2 {
		if m, want := late.message(t), fmt.Sprintf(`{"online":false,"n":%d}`, i); string(m.payload) != want {
			t.Errorf("stored is %s, want %s", m.payload, want)
		}
	}
}

func TestAPacketTooLargeBeforeConnectCostsNothing(t *testing.T) {
	b := startBroker(t, brokerOptions{config: "limits: {connect_timeout: 1h}"})
	connect(t, b, connectOptions{}).ping(t)
	before := residentBytes(t, b)
	for _, first := range []byte{typeConnect << 4, typePublish << 4, typeSubscribe<<4 | 2} {
		for range 20 {
			w := dial(t, b.mqtt)
			w.send(t, []byte{first, 0xff, 0xff, 0xff, 0x7f}) // 256 MiB, it says
			w.awaitEnd(t)
		}
	}
	if grown := residentBytes(t, b) - before; grown > 32<<20 {
		t.Errorf("the process has grown by %d MiB", grown>>20)
	}
}

// residentBytes returns the largest size that the process had in memory.
func residentBytes(t testing.TB, b *broker) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", b.cmd.Process.Pid))
	if err != nil {
		t.Skip(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	field, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	kib, err := strconv.ParseInt(field, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

// The process outlives the lack of file descriptors, and takes clients again as
// soon as there are some.
func TestTheListenerSurvivesTheLackOfFiles(t *testing.T) {
	t.Parallel()
	b := startBroker(t, brokerOptions{files: 64})
	device := connect(t, b, connectOptions{})
	for _, address := range []string{b.mqtt, b.http} {
		var crowd []net.Conn
		for range 200 {
			// The kernel completes connections that nobody accepts, up to a number.
			conn, err := net.DialTimeout("tcp", address, 200*time.Millisecond)
			if err != nil {
				break
			}
			crowd = append(crowd, conn)
		}
		device.put(t, "fleet/trucks/1", `{}`) // who is connected, is served
		for _, conn := range crowd {
			conn.Close()
		}
		connect(t, b, connectOptions{}).put(t, "fleet/trucks/2", `{}`)
	}
	if err := b.cmd.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("the process is gone: %v", err)
	}
}
