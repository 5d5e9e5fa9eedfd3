package main

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/ambitmq/ambit/broker"
)

// TestSystemdIsToldThatWritesGoThrough is systemd's side of sd_notify(3).
func TestSystemdIsToldThatWritesGoThrough(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }() // nobody writes any more
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", "300000")
	cfg := broker.DefaultConfig()
	cfg.MQTT, cfg.HTTP, cfg.Data = "127.0.0.1:0", "none", filepath.Join(t.TempDir(), "data")
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		served <- serve(ctx, cfg, slog.New(slog.NewTextHandler(t.Output(), nil)), func(*broker.Broker) {})
	}()
	said := func() string {
		t.Helper()
		if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 256)
		n, err := conn.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
	for _, want := range []string{"READY=1", "WATCHDOG=1", "WATCHDOG=1"} {
		if got := said(); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	}
	stop()
	got := said()
	for got == "WATCHDOG=1" { // one that was on its way
		got = said()
	}
	if got != "STOPPING=1" {
		t.Errorf("%s at the end", got)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}
