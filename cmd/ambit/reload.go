package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"

	"github.com/ambitmq/ambit/broker"
)

// reloadOnSignal has a broker read its settings again with each SIGHUP, until it is stopped.
func reloadOnSignal(ctx context.Context, b *broker.Broker, log *slog.Logger) (stop func()) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-hangup:
			}
			tellSystemd(log, daemon.SdNotifyReloading)
			_, _ = b.Reload(ctx) // it has logged what came of it
			tellSystemd(log, daemon.SdNotifyReady)
		}
	})
	return func() {
		signal.Stop(hangup)
		cancel()
		running.Wait()
	}
}

func newConfigReload() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "reload",
		Short: "Have a broker that runs read its settings again",
		Long: `Have a broker that runs read its settings again, as SIGHUP does: its own file, variables
and flags. Those that need no restart count from now on, or for new connections; "ambit config
print" says so of each. If anything in them is wrong, every fault is told, and all stay as they
were.

The broker is asked through its data directory, by whoever may read that.`,
		Example: "  ambit config reload --data /var/lib/ambit",
		Args:    arguments(cobra.NoArgs),
	}
	addStoreFlags(cmd)
	asJSON := cmd.Flags().Bool("json", false, "print a JSON object")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		var done broker.Reloaded
		err := askBroker(cmd, "server", "reload", nil, &done)
		if refused := (*broker.AskError)(nil); errors.As(err, &refused) {
			return fmt.Errorf("the settings are as they were:\n%w", err)
		}
		if err != nil {
			return err
		}
		out := cmd.OutOrStdout()
		if *asJSON {
			return json.NewEncoder(out).Encode(done)
		}
		for _, line := range []struct{ what, none, keys string }{
			{"changed", "nothing", strings.Join(done.Changed, " ")}, {"needs a restart", "", strings.Join(done.Restart, " ")},
		} {
			if line.keys == "" && line.none == "" {
				continue
			}
			if line.keys == "" {
				line.keys = line.none
			}
			if _, err := fmt.Fprintf(out, "%s: %s\n", line.what, line.keys); err != nil {
				return err
			}
		}
		return nil
	}
	return cmd
}
