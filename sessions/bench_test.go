package sessions_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ambitmq/ambit/hooks"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/sessions"
)

// startBench starts an engine for a benchmark, with a store in memory.
func startBench(b *testing.B) (*sessions.Engine, *persistence.Store) {
	b.Helper()
	return startBenchOn(b, "data", vfs.NewMem())
}

func startBenchOn(b *testing.B, dir string, fs vfs.FS) (*sessions.Engine, *persistence.Store) {
	b.Helper()
	store, err := persistence.Open(dir, persistence.Options{FS: fs})
	if err != nil {
		b.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	hook, engine := hooks.New(store, hooks.Options{AutoCreate: true, AllowRemote: true, Log: log}, sessions.Options{
		UserProperties: 32, TopicAliases: 16, ReceiveMaximum: 1024, ConnectBytes: 16 << 10, PacketBytes: 256 << 10,
		QueueBytes: 1 << 20, Connections: 1 << 30, ConnectTimeout: time.Hour, WriteTimeout: time.Hour,
		SessionExpiry: time.Hour, Log: log,
	})
	applied := make(chan struct{})
	go func() {
		defer close(applied)
		for batch := range store.Tail() {
			hook.Apply(batch)
		}
	}()
	b.Cleanup(func() {
		engine.Drain(&sessions.Error{Code: 0x8b, Text: "stop"})
		engine.Close()
		if err := store.Close(); err != nil {
			b.Error(err)
		}
		<-applied
	})
	return engine, store
}

// exchange writes a packet and reads an answer of n bytes.
func exchange(b *testing.B, conn net.Conn, packet []byte, n int) {
	b.Helper()
	if _, err := conn.Write(packet); err != nil {
		b.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, n)); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkIdleConnections reports what a client costs that has connected and
// subscribed to one topic, over a pipe in memory, which is 0.7 KB of it. The
// aim is 12 KB.
func BenchmarkIdleConnections(b *testing.B) {
	for _, clients := range []int{10_000, 200_000} {
		b.Run(fmt.Sprint(clients), func(b *testing.B) {
			for b.Loop() {
				engine, _ := startBench(b)
				before := inUse()
				conns := make([]net.Conn, clients)
				for i := range conns {
					ours, theirs := net.Pipe()
					conns[i] = ours
					go engine.Serve(theirs, sessions.Via{Name: "bench"})
					id := fmt.Sprintf("client-%06d", i)
					connect := append([]byte{0x10, byte(12 + len(id)), 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, byte(len(id))}, id...)
					exchange(b, ours, connect, 4)
					topic := "home/" + id
					subscribe := append([]byte{0x82, byte(5 + len(topic)), 0, 1, 0, byte(len(topic))}, topic...)
					exchange(b, ours, append(subscribe, 0), 5)
				}
				b.ReportMetric(float64(inUse()-before)/float64(clients), "B/client")
				for _, conn := range conns {
					_ = conn.Close() // nothing is lost
				}
			}
			b.ReportMetric(0, "ns/op") // connecting is not what is measured
		})
	}
}

// inUse returns the bytes of the heap and of stacks that are in use.
func inUse() uint64 {
	runtime.GC()
	runtime.GC() // the first one only shrinks stacks
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// BenchmarkReconnect reports how long it takes until 9,000 clients whose
// sessions are kept are all back, over TCP, after they were disconnected at once:
// both ends of their connections are in this process. The aim for 10,000 is 5 s.
func BenchmarkReconnect(b *testing.B) {
	const clients, dialers = 9_000, 64
	engine, _ := startBench(b)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go engine.Serve(conn, sessions.Via{Name: "bench"})
		}
	}()
	connectAll := func() []net.Conn {
		conns := make([]net.Conn, clients)
		var dialing sync.WaitGroup
		for d := range dialers {
			dialing.Go(func() {
				for i := d; i < clients; i += dialers {
					conn, err := net.Dial("tcp", listener.Addr().String())
					if err != nil {
						b.Error(err)
						return
					}
					id := fmt.Sprintf("client-%06d", i)
					connect := append([]byte{0x10, byte(12 + len(id)), 0, 4, 'M', 'Q', 'T', 'T', 4, 0, 0, 60, 0, byte(len(id))}, id...)
					exchange(b, conn, connect, 4)
					conns[i] = conn
				}
			})
		}
		dialing.Wait()
		return conns
	}
	conns := connectAll()
	for b.Loop() {
		b.StopTimer()
		for _, conn := range conns {
			if conn != nil {
				_ = conn.Close() // nothing is lost
			}
		}
		b.StartTimer()
		conns = connectAll()
	}
	for _, conn := range conns {
		if conn != nil {
			_ = conn.Close()
		}
	}
}

// BenchmarkRetained reports how long a subscriber to home/# takes to receive a
// million retained messages, each once, and what each of them takes on the heap. They
// are on disk, so the aim is 10 bytes. (In memory, each took 346.)
func BenchmarkRetained(b *testing.B) {
	const total = 1_000_000
	engine, _ := startBenchOn(b, b.TempDir(), vfs.Default)
	before := inUse()
	for i := range total {
		m := &sessions.Message{Topic: fmt.Sprintf("home/%d/lamp", i), Payload: []byte("on"), Retain: true}
		if err := engine.Publish(m); err != nil {
			b.Fatal(err)
		}
	}
	conn, theirs := net.Pipe()
	go engine.Serve(theirs, sessions.Via{Name: "bench"})
	exchange(b, conn, []byte{0x10, 13, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0, 0, 1, 'c'}, 4)
	exchange(b, conn, []byte{0x82, 9, 0, 1, 0, 4, 'n', 'o', 'n', 'e', 0}, 5) // everything before is applied then
	bytesEach := float64(inUse()-before) / total
	for b.Loop() {
		exchange(b, conn, []byte{0x82, 11, 0, 1, 0, 6, 'h', 'o', 'm', 'e', '/', '#', 0}, 5)
		seen := make([]bool, total)
		in := bufio.NewReaderSize(conn, 64<<10)
		for range total {
			var header [4]byte // of a packet of less than 128 bytes
			if _, err := io.ReadFull(in, header[:]); err != nil {
				b.Fatal(err)
			}
			body := make([]byte, header[1]-2)
			if _, err := io.ReadFull(in, body); err != nil {
				b.Fatal(err)
			}
			var i int
			if _, err := fmt.Sscanf(string(body), "home/%d/lamp", &i); err != nil || header[0] != 0x31 || seen[i] {
				b.Fatalf("%x %s %v", header, body, err)
			}
			seen[i] = true
		}
	}
	b.ReportMetric(bytesEach, "B/message")
	_ = conn.Close() // nothing is lost
}
