package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/ambitmq/ambit/broker"
)

// How long a stopping broker may wait for its clients, and how long it may take
// together with finishing acknowledged work.
const (
	clientsTimeout = 8 * time.Second
	drainTimeout   = 10 * time.Second
)

const serveHelp = `Run the broker: MQTT on 127.0.0.1:1883, MQTT-over-WebSocket at /mqtt on
127.0.0.1:8080, data in ./ambit-data.

Every setting can be given in a file (--config, else ./ambit.yaml if there is
one), and as a variable: limits.packet_bytes is AMBIT_LIMITS_PACKET_BYTES. Lists
of settings, such as further listeners, have a place in the file alone. Some
have a flag. A flag is stronger than a variable, and a variable than the file.
Sizes may be written 65536 or 64KiB, durations 1m30s.

SIGHUP, or "ambit config reload", has it read its settings again; "ambit config print" says of
each whether it counts then or needs a restart. If one is wrong, all stay as they were.

SIGINT or SIGTERM stops it: it accepts nothing new, tells its clients, finishes
what it has acknowledged, closes the store, and exits with 0, or with 1 if that
takes more than 10 s. A second signal ends the process at once.`

func newServe() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the broker",
		Long:  serveHelp,
		Example: `  ambit serve
  ambit serve --mqtt 0.0.0.0:1883 --anonymous all --data /var/lib/ambit
  AMBIT_LOG_LEVEL=debug ambit serve --config /etc/ambit.yaml`,
		Args: arguments(cobra.NoArgs),
	}
	def, flags := broker.DefaultConfig(), cmd.Flags()
	flags.String("mqtt", def.MQTT, "`address` of the MQTT listener, or none")
	flags.String("http", def.HTTP, "`address` of the HTTP listener, with WebSockets at /mqtt, or none")
	flags.String("data", def.Data, "`directory` of the store; made if absent")
	flags.String("config", "", "settings `file` in YAML (default: ./ambit.yaml, if there is one)")
	flags.String("anonymous", def.Anonymous, "from where clients may connect without signing in: none, loopback or all")
	flags.String("users", "", "`file` of those who may sign in; see ambit passwd")
	flags.StringSlice("origins", nil, "further `hosts` whose pages may open a WebSocket")
	flags.String("log-level", def.Log.Level, "least level that is logged: debug, info, warn or error")
	flags.String("log-format", def.Log.Format, "text, json, or auto: text on a terminal, JSON elsewhere")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := loadConfig(cmd.Flags())
		if err != nil {
			return err
		}
		log, level := newLogger(cfg.Log, cmd.ErrOrStderr())
		return serve(cmd.Context(), cfg, log, func(b *broker.Broker) {
			b.OnReload(func() (broker.Config, error) { return loadConfig(cmd.Flags()) },
				func(cfg broker.Config) { setLevel(level, cfg.Log) })
		})
	}
	return cmd
}

// serve runs a broker until a signal or its own failure ends it. begun is called when it has
// started.
func serve(ctx context.Context, cfg broker.Config, log *slog.Logger, begun func(*broker.Broker)) error {
	ctx, stop := untilSignal(ctx)
	defer stop()
	b, err := broker.Start(ctx, cfg, log)
	if err != nil {
		return err
	}
	begun(b)
	reloading := reloadOnSignal(ctx, b, log)
	defer reloading()
	notifySystemd(ctx, b, log)
	select {
	case <-b.Done():
		return errors.Join(b.Err(), drain(b))
	case <-ctx.Done():
	}
	tellSystemd(log, daemon.SdNotifyStopping)
	log.Info("stopping")
	if err := drain(b); err != nil {
		return err
	}
	log.Info("stopped")
	return nil
}

// drain closes a broker, whose own context may be over. It returns in time also
// when the broker does not: the process is about to end.
func drain(b *broker.Broker) error {
	ctx, cancel := context.WithTimeout(context.Background(), clientsTimeout)
	defer cancel()
	closed := make(chan error, 1)
	go func() { closed <- b.Close(ctx) }()
	select {
	case err := <-closed:
		return err
	case <-time.After(drainTimeout):
		return fmt.Errorf("stopping took more than %v", drainTimeout)
	}
}

// newLogger writes to w in the form that the settings, which are valid, ask for, and from
// the level on, which may be changed.
func newLogger(cfg broker.Log, w io.Writer) (*slog.Logger, *slog.LevelVar) {
	level := new(slog.LevelVar)
	setLevel(level, cfg)
	opts := &slog.HandlerOptions{Level: level}
	if cfg.Format == "text" || cfg.Format == "auto" && isTerminal(w) {
		return slog.New(slog.NewTextHandler(w, opts)), level
	}
	return slog.New(slog.NewJSONHandler(w, opts)), level
}

func setLevel(level *slog.LevelVar, cfg broker.Log) {
	_ = level.UnmarshalText([]byte(cfg.Level)) // valid, and as it was if not
}

// isTerminal says whether w or r is a terminal.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
