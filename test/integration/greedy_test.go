package integration

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

// latencies publishes so many messages at a pace, and returns how long each took
// from when it was due to its subscriber, in ascending order.
func latencies(t *testing.T, b *broker, topic string, messages int, every time.Duration) []time.Duration {
	t.Helper()
	subscriber, publisher := connect(t, b, connectOptions{}), connect(t, b, connectOptions{})
	subscriber.subscribeAt(t, topic, 0)
	begin := time.Now().Add(every)
	var publishing sync.WaitGroup
	defer publishing.Wait()
	publishing.Go(func() {
		for n := range messages {
			payload := binary.BigEndian.AppendUint32(nil, uint32(n))
			time.Sleep(time.Until(begin.Add(time.Duration(n) * every))) // the pace
			_, _ = publisher.Write(publishPacket(message{topic: topic, payload: payload}, false))
		}
	})
	took := make([]time.Duration, messages)
	for range messages {
		n := number(subscriber.message(t))
		took[n] = time.Since(begin.Add(time.Duration(n) * every))
	}
	slices.Sort(took)
	return took
}

// flood publishes on a topic as fast as the broker reads, until the test ends.
func flood(t *testing.T, b *broker, topic string) {
	t.Helper()
	publisher := connect(t, b, connectOptions{})
	batch := slices.Repeat(publishPacket(message{topic: topic, payload: make([]byte, 64)}, false), 500)
	var publishing sync.WaitGroup
	publishing.Go(func() {
		for {
			if _, err := publisher.Write(batch); err != nil {
				return // closed, below
			}
		}
	})
	t.Cleanup(func() {
		publisher.Close()
		publishing.Wait()
	})
}

func TestAFloodOnOneTopicDoesNotDelayAnother(t *testing.T) {
	b := startBroker(t, brokerOptions{})
	reader, stalled := connect(t, b, connectOptions{}), connect(t, b, connectOptions{})
	reader.subscribeAt(t, "flood", 0)
	stalled.subscribeAt(t, "flood", 0)
	var reading sync.WaitGroup
	reading.Go(func() {
		_, _ = reader.in.WriteTo(nowhere{}) // ends with the connection
	})
	t.Cleanup(func() {
		reader.Close()
		reading.Wait()
	})
	flood(t, b, "flood")
	took := latencies(t, b, "paced", 1000, 2*time.Millisecond)
	p50, p99 := took[len(took)/2], took[len(took)*99/100]
	t.Logf("beside a flood: p50 %v, p99 %v", p50, p99)
	if p99 > 500*time.Millisecond {
		t.Errorf("p99 is %v", p99)
	}
}

// nowhere is where a reader puts what it does not look at.
type nowhere struct{}

func (nowhere) Write(b []byte) (int, error) { return len(b), nil }

// A client that publishes and does not read its acknowledgements is not read
// any more when many wait, and goes on as soon as it reads.
func TestAPublisherThatDoesNotReadCostsLittle(t *testing.T) {
	t.Parallel()
	const messages = 500_000
	b := startBroker(t, brokerOptions{})
	other := connect(t, b, connectOptions{})
	other.ping(t)
	before := residentBytes(t, b)
	w := connect(t, b, connectOptions{})
	var publishing sync.WaitGroup
	defer publishing.Wait()
	publishing.Go(func() {
		for n := range messages {
			m := message{topic: "home/lamp", qos: 1, id: uint16(n%60_000) + 1}
			if _, err := w.Write(publishPacket(m, false)); err != nil {
				t.Error(err)
				return
			}
		}
	})
	took := latencies(t, b, "paced", 500, 2*time.Millisecond)
	t.Logf("p99 %v, %d MiB more", took[len(took)*99/100], (residentBytes(t, b)-before)>>20)
	for n := range messages {
		if id := binary.BigEndian.Uint16(w.await(t, typePuback).body); id != uint16(n%60_000)+1 {
			t.Fatalf("PUBACK %d is for %d", n, id)
		}
	}
	if grown := residentBytes(t, b) - before; grown > 64<<20 {
		t.Errorf("the process has grown by %d MiB", grown>>20)
	}
}

func TestAClientWithManySubscriptionsDelaysNobody(t *testing.T) {
	t.Parallel()
	const subscriptions, atOnce = 100_000, 200
	b := startBroker(t, brokerOptions{})
	greedy := connect(t, b, connectOptions{})
	var subscribing sync.WaitGroup
	defer subscribing.Wait()
	subscribing.Go(func() {
		for n := 0; n < subscriptions; n += atOnce {
			var filters []string
			for i := range atOnce {
				filters = append(filters, fmt.Sprintf("greedy/+/%d", n+i))
			}
			if codes := greedy.subscribe(t, filters...).codes; slices.Max(codes) != 1 {
				t.Errorf("SUBACK %#x", slices.Max(codes))
				return
			}
		}
	})
	took := latencies(t, b, "paced", 500, 2*time.Millisecond)
	t.Logf("p99 %v", took[len(took)*99/100])
	subscribing.Wait()
	other := connect(t, b, connectOptions{})
	for _, n := range []int{0, subscriptions / 2, subscriptions - 1} {
		topic := fmt.Sprintf("greedy/topic/%d", n)
		other.publish(t, message{topic: topic, payload: []byte("x"), qos: 1})
		if m := greedy.message(t); m.topic != topic {
			t.Errorf("%s instead of %s", m.topic, topic)
		}
	}
}

// A subscriber to everything gets all retained messages at its own pace, and
// nobody else waits for that.
func TestManyRetainedMessagesGoOutAtTheirReadersPace(t *testing.T) {
	t.Parallel()
	const messages = 20_000
	b := startBroker(t, brokerOptions{})
	publisher := connect(t, b, connectOptions{v5: true})
	payload := make([]byte, 1000)
	for n := range messages {
		m := message{topic: fmt.Sprintf("kept/%d", n), payload: payload, retain: true}
		publisher.send(t, publishPacket(m, true))
	}
	publisher.publish(t, message{topic: "kept/last", payload: payload, retain: true, qos: 1})
	before := residentBytes(t, b)
	readers := make([]*wire, 20)
	for i := range readers {
		readers[i] = connect(t, b, connectOptions{})
		readers[i].subscribe(t, "kept/#") // and does not read
	}
	took := latencies(t, b, "paced", 500, 2*time.Millisecond)
	t.Logf("p99 %v, %d MiB more", took[len(took)*99/100], (residentBytes(t, b)-before)>>20)
	if grown := residentBytes(t, b) - before; grown > 64<<20 {
		t.Errorf("the process has grown by %d MiB for %d readers", grown>>20, len(readers))
	}
	for _, i := range []int{0, len(readers) - 1} {
		seen := map[string]bool{}
		for len(seen) <= messages {
			m := readers[i].message(t)
			if !m.retain || seen[m.topic] {
				t.Fatalf("%s comes twice, or not as retained", m.topic)
			}
			seen[m.topic] = true
		}
	}
}
