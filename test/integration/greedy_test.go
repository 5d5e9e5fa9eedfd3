package integration

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"
)

// othersAreServed publishes messages at a pace, and fails a test if they take
// long from when they are due to their subscriber. What long is allows for a machine
// that does much else: BenchmarkPacedBesideAFlood measures.
func othersAreServed(t *testing.T, b *broker) {
	t.Helper()
	took := latencies(t, b)
	if p99 := took[len(took)*99/100]; p99 > 2*time.Second {
		t.Errorf("p99 of other messages is %v", p99)
	}
}

// latencies publishes messages at a pace, on a topic of their own, and returns how
// long each took from when it was due to its subscriber, in ascending order.
func latencies(t testing.TB, b *broker) []time.Duration {
	t.Helper()
	const topic, messages, every = "paced", 500, 2 * time.Millisecond
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

// flood publishes on a topic as fast as the broker reads, until the test ends. Of
// its two subscribers one reads and one does not.
func flood(t testing.TB, b *broker) {
	t.Helper()
	const topic = "flood"
	reader, stalled, publisher := connect(t, b, connectOptions{}), connect(t, b, connectOptions{}), connect(t, b, connectOptions{})
	reader.subscribeAt(t, topic, 0)
	stalled.subscribeAt(t, topic, 0)
	batch := slices.Repeat(publishPacket(message{topic: topic, payload: make([]byte, 64)}, false), 500)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			if _, err := publisher.Write(batch); err != nil {
				return // closed, below
			}
		}
	})
	running.Go(func() {
		_, _ = io.Copy(io.Discard, reader.in) // ends with the connection
	})
	t.Cleanup(func() {
		publisher.Close()
		reader.Close()
		running.Wait()
	})
}

func TestAFloodOnOneTopicDoesNotDelayAnother(t *testing.T) {
	b := startBroker(t, brokerOptions{})
	flood(t, b)
	othersAreServed(t, b)
}

// BenchmarkPacedBesideAFlood measures the latency of 500 messages a second beside
// a flood on another topic, with the load generator on the same machine.
//
// Target: a p99 of a few milliseconds.
func BenchmarkPacedBesideAFlood(b *testing.B) {
	node := startBroker(b, brokerOptions{})
	flood(b, node)
	var took []time.Duration
	for b.Loop() {
		took = append(took, latencies(b, node)...)
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}

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
	othersAreServed(t, b)
	for n := range messages {
		if id := binary.BigEndian.Uint16(w.await(t, typePuback).body); id != uint16(n%60_000)+1 {
			t.Fatalf("PUBACK %d is for %d", n, id)
		}
	}
	if grown := residentBytes(t, b) - before; grown > 64<<20 && !raceDetector { // which needs memory of its own
		t.Errorf("the process has grown by %d MiB", grown>>20)
	}
}

func TestAClientWithManySubscriptionsDelaysNobody(t *testing.T) {
	t.Parallel()
	const subscriptions, atOnce = 60_000, 200
	b := startBroker(t, brokerOptions{config: "quotas: {subscriptions: 60000, subscribe_rates: []}"})
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
	othersAreServed(t, b)
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
	othersAreServed(t, b)
	if grown := residentBytes(t, b) - before; grown > 64<<20 && !raceDetector { // which needs memory of its own
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
