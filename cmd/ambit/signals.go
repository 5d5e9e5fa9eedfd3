package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// sameSignal is how close two signals are one: timeout(1), and whoever signals
// a process and then its group, send each twice.
const sameSignal = 300 * time.Millisecond

// untilSignal returns a context that ends with the first SIGINT or SIGTERM. A
// second one then ends the process, as if nobody had asked.
func untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, func() { time.AfterFunc(sameSignal, stop) })
	return ctx, stop
}
