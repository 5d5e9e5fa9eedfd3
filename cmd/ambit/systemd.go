package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/ambitmq/ambit/broker"
)

// notifySystemd tells systemd that the broker is ready, and from then on, if the
// unit has a watchdog, that writes still go through, until ctx is done. Without
// systemd it does nothing.
func notifySystemd(ctx context.Context, b *broker.Broker, log *slog.Logger) {
	tellSystemd(log, daemon.SdNotifyReady)
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.Error("watchdog of systemd", "error", err)
	}
	if every == 0 {
		return
	}
	go func() {
		tick := time.NewTicker(every / 3)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			alive, cancel := context.WithTimeout(ctx, every)
			err := b.Alive(alive)
			cancel()
			if err == nil {
				tellSystemd(log, daemon.SdNotifyWatchdog)
			} else if ctx.Err() == nil {
				log.Error("writes do not go through", "error", err)
			}
		}
	}()
}

// tellSystemd tells systemd a state, if it listens.
func tellSystemd(log *slog.Logger, state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		log.Error("systemd cannot be told", "state", state, "error", err)
	}
}
