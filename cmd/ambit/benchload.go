package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ambitmq/ambit/client"
)

// A load is what one run does.
type load struct {
	name                    string
	publishers, subscribers int
	// topics is how many there are: publisher i uses topic i modulo topics, and so
	// does subscriber i.
	topics   int
	qos      byte
	inFlight int // of a publisher, at QoS 1
	perSec   int // of all publishers together; 0 is as fast as it goes
	messages int // of all publishers together
	room     bool
}

func loads() []load {
	return []load{
		{name: "QoS 0 flood, 20 to 20", publishers: 20, subscribers: 20, topics: 20, messages: 1_000_000},
		{name: "QoS 0 flood, 1 to 50", publishers: 1, subscribers: 50, topics: 1, messages: 20_000},
		{name: "QoS 0 flood, 20 to 1", publishers: 20, subscribers: 1, topics: 1, messages: 400_000},
		{name: "QoS 1 flood, 20 to 20, 32 in flight", publishers: 20, subscribers: 20, topics: 20, qos: 1, inFlight: 32, messages: 400_000},
		{name: "QoS 0 paced, 20 to 20, 8,000/s", publishers: 20, subscribers: 20, topics: 20, perSec: 8000, messages: 40_000},
		{name: "QoS 1 paced, 20 to 20, 4,000/s", publishers: 20, subscribers: 20, topics: 20, qos: 1, inFlight: 32, perSec: 4000, messages: 20_000},
		{name: "room, 1 to 1,000", publishers: 1, subscribers: 1000, topics: 1, qos: 1, inFlight: 32, messages: 5000, room: true},
	}
}

// A result is what came of a load.
type result struct {
	rate    float64 // deliveries a second
	cpu     float64 // µs of the broker's process for each delivery
	lost    int
	latency []float64 // median and two percentiles in milliseconds, if there are any
}

// columns returns the latencies as they stand in the table.
func (r result) columns() string {
	if len(r.latency) == 0 {
		return "\t\t"
	}
	return fmt.Sprintf("%.2f\t%.2f\t%.2f", r.latency[0], r.latency[1], r.latency[2])
}

// line returns what is printed as JSON.
func (r result) line(load, broker string) map[string]any {
	line := map[string]any{"load": load, "broker": broker, "messagesPerSecond": math.Round(r.rate), "cpuMicroseconds": math.Round(r.cpu*100) / 100, "lost": r.lost}
	if len(r.latency) > 0 {
		line["milliseconds"] = map[string]float64{"p50": r.latency[0], "p99": r.latency[1], "p99.9": r.latency[2]}
	}
	return line
}

// quietFor is how long no message may come before the rest counts as lost.
const quietFor = 3 * time.Second

// payloadBytes is the size of a message that is no document.
const payloadBytes = 64

func (l load) topic(i int) string {
	if l.room {
		return fmt.Sprintf("bench/docs/%d", i%l.topics)
	}
	return fmt.Sprintf("bench/%d", i%l.topics)
}

// topicFilter is what a subscriber asks for.
func (l load) topicFilter(i int) string {
	if l.room {
		return `bench/docs/?{"range":{"n":{"gte":0}}}&payload=document`
	}
	return l.topic(i)
}

// subscribeQoS is what subscribers ask for. The members of a room are a map's
// viewers: they get the next position soon enough.
func (l load) subscribeQoS() byte {
	if l.room {
		return 0
	}
	return l.qos
}

// run connects everybody, starts the publishers, and waits for the last message.
func (l load) run(ctx context.Context, addr string, pid int) (result, error) {
	var seen atomic.Int64
	o := client.Options{Broker: addr}
	subscribers := make([]*benchSubscriber, l.subscribers)
	for i := range subscribers {
		s, err := subscribeBench(ctx, o, fmt.Sprintf("sub-%d", i), l.topicFilter(i), l, &seen)
		if err != nil {
			return result{}, err
		}
		defer s.close()
		subscribers[i] = s
	}
	publishers := make([]*benchPublisher, l.publishers)
	for i := range publishers {
		p, err := dialBench(ctx, o, fmt.Sprintf("pub-%d", i), l.topic(i), l.qos, l.inFlight)
		if err != nil {
			return result{}, err
		}
		defer p.close()
		publishers[i] = p
	}
	before, err := cpuTime(pid)
	if err != nil {
		return result{}, err
	}
	begin := time.Now()
	var publishing sync.WaitGroup
	for _, p := range publishers {
		publishing.Go(func() { p.publish(l, begin) })
	}
	publishing.Wait()
	expected := int64(l.messages/l.publishers*l.publishers) * int64(l.subscribers/l.topics)
	end := waitForMessages(&seen, expected)
	after, err := cpuTime(pid)
	if err != nil {
		return result{}, err
	}
	r := result{lost: int(expected - seen.Load())}
	r.rate = float64(seen.Load()) / end.Sub(begin).Seconds()
	r.cpu = (after - before).Seconds() * 1e6 / float64(max(1, seen.Load()))
	if l.perSec > 0 {
		r.latency = latencies(subscribers)
	}
	return r, nil
}

// waitForMessages waits until all have come, or none came for a while, and
// returns when the last one did.
func waitForMessages(seen *atomic.Int64, expected int64) time.Time {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	last, at := seen.Load(), time.Now()
	for now := at; last < expected && now.Sub(at) < quietFor; now = <-tick.C {
		if n := seen.Load(); n > last {
			last, at = n, now
		}
	}
	return at
}

// latencies returns the median and two percentiles in milliseconds.
func latencies(subscribers []*benchSubscriber) []float64 {
	var all []time.Duration
	for _, s := range subscribers {
		all = append(all, s.latencies()...)
	}
	if len(all) == 0 {
		return nil
	}
	slices.Sort(all)
	at := func(share float64) float64 { return float64(all[int(share*float64(len(all)-1))]) / 1e6 }
	return []float64{at(0.5), at(0.99), at(0.999)}
}

// cpuTime returns what all threads of a process have run.
func cpuTime(pid int) (time.Duration, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		return 0, err
	}
	total := time.Duration(0)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if os.IsNotExist(err) {
			continue // the thread is gone
		}
		if err != nil {
			return 0, err
		}
		ns, err := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
		if err != nil {
			return 0, err
		}
		total += time.Duration(ns)
	}
	if total == 0 {
		return 0, fmt.Errorf("the CPU time of process %d is not known", pid)
	}
	return total, nil
}
