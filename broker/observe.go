package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/ambitmq/ambit/tracing"
)

// Observe says what is told of the broker besides /metrics, which is always there.
type Observe struct {
	// SysInterval is how often the topics below $SYS/broker are published. With 0 there
	// are none.
	SysInterval time.Duration `mapstructure:"sys_interval"`
	// Pprof is the address at which profiles of the process are served to whoever asks:
	// "127.0.0.1:6060", with pages at /debug/pprof/. Empty, the default, is nowhere. A profile
	// may show what clients send.
	Pprof string `mapstructure:"pprof"`
	// PprofRemote lets Pprof be an address that other machines reach.
	PprofRemote bool `mapstructure:"pprof_remote"`
	// TracesURL is a collector of OpenTelemetry that takes traces by OTLP over HTTP:
	// "http://127.0.0.1:4318/v1/traces". It is told what becomes of publishes. Empty, the
	// default, is none. Headers, as for signing in there, are in the variable
	// OTEL_EXPORTER_OTLP_HEADERS.
	TracesURL string `mapstructure:"traces_url"`
	// TracesEvery is of how many publishes one is followed, unless its client says by the user
	// property traceparent whether it is.
	TracesEvery int `mapstructure:"traces_every"`
}

func defaultObserve() Observe { return Observe{SysInterval: 10 * time.Second, TracesEvery: 100} }

func (o Observe) check(k *check) {
	if o.SysInterval != 0 {
		k.duration("sys_interval", o.SysInterval, time.Second, time.Hour)
	}
	k.number("traces_every", int64(o.TracesEvery), 1, 1_000_000_000)
	if u, err := url.Parse(o.TracesURL); o.TracesURL != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		k.bad("traces_url", quoted(o.TracesURL), `a URL such as "http://127.0.0.1:4318/v1/traces"`)
	}
	if o.Pprof == "" {
		return
	}
	host, _, err := net.SplitHostPort(o.Pprof)
	if err != nil {
		k.bad("pprof", quoted(o.Pprof), `an address such as "127.0.0.1:6060"`)
		return
	}
	if addr, err := netip.ParseAddr(host); (err != nil || !addr.IsLoopback()) && !o.PprofRemote {
		k.bad("pprof", quoted(o.Pprof), "an address of this machine alone, such as 127.0.0.1:6060, unless pprof_remote is true")
	}
}

// openTracer returns what tells a collector of publishes, or nil if there is none.
func openTracer(ctx context.Context, o Observe, node string, log *slog.Logger) (*tracing.Tracer, error) {
	if o.TracesURL == "" {
		return nil, nil
	}
	return tracing.Open(ctx, tracing.Options{URL: o.TracesURL, Every: o.TracesEvery, Version: version(), Node: node, Log: log})
}

// A profiler serves profiles.
type profiler struct {
	server  *http.Server
	address string
	running sync.WaitGroup
}

// openProfiler serves profiles at an address, or returns nil if it is "".
func openProfiler(ctx context.Context, address string, log *slog.Logger) (*profiler, error) {
	if address == "" {
		return nil, nil
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("observe.pprof: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	p := &profiler{address: ln.Addr().String(), server: &http.Server{
		Handler: mux, ReadHeaderTimeout: maxHeaderTime, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}}
	p.running.Go(func() {
		if err := p.server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			log.Error("profiles are not served any more", "error", err)
		}
	})
	log.Warn("profiles are served, to whoever reaches the address", "pprof", "http://"+p.address+"/debug/pprof/")
	return p, nil
}

// maxHeaderTime is how long the header of a request for a profile may take.
const maxHeaderTime = 5 * time.Second

func (p *profiler) close() {
	if p == nil {
		return
	}
	_ = p.server.Close() // whoever asks is cut off
	p.running.Wait()
}
