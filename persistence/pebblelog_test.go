package persistence

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

func TestTroublesAreLoggedOnceASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := &pebbleLog{log: slog.New(slog.NewTextHandler(&out, nil))}
		events := log.events()
		for i := range 1000 {
			events.BackgroundError(fmt.Errorf("no space, %d", i))
		}
		time.Sleep(time.Second)
		events.WriteStallBegin(pebble.WriteStallBeginInfo{Reason: "memtable count"})
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != 2 || !strings.Contains(lines[0], `level=WARN msg="pebble: background error" error="no space, 0"`) ||
			!strings.Contains(lines[1], `level=WARN msg="pebble: writes stall" reason="memtable count" withheld=999`) {
			t.Errorf("got:\n%s", &out)
		}
	})
}

func TestWhatPebbleDoesIsLoggedAtDebugLevel(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		level slog.Level
		want  bool
	}{{slog.LevelDebug, true}, {slog.LevelInfo, false}} {
		var out bytes.Buffer
		log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: tt.level}))
		_, stop := open(t, "data", Options{FS: vfs.NewMem(), Log: log})
		stop()
		if got := strings.Contains(out.String(), "level=DEBUG msg=\"pebble: "); got != tt.want {
			t.Errorf("at %v: Pebble is in the log: %v, want %v", tt.level, got, tt.want)
		}
	}
}

// What a store cannot get past while it opens must not look like a start that
// takes its time.
func TestADiskThatFailsWhileAStoreOpensEndsTheProcess(t *testing.T) {
	t.Parallel()
	cmd := child(t, "TestChildThatCannotRecover", childCannotRecover+"=1")
	out, err := cmd.Output()
	exit := (*exec.ExitError)(nil)
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(out), "pebble: open: ") {
		t.Errorf("got %v, want exit status 1 and a reason; output:\n%s", err, out)
	}
}

// TestChildThatCannotRecover opens a store with a log to recover on a disk that
// takes no tables.
func TestChildThatCannotRecover(t *testing.T) {
	if os.Getenv(childCannotRecover) == "" {
		t.Skip("runs as a child only")
	}
	fs := storeWithFiles(t)
	full := errorfs.Wrap(fs, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpCreate && strings.HasSuffix(op.Path, ".sst") {
			return errorfs.ErrInjected
		}
		return nil
	}))
	s, err := Open("data", Options{FS: full, Log: slog.New(slog.NewTextHandler(os.Stdout, nil))})
	t.Fatalf("got %v, %v", s, err)
}
