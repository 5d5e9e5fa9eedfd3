package integration

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// BenchmarkDurablePublishes counts QoS 1 publishes of documents that are
// acknowledged, and so synced, in a second, with 32 in flight per publisher.
// Beside it stands what one sync for each publish would allow on the same disk
// in the same run.
//
// Target: with syncs shared, ten times that or more.
func BenchmarkDurablePublishes(b *testing.B) {
	for _, publishers := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("publishers=%d", publishers), func(b *testing.B) {
			process := startBroker(b, brokerOptions{})
			var loads []*load
			for i := range publishers {
				loads = append(loads, newLoad(b, process, i))
			}
			sync := syncLatency(b, process.dir)
			b.ResetTimer()
			var running atomicGroup
			for i, l := range loads {
				// Publisher i has its share of b.N, and the first ones what is over.
				n := (b.N + publishers - 1 - i) / publishers
				running.Go(func() error { return l.publish(n) })
			}
			if err := running.Wait(); err != nil {
				b.Fatal(err)
			}
			rate := float64(b.N) / b.Elapsed().Seconds()
			b.ReportMetric(rate, "publishes/s")
			b.ReportMetric(float64(sync.Microseconds()), "sync-µs")
			b.ReportMetric(1/sync.Seconds(), "syncs/s")
			b.ReportMetric(rate*sync.Seconds(), "ratio")
		})
	}
}

// syncLatency is the median time of appending one document to a file and
// syncing it, in the directory of the store.
func syncLatency(b *testing.B, dir string) time.Duration {
	b.Helper()
	file, err := os.Create(filepath.Join(filepath.Dir(dir), "sync-latency"))
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	took := make([]time.Duration, 301)
	for i := range took {
		start := time.Now()
		if _, err := file.Write(loadBody); err != nil {
			b.Fatal(err)
		}
		if err := syscall.Fdatasync(int(file.Fd())); err != nil {
			b.Fatal(err)
		}
		took[i] = time.Since(start)
	}
	slices.Sort(took)
	return took[len(took)/2]
}

// An atomicGroup runs functions and keeps one of their errors.
type atomicGroup struct {
	sync.WaitGroup
	err atomic.Pointer[error]
}

func (g *atomicGroup) Go(f func() error) {
	g.WaitGroup.Go(func() {
		if err := f(); err != nil {
			g.err.Store(&err)
		}
	})
}

func (g *atomicGroup) Wait() error {
	g.WaitGroup.Wait()
	if err := g.err.Load(); err != nil {
		return *err
	}
	return nil
}

// inFlight is how many publishes of one publisher wait for their PUBACK.
const inFlight = 32

// loadBody is a document as a vehicle would send it.
var loadBody = []byte(`{"position":{"lat":37.61552,"lon":-122.38701},"speed":61,"heading":271,"occupied":true,"driver":"D-1042","time":1212217200}`)

// A load is one publisher that costs little: it sends the same bytes again and
// again, with another packet identifier.
type load struct {
	conn net.Conn
	out  *bufio.Writer
	in   *bufio.Reader
	pub  []byte // the PUBLISH
	id   int    // where in pub the packet identifier is
	// window is how many publishes wait for their PUBACK at most.
	window int
	// vary, if it is set, makes pub the PUBLISH number i.
	vary func(pub []byte, i int)
}

func newLoad(b *testing.B, process *broker, i int) *load {
	b.Helper()
	return newLoadOn(b, process, fmt.Sprintf("fleet/trucks/%d", i))
}

func newLoadOn(b *testing.B, process *broker, topic string) *load {
	b.Helper()
	w := connect(b, process, connectOptions{})
	if err := w.SetReadDeadline(time.Time{}); err != nil {
		b.Fatal(err)
	}
	pub := publishPacket(message{topic: topic, payload: loadBody, qos: 1, id: 1}, false)
	return &load{conn: w.Conn, out: bufio.NewWriterSize(w.Conn, 16<<10), in: w.in, pub: pub,
		id: len(pub) - len(loadBody) - 2, window: inFlight}
}

