// Package broker assembles Ambit: the store, the hooks, the MQTT server and the
// listeners, started in order and stopped in the reverse one.
package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/api"
	"github.com/ambitmq/ambit/channels"
	"github.com/ambitmq/ambit/events"
	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/hooks"
	"github.com/ambitmq/ambit/kuzzle"
	"github.com/ambitmq/ambit/limits"
	"github.com/ambitmq/ambit/metrics"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/sessions"
	"github.com/ambitmq/ambit/topics"
	"github.com/ambitmq/ambit/tracing"
)

// A Broker is a running Ambit. Its methods may be called concurrently.
type Broker struct {
	log       *slog.Logger
	listeners *listeners
	store     *persistence.Store
	control   *control // nil if there is none
	profiler  *profiler
	tracer    *tracing.Tracer // nil if nothing is followed
	hook      *hooks.Hook
	engine    *sessions.Engine
	reloading reloading
	applied   chan struct{} // closed when the store's tail is drained
	closing   sync.Once
	closed    error

	pulse pulse

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
	who, err := loadGate(cfg, log)
	if err != nil {
		return nil, err
	}
	l, err := listen(ctx, cfg, log)
	if err != nil {
		return nil, err
	}
	figures, kept := metrics.New(), storeOptions(cfg, log)
	kept.Synced, kept.Refused = figures.Synced, func() { l.crowd.counts.Add(limits.UserStorage) }
	store, err := persistence.Open(cfg.Data, kept)
	if err != nil {
		l.close()
		return nil, err
	}
	b := &Broker{log: log, listeners: l, store: store, applied: make(chan struct{}), done: make(chan struct{})}
	b.reloading.cfg = cfg
	o := hookOptions(cfg, store, who, log)
	o.Shown, o.API.Reload, o.API.Listeners = l.recallShown, b.Reload, l.addresses()
	o.Rooms.Matched = figures.Matched
	cfg.Quotas.keepOut(&o, l.crowd.counts, hooks.NewVault(store))
	engine := engineOptions(cfg, l.crowd.counts, log)
	if b.tracer, err = openTracer(ctx, cfg.Observe, store.NodeID(), log); err != nil {
		l.close()
		return nil, errors.Join(err, store.Close())
	}
	if b.tracer != nil {
		engine.Follower = b.tracer
	}
	b.hook, b.engine = hooks.New(store, o, engine)
	figures.Watch(metrics.Sources{Store: store, Sessions: b.engine, Rooms: b.hook.Told, Limits: b.Limits(), SocketIO: func() (int64, int64) { return b.listeners.agnost.Sessions() }, Version: version()})
	l.metrics, l.health, l.readiness = figures.Handler(), b.health, b.readiness
	go b.apply()
	if err := b.serve(ctx); err != nil {
		return nil, errors.Join(err, b.Close(ctx))
	}
	if who.issuer != nil {
		b.listeners.running.Go(func() { b.renew(who.issuer, cfg.JWT.Refresh) })
	}
	if b.profiler, err = openProfiler(ctx, cfg.Observe.Pprof, log); err != nil {
		return nil, errors.Join(err, b.Close(ctx))
	}
	b.control = openControl(ctx, cfg.Data, store, b.hook.API(), b.engine, log)
	for _, c := range cfg.Collections {
		if c.Ephemeral {
			log.Warn("documents are in memory only and gone after a restart", "collection", c.Name, "setting", "ephemeral")
		}
	}
	for _, l := range cfg.Listeners {
		log.Info("listening", "listener", l.Name, "type", l.Type, "address", b.Addr(l.Name))
	}
	if addr := b.Addr("kuzzle"); addr != none {
		log.Info("listening", "listener", "kuzzle", "type", typeWS, "address", addr)
	}
	log.Info("listening", "mqtt", b.MQTTAddr(), "websocket", b.webSocketURL(),
		"data", cfg.Data, "node", store.NodeID(), "rooms", b.hook.Rooms())
	return b, nil
}

// farewell returns what clients are told when the broker shuts down.
func farewell(cfg Config) *sessions.Error {
	code, text := packets.ErrServerShuttingDown.Code, packets.ErrServerShuttingDown.Reason
	if cfg.Redirect != "" {
		code = packets.ErrUseAnotherServer.Code
	}
	return &sessions.Error{Code: code, Text: text}
}

func engineOptions(cfg Config, counts *limits.Counts, log *slog.Logger) sessions.Options {
	l := cfg.Limits
	return sessions.Options{
		Topics:         topicLimits(cfg),
		UserProperties: l.UserProperties,
		TopicAliases:   uint16(l.TopicAliases),
		ReceiveMaximum: uint16(l.ReceiveMaximum),
		ConnectBytes:   l.ConnectBytes,
		PacketBytes:    l.PacketBytes,
		QueueBytes:     l.QueueBytes,
		Connections:    l.Connections,
		ConnectTimeout: l.ConnectTimeout,
		WriteTimeout:   l.WriteTimeout,
		KeepAlive:      l.KeepAlive,
		Redirect:       cfg.Redirect,
		SessionExpiry:  l.SessionExpiry,
		SharedBy:       sessions.SharedBy(cfg.SharedBy),
		Quotas:         cfg.Quotas.ofSessions(counts),
		Log:            log,
	}
}

// loadUsers returns those who may sign in, or nil without a file of them.
func loadUsers(cfg Config, log *slog.Logger) (*access.Users, error) {
	if cfg.Users == "" {
		return nil, nil
	}
	users, err := access.Load(cfg.Users, log)
	if err != nil {
		return nil, fmt.Errorf("users: %q cannot be used: %w", cfg.Users, err)
	}
	return users, nil
}

