package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/ambitmq/ambit/broker"
	"github.com/ambitmq/ambit/client"
)

// startBroker starts a broker that listens at an address.
func startBroker(t *testing.T, address, dir string) *broker.Broker {
	t.Helper()
	cfg := broker.DefaultConfig()
	cfg.MQTT, cfg.HTTP, cfg.Data = address, "127.0.0.1:0", dir
	b, err := broker.Start(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close(context.Background()) })
	return b
}

// ids subscribes to everything and returns the ids of documents that come.
func ids(t *testing.T, address string) <-chan string {
	t.Helper()
	c, err := client.Dial(t.Context(), client.Options{Broker: address})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	got := make(chan string, 1000)
	if _, err := c.Subscribe(t.Context(), "fleet/trucks/?{}&payload=none", 1, func(m client.Message) {
		got <- m.Property("id")
	}); err != nil {
		t.Fatal(err)
	}
	return got
}

// awaitID takes ids until the one that is wanted.
func awaitID(t *testing.T, got <-chan string, want string) {
	t.Helper()
	for {
		select {
		case id := <-got:
			if id == want {
				return
			}
		case <-time.After(patience):
			t.Fatalf("%s did not come in %v", want, patience)
		}
	}
}

func TestReplayGoesOnAfterTheBrokerCameBack(t *testing.T) {
	dir := t.TempDir()
	b := startBroker(t, "127.0.0.1:0", dir)
	address := b.MQTTAddr()
	tally := &tally{stderr: io.Discard}
	f := &fleet{
		o: &replayOptions{
			client:  client.Options{Broker: address},
			mapping: mapping{topic: "fleet/trucks/{id}"},
			factor:  math.Inf(1), pool: 3, qos: 1, retry: true,
		},
		tally: tally, lanes: map[string]*lane{},
	}
	in, out := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- f.replay(t.Context(), t.Context(), in, []string{"-"}) }()
	write := func(from, to int) {
		for i := from; i < to; i++ {
			if _, err := fmt.Fprintf(out, "{\"id\":\"%d\"}\n", i); err != nil {
				t.Error(err)
			}
		}
	}

	got := ids(t, address)
	write(0, 100)
	awaitID(t, got, "99")
	if err := b.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	write(100, 200) // nobody listens now
	startBroker(t, address, dir)
	got = ids(t, address)
	write(200, 300)
	awaitID(t, got, "299")
	_ = out.Close() // a pipe can be closed
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	sum := tally.summary(time.Second)
	if sum.Rows != 300 || sum.Acknowledged != 300 || sum.Failed != 0 {
		t.Errorf("%+v, want 300 rows and all of them acknowledged", sum)
	}
}
