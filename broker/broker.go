// Package broker assembles Ambit: the store, the hooks, the MQTT server and the
// listeners, started in order and stopped in the reverse one.
package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/hooks"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// sysInterval is how often $SYS topics are published, in seconds.
const sysInterval = 10

// A Broker is a running Ambit. Its methods may be called concurrently.
type Broker struct {
	log       *slog.Logger
	listeners *listeners
	store     *persistence.Store
	server    *mqtt.Server
	hook      *hooks.Hook
	applied   chan struct{} // closed when the store's tail is drained
	closing   sync.Once
	closed    error

	failing sync.Once
	failure error
	done    chan struct{} // closed when failure is set
}

// Start starts a broker and returns when it accepts clients. ctx bounds the
// start alone; [Broker.Close] ends what was started.
func Start(ctx context.Context, cfg Config, log *slog.Logger) (*Broker, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	l, err := listen(ctx, cfg, log)
	if err != nil {
		return nil, err
	}
	store, err := persistence.Open(cfg.Data, persistence.Options{
		LogAge: cfg.Store.LogAge, LogBytes: cfg.Store.LogBytes,
		MinFreeBytes: cfg.Store.MinFreeBytes, Log: log,
	})
	if err != nil {
		l.close()
		return nil, err
	}
	b := &Broker{log: log, listeners: l, store: store, server: newServer(cfg), applied: make(chan struct{}), done: make(chan struct{})}
	b.hook = hooks.New(b.server, store, hookOptions(cfg, log))
	go b.apply()
	if err := b.serve(); err != nil {
		return nil, errors.Join(err, b.Close(ctx))
	}
	log.Info("listening", "mqtt", b.MQTTAddr(), "websocket", "ws://"+b.HTTPAddr()+"/mqtt",
		"data", cfg.Data, "node", store.NodeID(), "rooms", b.hook.Rooms())
	return b, nil
}

// newServer returns mochi's server without listeners, limited to what Ambit
// does not do itself.
func newServer(cfg Config) *mqtt.Server {
	capabilities := mqtt.NewDefaultServerCapabilities()
	capabilities.MaximumClients = int64(cfg.Limits.Connections)
	capabilities.MaximumClientWritesPending = 64  // $SYS alone goes through it
	capabilities.MaximumMessageExpiryInterval = 0 // else retained messages vanish after a day
	capabilities.MaximumSessionExpiryInterval = uint32(min(cfg.Limits.SessionExpiry/time.Second, math.MaxUint32-1))
	capabilities.ReceiveMaximum = uint16(cfg.Limits.ReceiveMaximum)
	capabilities.MaximumInflight = math.MaxUint16
	capabilities.TopicAliasMaximum = uint16(cfg.Limits.TopicAliases)
	capabilities.Compatibilities.NoInheritedPropertiesOnAck = true
	return mqtt.New(&mqtt.Options{
		Capabilities:           capabilities,
		SysTopicResendInterval: sysInterval,
		Logger:                 slog.New(slog.DiscardHandler), // it logs whole packets; the hook logs what matters
	})
}

func hookOptions(cfg Config, log *slog.Logger) hooks.Options {
	collections := map[string]hooks.Collection{}
	for _, c := range cfg.Collections {
		collections[c.Name] = hooks.Collection{Strict: c.Strict}
	}
	return hooks.Options{
		Topics: topics.Limits{
			Levels: cfg.Limits.TopicLevels, Bytes: cfg.Limits.TopicBytes, FilterBytes: cfg.Limits.FilterBytes,
		},
		Documents: filter.DocumentLimits{
			Depth: cfg.Limits.JSONDepth, Members: cfg.Limits.JSONMembers, Elements: cfg.Limits.JSONElements,
		},
		Filters: filter.Limits{
			Bytes: cfg.Limits.FilterBytes, Depth: cfg.Limits.FilterDepth, Cost: cfg.Limits.FilterCost,
			Values: cfg.Limits.FilterValues, Vertices: cfg.Limits.FilterVertices,
			PatternBytes: cfg.Limits.FilterPatternBytes, Instructions: cfg.Limits.FilterInstructions,
		},
		UserProperties: cfg.Limits.UserProperties,
		TopicAliases:   uint16(cfg.Limits.TopicAliases),
		PacketBytes:    uint32(cfg.Limits.PacketBytes),
		QueueBytes:     cfg.Limits.QueueBytes,
		WriteTimeout:   cfg.Limits.WriteTimeout,
		SessionExpiry:  cfg.Limits.SessionExpiry,
		AutoCreate:     cfg.AutoCreate,
		Collections:    collections,
		AllowRemote:    cfg.Anonymous == "all",
		Log:            log,
	}
}

// apply carries what is committed to the hook, in order.
func (b *Broker) apply() {
	defer close(b.applied)
	for batch := range b.store.Tail() {
		for _, result := range batch {
			b.hook.Apply(result)
		}
	}
}

// serve restores what was stored and lets clients in.
func (b *Broker) serve() error {
	if err := b.server.AddHook(b.hook, nil); err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	if err := b.hook.Restore(); err != nil {
		return err
	}
	if err := b.server.Serve(); err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	b.listeners.serve = b.server.EstablishConnection
	b.listeners.closed = b.hook.Closed
	b.listeners.failed = b.fail
	b.listeners.start()
	return nil
}

// MQTTAddr returns the address of the MQTT listener.
func (b *Broker) MQTTAddr() string { return b.listeners.mqtt.Addr().String() }

// HTTPAddr returns the address of the HTTP listener.
func (b *Broker) HTTPAddr() string { return b.listeners.http.Addr().String() }

// Done is closed when the broker cannot go on; [Broker.Err] says why. It still
// has to be closed.
func (b *Broker) Done() <-chan struct{} { return b.done }

// Err returns why the broker cannot go on, or nil.
func (b *Broker) Err() error {
	select {
	case <-b.done:
		return b.failure
	default:
		return nil
	}
}

func (b *Broker) fail(err error) {
	b.failing.Do(func() {
		b.failure = err
		close(b.done)
	})
}

// Close drains the broker: it accepts nobody any more, tells MQTT 5 clients
// that it shuts down (0x8B), commits what was read, and closes the store. It
// gives up waiting for clients when ctx is done, but not the store.
func (b *Broker) Close(ctx context.Context) error {
	b.closing.Do(func() { b.closed = b.close(ctx) })
	return b.closed
}

func (b *Broker) close(ctx context.Context) error {
	b.listeners.close()
	b.hook.Drain()
	err := wait(ctx, func() {
		b.disconnectAll()
		b.listeners.closeClients() // those that have not said CONNECT
		b.listeners.running.Wait()
		b.hook.Wait()
		err := b.server.Close() // has nothing left to wait for
		if err != nil {
			b.log.Error("close", "error", err)
		}
	})
	if err != nil {
		err = fmt.Errorf("broker: clients are still connected: %w", err)
	}
	err = errors.Join(err, b.store.Close())
	<-b.applied
	return err
}

// disconnectAll ends every connection, at once: one of them may be stalled.
func (b *Broker) disconnectAll() {
	var all sync.WaitGroup
	for _, cl := range b.server.Clients.GetAll() {
		all.Go(func() { b.hook.Disconnect(cl, packets.ErrServerShuttingDown) })
	}
	all.Wait()
}

// wait runs f and waits for it, or for ctx.
func wait(ctx context.Context, f func()) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
