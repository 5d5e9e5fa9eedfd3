package integration

import (
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// A crowd is many clients of one kind that do next to nothing, without a
// goroutine or a buffer each.
type crowd []net.Conn

// gather connects so many clients with sessions that last, a few hundred at a
// time, and returns them when each has its CONNACK.
func gather(t testing.TB, b *broker, clients int) crowd {
	t.Helper()
	const atOnce = 500
	c := make(crowd, clients)
	t.Cleanup(c.leave)
	places := make(chan int)
	var connecting sync.WaitGroup
	for range min(atOnce, clients) {
		connecting.Go(func() {
			for i := range places {
				conn, err := join(b, fmt.Sprintf("crowd-%d", i))
				if err != nil {
					t.Errorf("client %d: %v", i, err)
				}
				c[i] = conn
			}
		})
	}
	for i := range clients {
		places <- i
	}
	close(places)
	connecting.Wait()
	return c
}

func join(b *broker, id string) (net.Conn, error) {
	conn, err := net.Dial("tcp", b.mqtt)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Write(connectPacket(connectOptions{id: id, keep: true})); err != nil {
		return conn, err
	}
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return conn, err
	}
	var connack [4]byte
	if _, err := io.ReadFull(conn, connack[:]); err != nil {
		return conn, err
	}
	if connack[3] != 0 {
		return conn, fmt.Errorf("CONNACK %#x", connack[3])
	}
	return conn, nil
}

func (c crowd) leave() {
	for _, conn := range c {
		if conn != nil {
			conn.Close()
		}
	}
}

func TestACrowdReconnectsAtOnce(t *testing.T) {
	const clients = 2000
	b := startBroker(t, brokerOptions{})
	c := gather(t, b, clients)
	c.leave()
	start := time.Now()
	gather(t, b, clients)
	if took := time.Since(start); took > patience {
		t.Errorf("%d clients were back after %v", clients, took)
	}
	connect(t, b, connectOptions{}).put(t, "fleet/trucks/1", `{}`)
}

// Connections that say nothing are closed in time, and keep nobody out.
func TestACrowdThatSaysNothingIsClosed(t *testing.T) {
	t.Parallel()
	b := startBroker(t, brokerOptions{config: "limits: {connect_timeout: 2s}"})
	silent := make([]*wire, 1000)
	for i := range silent {
		silent[i] = dial(t, b.mqtt)
	}
	connect(t, b, connectOptions{}).put(t, "fleet/trucks/1", `{}`)
	for _, w := range silent {
		w.awaitEnd(t)
	}
}

// BenchmarkReconnect has clients with sessions that last lose their connections,
// and connect again at once.
//
// Target: all are back in 5 s.
func BenchmarkReconnect(b *testing.B) {
	const clients = 10_000
	node := startBroker(b, brokerOptions{})
	c := gather(b, node, clients)
	for b.Loop() {
		c.leave()
		c = gather(b, node, clients)
	}
	b.ReportMetric(clients*float64(b.N)/b.Elapsed().Seconds(), "clients/s")
}

// BenchmarkConnections measures what an idle connection takes in memory, with as
// many as a process may have files where it may have 20,000.
//
// Target: 12 KB, and its stack and buffers are among them.
func BenchmarkConnections(b *testing.B) {
	const clients = 19_000
	node := startBroker(b, brokerOptions{})
	connect(b, node, connectOptions{}).ping(b)
	before := residentBytes(b, node)
	for b.Loop() {
		gather(b, node, clients).leave()
	}
	b.ReportMetric(float64(residentBytes(b, node)-before)/clients, "bytes/connection")
}
