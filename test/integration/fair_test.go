package integration

import (
	"bufio"
	"bytes"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"
)

// A flooder publishes documents of one client as fast as they are acknowledged.
type flooder struct {
	name   string
	window int // as many as the Receive Maximum allows, or more
	bytes  int // of a document
}

var flooders = []flooder{
	{"small documents", 1024, 120},
	{"large documents", 1024, 50_000},
	{"more than it may", 20_000, 120}, // MQTT 3.1.1 has no Receive Maximum
}

// floodDocuments has a client publish until the function it returns is called,
// which tells how many documents it has sent.
func floodDocuments(t testing.TB, b *broker, f flooder) (stop func() int) {
	t.Helper()
	w := connect(t, b, connectOptions{})
	if err := w.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	body := fmt.Appendf(nil, `{"speed":1,"pad":"%s"}`, bytes.Repeat([]byte("x"), f.bytes-20))
	pub := publishPacket(message{topic: "fleet/floods/1", payload: body, qos: 1, id: 1}, false)
	l := &load{conn: w.Conn, in: w.in, pub: pub, id: len(pub) - len(body) - 2, window: f.window}
	sent := 0
	l.vary = func([]byte, int) { sent++ }
	return l.start(func() int { return sent })
}

// serve publishes documents of 50 devices at a pace, and returns how long each
// took to its acknowledgement, from when it was sent and from when it was due: that is
// more if the one before it took long. Both are in ascending order.
func serve(t testing.TB, b *broker) (sent, due []time.Duration) {
	t.Helper()
	const devices, documents, every = 50, 50, 20 * time.Millisecond
	var mu sync.Mutex // guards sent, due
	var running atomicGroup
	for i := range devices {
		w := connect(t, b, connectOptions{})
		begin := time.Now().Add(every * time.Duration(i) / devices)
		topic := fmt.Sprintf("fleet/trucks/%d", i)
		running.Go(func() error {
			for n := range documents {
				at := begin.Add(time.Duration(n) * every)
				time.Sleep(time.Until(at)) // the pace
				start := time.Now()
				m := message{topic: topic, payload: loadBody, qos: 1, id: uint16(n + 1)}
				if _, err := w.Write(publishPacket(m, false)); err != nil {
					return err
				}
				if _, err := w.read(); err != nil {
					return err
				}
				mu.Lock()
				sent, due = append(sent, time.Since(start)), append(due, time.Since(at))
				mu.Unlock()
			}
			return nil
		})
	}
	if err := running.Wait(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(sent)
	slices.Sort(due)
	return sent, due
}

// Devices are served while one client floods the store. What is asked for here
// allows for a machine that does much else: the benchmark below measures.
func TestDevicesAreServedBesideAFlood(t *testing.T) {
	for _, f := range flooders {
		t.Run(f.name, func(t *testing.T) {
			b := startBroker(t, brokerOptions{})
			stop := floodDocuments(t, b, f)
			took, _ := serve(t, b)
			flooded := stop()
			p99 := took[len(took)*99/100]
			t.Logf("p99 is %v beside %d documents of the flood", p99, flooded)
			if p99 > 2*time.Second {
				t.Errorf("p99 is %v", p99)
			}
			if flooded < 100 {
				t.Errorf("the flood was of %d documents", flooded)
			}
		})
	}
}

// BenchmarkDevicesBesideAFlood measures 50 devices that publish a document every
// 20 ms each, from when it is due to its acknowledgement, alone and beside one
// client that publishes as fast as it may.
//
// Target: their p99 beside it is no more than what its own publishes that are in
// flight take.
func BenchmarkDevicesBesideAFlood(b *testing.B) {
	for _, f := range append([]flooder{{name: "alone"}}, flooders...) {
		b.Run(f.name, func(b *testing.B) {
			node := startBroker(b, brokerOptions{})
			stop := func() int { return 0 }
			if f.window > 0 {
				stop = floodDocuments(b, node, f)
			}
			var took []time.Duration
			for b.Loop() {
				_, due := serve(b, node)
				took = append(took, due...)
			}
			flooded := stop()
			slices.Sort(took)
			b.ReportMetric(took[len(took)/2].Seconds()*1000, "p50-ms")
			b.ReportMetric(took[len(took)*99/100].Seconds()*1000, "p99-ms")
			b.ReportMetric(float64(flooded)/b.Elapsed().Seconds(), "flood/s")
		})
	}
}

// start publishes until the function that it returns is called, which returns
// what result does.
func (l *load) start(result func() int) (stop func() int) {
	l.out = bufio.NewWriterSize(l.conn, 16<<10)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = l.publish(math.MaxInt) // ends with the connection
	}()
	return func() int {
		l.conn.Close()
		<-done
		return result()
	}
}