// publish sends n documents and returns when all are acknowledged.
func (l *load) publish(n int) error {
	window := make(chan struct{}, l.window)
	var failed error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range n {
			if _, failed = readPacket(l.in); failed != nil {
				l.conn.Close() // ends the writer, too
				return
			}
			<-window
		}
	}()
	for i := range n {
		select {
		case window <- struct{}{}:
		default: // the window is full: send what is written, then wait
			if err := l.out.Flush(); err != nil {
				return err
			}
			select {
			case window <- struct{}{}:
			case <-ended:
				return failed
			}
		}
		binary.BigEndian.PutUint16(l.pub[l.id:], uint16(i%65535+1))
		if l.vary != nil {
			l.vary(l.pub, i)
		}
		if _, err := l.out.Write(l.pub); err != nil {
			return err
		}
	}
	if err := l.out.Flush(); err != nil {
		return err
	}
	<-ended
	return failed
}

// BenchmarkNotificationLatency publishes 1,000 documents in a second from ten
// devices, whatever the broker makes of it, while a hundred clients are in a
// room each. It measures from the moment at which a document was to be sent
// until its one notification is read.
//
// Target: p99 below 10 ms.
func BenchmarkNotificationLatency(b *testing.B) {
	const rooms, devices, perSecond = 100, 10, 1000
	process := startBroker(b, brokerOptions{})
	var receivers atomicGroup
	latencies := make(chan time.Duration, 10_000)
	start := time.Now()
	var subscribers []*wire
	for i := range rooms {
		w := connect(b, process, connectOptions{})
		w.granted(b, fmt.Sprintf(`fleet/trucks/?{"range":{"speed":{"gte":%d,"lt":%d}}}&scope=in&payload=document`, i, i+1))
		subscribers = append(subscribers, w)
		receivers.Go(func() error { return receive(w, start, latencies) })
	}
	var fleet []*wire
	for range devices {
		fleet = append(fleet, connect(b, process, connectOptions{}))
	}
	all := make([]time.Duration, 0, b.N)
	collected := make(chan struct{})
	go func() {
		defer close(collected)
		for range b.N {
			all = append(all, <-latencies)
		}
	}()
	b.ResetTimer()
	due := time.NewTimer(0)
	defer due.Stop()
	first := time.Now()
	for i := range b.N {
		at := first.Add(time.Duration(i) * time.Second / perSecond)
		due.Reset(time.Until(at))
		<-due.C
		body := fmt.Appendf(nil, `{"sent":%d,"speed":%d}`, at.Sub(start), i*37%rooms)
		m := message{topic: fmt.Sprintf("fleet/trucks/%d", i%997), payload: body, qos: 1, id: uint16(i%65535 + 1)}
		fleet[i%devices].send(b, publishPacket(m, false))
	}
	<-collected
	b.StopTimer()
	for _, w := range append(subscribers, fleet...) {
		w.Close()
	}
	if err := receivers.Wait(); err != nil {
		b.Fatal(err)
	}
	slices.Sort(all)
	for _, p := range []struct {
		name string
		part float64
	}{{"p50-ms", 0.5}, {"p99-ms", 0.99}, {"p99.9-ms", 0.999}} {
		at := all[min(len(all)-1, int(p.part*float64(len(all))))]
		b.ReportMetric(float64(at.Microseconds())/1000, p.name)
	}
}

// receive reads notifications until the connection is closed.
func receive(w *wire, start time.Time, latencies chan<- time.Duration) error {
	for {
		p, err := readPacket(w.in)
		if errors.Is(err, net.ErrClosed) {
			return nil // by the benchmark, which counts what it got
		}
		if err != nil {
			return err
		}
		if p.kind != typePublish {
			continue
		}
		_, body := cutString(p.body)
		if p.flags>>1&3 == 1 {
			if _, err := w.Write(ackPacket(typePuback, binary.BigEndian.Uint16(body))); err != nil {
				return err
			}
			body = body[2:]
		}
		var sent time.Duration
		if _, err := fmt.Sscanf(string(body), `{"sent":%d`, &sent); err != nil {
			return fmt.Errorf("%s: %w", body, err)
		}
		latencies <- time.Since(start) - sent
	}
}
