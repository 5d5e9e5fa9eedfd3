package integration

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// BenchmarkDurablePublishes counts QoS 1 publishes of documents that are
// acknowledged, and so synced, in a second, with 32 in flight per publisher.
// Beside it stand what one sync for each publish would allow on the same disk in
// the same run, and what a bare program does that appends the same bytes to a
// file and syncs as many at a time.
//
// Targets: one publisher ten times a sync for each; 256 half of the bare program.
func BenchmarkDurablePublishes(b *testing.B) {
	for _, publishers := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("publishers=%d", publishers), func(b *testing.B) {
			process := startBroker(b, brokerOptions{})
			loads := make([]*load, publishers)
			for i := range loads {
				loads[i] = newLoad(b, process, i)
			}
			dir := filepath.Dir(process.dir)
			each := appendRate(b, dir, 300, 1)
			syncs := countSyncs(b, process)
			written := writtenBytes(b, process)
			b.ResetTimer()
			publishAll(b, loads)
			rate := float64(b.N) / b.Elapsed().Seconds()
			b.StopTimer()
			written = writtenBytes(b, process) - written
			b.ReportMetric(rate, "publishes/s")
			b.ReportMetric(rate/each, "times-sync-each")
			b.ReportMetric(float64(written)/float64(b.N*len(loadBody)), "bytes-written/byte")
			if n := syncs(); n > 0 {
				batch := max(1, b.N/n)
				b.ReportMetric(float64(batch), "publishes/sync")
				b.ReportMetric(rate/appendRate(b, dir, b.N, batch), "of-bare")
			}
		})
	}
}

// countSyncs counts the fdatasyncs of a process until the function that it returns
// is called. Where perf may not do that, there are none.
func countSyncs(b *testing.B, process *broker) (stop func() int) {
	b.Helper()
	cmd := exec.Command("perf", "stat", "-x,", "-e", "syscalls:sys_enter_fdatasync", "-p", strconv.Itoa(process.cmd.Process.Pid))
	var out bytes.Buffer
	cmd.Stderr = &out
	if err := cmd.Start(); err != nil {
		return func() int { return 0 }
	}
	return func() int {
		_ = cmd.Process.Signal(os.Interrupt) // it may have ended by itself
		_ = cmd.Wait()                       // and it ends by the signal
		text, _, _ := strings.Cut(out.String(), ",")
		n, _ := strconv.Atoi(text) // it is 0 if perf says something else
		return n
	}
}

// writtenBytes returns what a process has had written to the disk.
func writtenBytes(b *testing.B, process *broker) int64 {
	b.Helper()
	counts, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", process.cmd.Process.Pid))
	if err != nil {
		b.Skip(err)
	}
	_, rest, _ := strings.Cut(string(counts), "\nwrite_bytes: ")
	field, _, _ := strings.Cut(rest, "\n")
	n, err := strconv.ParseInt(field, 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// publishAll has the publishers publish b.N documents.
func publishAll(b *testing.B, loads []*load) {
	b.Helper()
	var running atomicGroup
	for i, l := range loads {
		// Publisher i has its share of b.N, and the first ones what is over.
		n := (b.N + len(loads) - 1 - i) / len(loads)
		running.Go(func() error { return l.publish(n) })
	}
	if err := running.Wait(); err != nil {
		b.Fatal(err)
	}
}

// appendRate appends so many documents to a file, in batches that are synced each,
// and returns how many that is in a second.
func appendRate(b *testing.B, dir string, documents, batch int) float64 {
	b.Helper()
	file, err := os.Create(filepath.Join(dir, "appended"))
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	start := time.Now()
	for done := 0; done < documents; done += batch {
		if _, err := file.Write(bytes.Repeat(loadBody, batch)); err != nil {
			b.Fatal(err)
		}
		if err := syscall.Fdatasync(int(file.Fd())); err != nil {
			b.Fatal(err)
		}
	}
	return float64(documents) / time.Since(start).Seconds()
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
