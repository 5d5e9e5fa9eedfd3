package broker

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"
)

func TestAnIdleHTTPConnectionIsClosed(t *testing.T) {
	cfg := testConfig(t)
	cfg.Limits.ConnectTimeout = 100 * time.Millisecond
	b := start(t, cfg)
	c, err := net.Dial("tcp", b.HTTPAddr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(deadline)); err != nil {
		t.Fatal(err)
	}
	send(t, c, []byte("GET / HTTP/1.1\r\nHost: ambit\r\n\r\n"))
	if _, err := io.Copy(io.Discard, c); err != nil {
		t.Errorf("it stays open after the answer: %v", err)
	}
}

func TestCloseDoesNotWaitForASocketWithoutConnect(t *testing.T) {
	cfg := testConfig(t)
	cfg.Limits.ConnectTimeout = time.Hour
	b := start(t, cfg)
	silent, half := dial(t, b), dial(t, b)
	send(t, half, connectPacket(t, 5, "half")[:5])
	connect(t, b, 5, "whole") // those before it are accepted
	stop(t, b)
	expectEnd(t, silent)
	expectEnd(t, half)
}

// Whoever says CONNECT to a broker that closes is refused, or told that it
// closes. Nobody stays, and nobody is waited for.
func TestNobodyConnectsToABrokerThatCloses(t *testing.T) {
	b := start(t, testConfig(t))
	var late []net.Conn
	for range 50 {
		late = append(late, dial(t, b))
	}
	connect(t, b, 5, "first") // those before it are accepted
	var sent sync.WaitGroup
	for i, c := range late {
		packet := connectPacket(t, 5, string(rune('A'+i)))
		sent.Go(func() { _, _ = c.Write(packet) }) // it may be too late
	}
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	if err := b.Close(ctx); err != nil {
		t.Errorf("Close: %v", err)
	}
	sent.Wait()
	for _, c := range late {
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("a connection is still open")
		}
	}
}
