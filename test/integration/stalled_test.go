package integration

import (
	"encoding/binary"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Nobody but himself is to suffer from a client that does not read, or that
// wants more than its share. The tests count; the times in them are only after
// which they give up.

// numberedBytes is the size of a message that tests fill connections with.
const numberedBytes = 8 << 10

// numbered is message number n. Its payload begins with the number.
func numbered(topic string, n int, qos byte) message {
	payload := make([]byte, numberedBytes)
	binary.BigEndian.PutUint32(payload, uint32(n))
	return message{topic: topic, payload: payload, qos: qos}
}

func number(m message) int { return int(binary.BigEndian.Uint32(m.payload)) }

// smallBuffers has the kernel take little for a connection that is not read.
func (w *wire) smallBuffers(t *testing.T) {
	t.Helper()
	if err := w.Conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
}

// subscribeAt subscribes with a QoS.
func (w *wire) subscribeAt(t testing.TB, topicFilter string, qos byte) {
	t.Helper()
	p := subscribePacket(w.id(), w.v5, topicFilter)
	p[len(p)-1] = qos
	w.send(t, p)
	if p := w.await(t, typeSuback); p.body[len(p.body)-1] != qos {
		t.Fatalf("SUBACK % x", p.body)
	}
}

// numbers reads messages in the background up to number last, and returns their
// numbers.
func (w *wire) numbers(t *testing.T, last int) <-chan []int {
	t.Helper()
	all := make(chan []int, 1)
	go func() {
		defer close(all)
		var got []int
		for len(got) == 0 || got[len(got)-1] != last {
			p, err := w.read()
			if err != nil {
				t.Errorf("after %d messages: %v", len(got), err)
				return
			}
			if p.kind == typePublish {
				m := parsePublish(t, p, w.v5)
				got = append(got, number(m))
				if m.qos == 1 {
					_, _ = w.Write(ackPacket(typePuback, m.id)) // reading says if the connection is gone
				}
			}
		}
		all <- got
	}()
	return all
}

// backlog reads all messages that wait for a client. Those that it acknowledges
// before a PINGREQ have made room for more before the answer.
func (w *wire) backlog(t *testing.T) (numbers []int) {
	t.Helper()
	for before := -1; before < len(w.queued); {
		before = len(w.queued)
		w.ping(t)
	}
	for _, m := range w.queued {
		numbers = append(numbers, number(m))
	}
	return numbers
}

// ascend fails a test when numbers come twice, or not in order.
func ascend(t *testing.T, who string, numbers []int) {
	t.Helper()
	for i := 1; i < len(numbers); i++ {
		if numbers[i] <= numbers[i-1] {
			t.Fatalf("%s: message %d after %d", who, numbers[i], numbers[i-1])
		}
	}
}

// whole fails a test when a message is missing.
func whole(t *testing.T, who string, numbers []int, want int) {
	t.Helper()
	ascend(t, who, numbers)
	if len(numbers) != want {
		t.Errorf("%s got %d messages of %d", who, len(numbers), want)
	}
}

func TestStalledSubscribersLoseOnlyTheirOwn(t *testing.T) {
	t.Parallel()
	const messages = 3000
	b := startBroker(t, brokerOptions{config: "limits: {queue_bytes: 256KiB, write_timeout: 1m}"})
	dropped := connect(t, b, connectOptions{})
	dropped.subscribe(t, "$SYS/broker/publish/messages/shed")

	healthy := connect(t, b, connectOptions{})
	healthy.subscribeAt(t, "load", 1)
	careless := connect(t, b, connectOptions{v5: true})
	careless.subscribeAt(t, "load", 0)
	kept := connectOptions{v5: true, id: "kept", keep: true, expiry: 3600}
	careful := connect(t, b, kept)
	careful.subscribeAt(t, "load", 1)

	all := healthy.numbers(t, messages-1)
	publisher := connect(t, b, connectOptions{})
	for n := range messages {
		publisher.publish(t, numbered("load", n, 1))
	}
	whole(t, "who reads", <-all, messages)

	some := <-careless.numbers(t, messages-1)
	ascend(t, "QoS 0", some)
	if some[0] != 0 || len(some) == messages {
		t.Errorf("QoS 0: %d messages from %d on; the oldest that wait should be dropped", len(some), some[0])
	}
	careful.awaitEnd(t)
	if !strings.Contains(b.log.String(), `"client":"kept"`) || !strings.Contains(b.log.String(), `"code":151`) {
		t.Error("the broker does not say that it has ended a connection with 0x97")
	}
	again, ack := tryConnect(t, b, kept)
	if !ack.sessionPresent {
		t.Error("the session of QoS 1 is gone")
	}
	waited := again.backlog(t)
	ascend(t, "QoS 1", waited)
	if most := (256 << 10) / numberedBytes; len(waited) > most || len(waited) < most/2 {
		t.Errorf("%d messages have waited, the bound is less than %d", len(waited), most)
	}
	for count := 0; count != messages-len(some); {
		m := dropped.message(t) // every ten seconds
		var err error
		if count, err = strconv.Atoi(string(m.payload)); err != nil || count > messages-len(some) {
			t.Fatalf("%s messages were dropped, the subscriber misses %d; %v", m.payload, messages-len(some), err)
		}
	}
}

// Whoever publishes does not wait for one after the other of those that stall.
func TestManyStalledSubscribersHoldUpNobody(t *testing.T) {
	t.Parallel()
	const stalled, messages = 200, 300
	b := startBroker(t, brokerOptions{config: "limits: {queue_bytes: 64KiB, write_timeout: 1m}"})
	healthy := connect(t, b, connectOptions{})
	healthy.subscribeAt(t, "load", 1)
	for i := range stalled {
		w := connect(t, b, connectOptions{v5: i%2 == 0})
		w.smallBuffers(t)
		w.subscribeAt(t, "load", byte(i%2))
	}
	all := healthy.numbers(t, messages-1)
	publisher := connect(t, b, connectOptions{})
	start := time.Now()
	for n := range messages {
		publisher.publish(t, numbered("load", n, 1))
	}
	if took := time.Since(start); took > 10*time.Second { // one after the other it would be 50
		t.Errorf("publishing took %v", took)
	}
	whole(t, "who reads", <-all, messages)
}