func topicLimits(cfg Config) topics.Limits {
	return topics.Limits{Levels: cfg.Limits.TopicLevels, Bytes: cfg.Limits.TopicBytes, FilterBytes: cfg.Limits.FilterBytes}
}

func documentLimits(cfg Config) filter.DocumentLimits {
	return filter.DocumentLimits{
		Depth: cfg.Limits.JSONDepth, Members: cfg.Limits.JSONMembers, Elements: cfg.Limits.JSONElements, Digits: cfg.Limits.JSONDigits,
	}
}

func hookCollections(cfg Config) map[string]hooks.Collection {
	collections := map[string]hooks.Collection{}
	for _, c := range cfg.Collections {
		collections[c.Name] = hooks.Collection{Strict: c.Strict, TTL: c.TTL, Merge: c.Write == "merge", Ephemeral: c.Ephemeral}
	}
	return collections
}

func hookOptions(cfg Config, store *persistence.Store, who gate, log *slog.Logger) hooks.Options {
	o := hookSettings(cfg)
	o.AllowLocal, o.AllowRemote = cfg.Anonymous != "none", cfg.Anonymous == "all"
	o.Users, o.Access = who.users, who.policy
	o.Keys = access.NewKeys(who.users, hooks.NewVault(store))
	o.Tokens = access.NewTokens(who.users, hooks.NewVault(store), access.TokenOptions{
		TTL: cfg.Tokens.TTL, MaxTTL: cfg.Tokens.MaxTTL, Issuer: who.issuer,
	})
	o.Presence = hooks.Presence{Grace: cfg.Presence.Grace, Keep: cfg.Presence.Keep, Clients: cfg.Presence.Clients}
	o.Channels = channels.Options{PerClient: cfg.Limits.Channels, Bytes: cfg.Limits.ChannelBytes}
	o.Log = log
	return o
}

// hookSettings returns those that may change while the broker runs.
func hookSettings(cfg Config) hooks.Options {
	return hooks.Options{
		Documents:     documentLimits(cfg),
		DocumentBytes: cfg.Limits.PacketBytes,
		Filters:       filterLimits(cfg),
		Names:         roomNames(cfg),
		AutoCreate:    cfg.AutoCreate,
		Collections:   hookCollections(cfg),
		Mappings:      mappingTable(cfg),
		API: api.Options{
			Timeout: cfg.Limits.RequestTimeout, Rate: float64(cfg.Limits.RequestRate),
			WriteDocuments: cfg.Limits.WriteDocuments, ReadDocuments: cfg.Limits.ReadDocuments,
			ScanDocuments: cfg.Limits.ScanDocuments, RoomNames: cfg.Limits.RoomNames, DocumentBytes: cfg.Limits.PacketBytes, Version: version(),
		},
	}
}

// apply carries what is committed to the hook, in order.
func (b *Broker) apply() {
	defer close(b.applied)
	for batch := range b.store.Tail() {
		b.hook.Apply(batch)
	}
}

// serve restores what was stored and lets clients in.
func (b *Broker) serve(ctx context.Context) error {
	if err := b.hook.Door().Open(ctx); err != nil {
		return err
	}
	if err := b.engine.Restore(); err != nil {
		return err
	}
	if every := b.listeners.now.Load().Observe.SysInterval; every > 0 {
		b.engine.Statistics(version(), every)
	}
	b.listeners.serve, b.listeners.hook = b.engine.Serve, b.hook
	b.listeners.kuzzle = kuzzle.New(b.hook, kuzzle.Options{WriteTimeout: b.listeners.now.Load().Limits.WriteTimeout, SignInBytes: b.listeners.now.Load().Limits.ConnectBytes})
	b.listeners.events = events.New(b.hook, events.Options{WriteTimeout: b.listeners.now.Load().Limits.WriteTimeout})
	b.listeners.pocketbase = b.newPocketBase()
	b.listeners.agnost = b.newAgnost()
	b.listeners.failed = b.fail
	b.listeners.start()
	b.listeners.running.Go(b.watch)
	return nil
}

// version returns what $SYS says that the broker is.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "Ambit"
	}
	return "Ambit " + info.Main.Version
}

// MQTTAddr returns the address of the MQTT listener.
func (b *Broker) MQTTAddr() string { return b.Addr("mqtt") }

// HTTPAddr returns the address of the HTTP listener.
func (b *Broker) HTTPAddr() string { return b.Addr("http") }

// Addr returns the address of the listener with this name, or "none".
func (b *Broker) Addr(listener string) string { return b.listeners.address(listener) }

func (b *Broker) webSocketURL() string {
	if addr := b.HTTPAddr(); addr != none {
		return "ws://" + addr + "/mqtt"
	}
	return none
}

// Limits returns how often each limit was reached.
func (b *Broker) Limits() *limits.Counts { return b.listeners.crowd.counts }

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
// that it shuts down (0x8B) or where to go instead (0x9C), commits what was read, and closes the store. It
// gives up waiting for clients when ctx is done, but not the store.
func (b *Broker) Close(ctx context.Context) error {
	b.closing.Do(func() { b.closed = b.close(ctx) })
	return b.closed
}

func (b *Broker) close(ctx context.Context) error {
	b.listeners.close()
	b.control.close()
	b.profiler.close()
	err := wait(ctx, func() {
		b.engine.Drain(farewell(*b.listeners.now.Load()))
		b.listeners.running.Wait()
		b.engine.Close()
	})
	if err != nil {
		err = fmt.Errorf("broker: clients are still connected: %w", err)
	}
	err = errors.Join(err, b.store.Close())
	<-b.applied
	if b.tracer != nil {
		if err := b.tracer.Close(ctx); err != nil {
			b.log.Warn("the last spans cannot be sent to the collector", "error", err)
		}
	}
	return err
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
