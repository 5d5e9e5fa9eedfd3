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
	"sync"
	"time"
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
}

func defaultObserve() Observe { return Observe{SysInterval: 10 * time.Second} }

func (o Observe) check(k *check) {
	if o.SysInterval != 0 {
		k.duration("sys_interval", o.SysInterval, time.Second, time.Hour)
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
