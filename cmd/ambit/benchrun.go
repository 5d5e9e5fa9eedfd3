package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"math"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// A benchRun is one run of a preset.
type benchRun struct {
	ctx    context.Context // of the command
	preset string
	o      benchOptions
	token  string // tells the messages of this run from others

	epoch   time.Time     // payloads say when they were due from here
	begin   time.Time     // when the first one is due
	took    time.Duration // until the last one came
	latency map[string]*recorder

	expected, sent, acknowledged, delivered atomic.Int64
	disconnected                            atomic.Int64
	ending                                  atomic.Bool // connections are closed by this run
	refused                                 atomic.Int64
	counted                                 atomic.Int64 // what is due from then on after epoch counts in latencies
}

func newBenchRun(ctx context.Context, preset string, o benchOptions) *benchRun {
	return &benchRun{ctx: ctx, preset: preset, o: o, token: rand.Text()[:8], epoch: time.Now(), latency: map[string]*recorder{}}
}

// A recorder takes latencies from many goroutines.
type recorder struct {
	mu   sync.Mutex // guards hist
	hist *hdrhistogram.Histogram
}

// longestLatency is the longest that a recorder tells from a longer one.
const longestLatency = 10 * time.Minute

// recorder makes one for the report.
func (b *benchRun) recorder(name string) *recorder {
	r := &recorder{hist: hdrhistogram.New(1, longestLatency.Microseconds(), 3)}
	b.latency[name] = r
	return r
}

func (r *recorder) record(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = r.hist.RecordValue(min(max(1, d.Microseconds()), longestLatency.Microseconds())) // it is within its bounds
}

// A benchReport is what a run prints.
type benchReport struct {
	Preset       string                    `json:"preset"`
	Broker       string                    `json:"broker"`
	QoS          uint8                     `json:"qos"`
	Publishers   int                       `json:"publishers,omitempty"`
	Subscribers  int                       `json:"subscribers"`
	Fences       int                       `json:"fences,omitempty"`
	Messages     int                       `json:"messages,omitempty"`
	Rooms        bool                      `json:"rooms,omitempty"`
	Bytes        int                       `json:"bytes,omitempty"`
	Rate         float64                   `json:"rate"`
	Seconds      float64                   `json:"seconds"`
	Sent         int64                     `json:"sent"`
	Acknowledged int64                     `json:"acknowledged"`
	Expected     int64                     `json:"expected"`
	Delivered    int64                     `json:"delivered"`
	Lost         int64                     `json:"lost"`
	Refused      int64                     `json:"refused"`
	Disconnected int64                     `json:"disconnected"`
	Milliseconds map[string]benchQuantiles `json:"milliseconds"`
}

// benchQuantiles are those of one histogram, in milliseconds.
type benchQuantiles struct {
	Count int64   `json:"count"`
	Mean  float64 `json:"mean"`
	P50   float64 `json:"p50"`
	P90   float64 `json:"p90"`
	P99   float64 `json:"p99"`
	P999  float64 `json:"p99.9"`
	Max   float64 `json:"max"`
}

func (b *benchRun) report() benchReport {
	r := benchReport{
		Preset: b.preset, Broker: b.o.client.Broker, QoS: b.o.qos, Publishers: b.o.publishers, Subscribers: b.o.subscribers,
		Fences: b.o.fences, Messages: b.o.messages, Rooms: b.o.rooms, Bytes: b.o.bytes, Rate: b.o.rate,
		Seconds: float64(b.took.Milliseconds()) / 1e3, Sent: b.sent.Load(), Acknowledged: b.acknowledged.Load(),
		Expected: b.expected.Load(), Delivered: b.delivered.Load(), Refused: b.refused.Load(), Disconnected: b.disconnected.Load(),
		Milliseconds: map[string]benchQuantiles{},
	}
	r.Lost = max(0, r.Expected-r.Delivered)
	for name, rec := range b.latency {
		at := func(percent float64) float64 { return float64(rec.hist.ValueAtPercentile(percent)) / 1e3 }
		r.Milliseconds[name] = benchQuantiles{
			Count: rec.hist.TotalCount(), Mean: math.Round(rec.hist.Mean()) / 1e3,
			P50: at(50), P90: at(90), P99: at(99), P999: at(99.9), Max: float64(rec.hist.Max()) / 1e3,
		}
	}
	return r
}

// due returns when the nth is due.
func (b *benchRun) due(n int) time.Time {
	return b.begin.Add(time.Duration(float64(n) / b.o.rate * float64(time.Second)))
}

// waitUntil waits for a time, and returns false if the run ends before.
func (b *benchRun) waitUntil(at time.Time) bool {
	wait := time.Until(at)
	if wait <= 0 {
		return b.ctx.Err() == nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-b.ctx.Done():
		return false
	}
}

// closed notes that a connection has ended, unless that is the end of the run.
func (b *benchRun) closed() {
	if !b.ending.Load() && b.ctx.Err() == nil {
		b.disconnected.Add(1)
	}
}

// connect connects a client of the run.
func (b *benchRun) connect(kind string, i int) (net.Conn, error) {
	conn, err := connectBench(b.ctx, b.o.client, fmt.Sprintf("bench-%s-%s-%d", b.token, kind, i))
	if err != nil && b.ctx.Err() == nil {
		err = &exitError{exitUnreachable, fmt.Errorf("cannot connect to %s: %w", b.o.client.Broker, err)}
	}
	return conn, err
}

// connectEach calls dial for 0 to n-1, several at a time, and returns what they make in
// their order. If one fails, the error is its, and the others are there to be closed.
func connectEach[T any](n int, dial func(i int) (T, error)) ([]T, error) {
	const atOnce = 16
	var (
		all     = make([]T, n)
		next    atomic.Int64
		failed  atomic.Pointer[error]
		workers sync.WaitGroup
	)
	for range min(n, atOnce) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && failed.Load() == nil; i = int(next.Add(1)) - 1 {
				v, err := dial(i)
				if err != nil {
					failed.CompareAndSwap(nil, &err)
					return
				}
				all[i] = v
			}
		})
	}
	workers.Wait()
	if err := failed.Load(); err != nil {
		return all, *err
	}
	return all, nil
}

// appendPayload appends the payload of a message: a JSON object of about the size that is
// asked for, with what tells when it was due.
func (b *benchRun) appendPayload(to []byte, n int, due time.Time, position string) []byte {
	start := len(to)
	to = fmt.Appendf(to, `{"run":"%s","due":%d,"n":%d`, b.token, due.Sub(b.epoch), n)
	if position != "" {
		to = append(append(to, `,"position":`...), position...)
	}
	if missing := b.o.bytes - (len(to) - start) - len(`,"pad":""}`); missing > 0 {
		to = append(append(append(to, `,"pad":"`...), bytes.Repeat([]byte{'x'}, missing)...), '"')
	}
	return append(to, '}')
}

// counts says whether what was due so long after epoch counts in latencies.
func (b *benchRun) counts(due time.Duration) bool { return int64(due) >= b.counted.Load() }

// dueOf returns how long after epoch a message was due, and false for one of somebody else.
func (b *benchRun) dueOf(payload []byte) (time.Duration, bool) {
	_, rest, ok := bytes.Cut(payload, []byte(`{"run":"`+b.token+`","due":`))
	if !ok {
		return 0, false
	}
	digits, _, _ := bytes.Cut(rest, []byte{','})
	n, err := strconv.ParseInt(string(digits), 10, 64)
	return time.Duration(n), err == nil
}
