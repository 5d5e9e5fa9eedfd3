package persistence

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// openPatience is for how long the disk may fail while a store is being opened.
const openPatience = 5 * time.Second

// A pebbleLog passes what Pebble says on to a slog.Logger.
type pebbleLog struct {
	log *slog.Logger

	mu       sync.Mutex // guards the fields below
	warned   time.Time
	withheld int
	opened   bool
	failing  time.Time // since when, before it was opened
}

var _ pebble.Logger = (*pebbleLog)(nil)

func (l *pebbleLog) Infof(format string, args ...any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug("pebble: " + fmt.Sprintf(format, args...))
	}
}

func (l *pebbleLog) Errorf(format string, args ...any) {
	l.log.Warn("pebble: " + fmt.Sprintf(format, args...))
}

// Fatalf ends the process. Pebble calls it when a write or sync of its log
// failed: what was appended may or may not be on disk, so nobody may be told
// anything more about it, and only recovery at the next start can tell.
func (l *pebbleLog) Fatalf(format string, args ...any) {
	l.log.Error("pebble: " + fmt.Sprintf(format, args...))
	os.Exit(1)
}

// events are those that an operator should hear of. The rest would fill logs:
// Pebble tells of every flush.
func (l *pebbleLog) events() *pebble.EventListener {
	return &pebble.EventListener{
		BackgroundError: func(err error) {
			l.warn("background error", "error", err)
			l.giveUp(err)
		},
		WriteStallBegin: func(i pebble.WriteStallBeginInfo) { l.warn("writes stall", "reason", i.Reason) },
		// Not fatal as in Pebble: what is still readable is served.
		DataCorruption: func(i pebble.DataCorruptionInfo) { l.warn("data corruption", "info", i.String()) },
	}
}

// warn logs at most once a second: on a full disk Pebble retries without pause.
func (l *pebbleLog) warn(msg string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if now.Sub(l.warned) < time.Second {
		l.withheld++
		return
	}
	if l.withheld > 0 {
		args = append(args, "withheld", l.withheld)
	}
	l.warned, l.withheld = now, 0
	l.log.Warn("pebble: "+msg, args...)
}

// giveUp ends the process when the disk goes on to fail before the store is open.
// Pebble would try for ever to write what it has recovered from its log.
func (l *pebbleLog) giveUp(err error) {
	l.mu.Lock()
	now := time.Now()
	if l.failing.IsZero() {
		l.failing = now
	}
	over := !l.opened && now.Sub(l.failing) > openPatience
	l.mu.Unlock()
	if over {
		l.Fatalf("open: %v", err)
	}
}

// open says that the store is.
func (l *pebbleLog) open() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.opened = true
}
