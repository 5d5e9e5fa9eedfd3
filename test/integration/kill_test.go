package integration

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The process is killed at random moments while clients of all kinds write and
// read. After each restart every promise is checked: what was acknowledged is
// there, a scope is the documents, who comes back is told precisely what happened,
// up to repeats with the same seq, and sessions, subscriptions and retained
// messages are there. CRASH_KILLS says how often, CRASH_SEED at which moments.
func TestEveryPromiseSurvivesKill(t *testing.T) {
	t.Parallel()
	kills := setting(t, "CRASH_KILLS", 20)
	if testing.Short() {
		kills = min(kills, 4)
	}
	r := newKillRun(t, uint64(setting(t, "CRASH_SEED", int(time.Now().UnixNano()))))
	t.Logf("CRASH_SEED=%d", r.seed)
	r.start(r.introduce)
	for range kills {
		r.cycleOnce()
		if r.report(); t.Failed() {
			return
		}
	}
	r.last.Store(true)
	r.cycleOnce()
	r.report()
	writes, repeats := 0, 0
	for _, p := range r.publishers() {
		writes += p.acked
	}
	for _, s := range r.rooms {
		repeats += s.repeats
	}
	t.Logf("%d kills, %d writes acknowledged, %d changes, %d notifications told again", kills, writes, r.truth.last(), repeats)
	if writes == 0 {
		t.Error("nothing was acknowledged, so nothing was tested")
	}
}

// setting returns a number of the environment.
func setting(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// start starts the broker, calls use, and kills it.
func (r *killRun) start(use func(*broker) error) {
	r.t.Helper()
	b := startBroker(r.t, brokerOptions{dir: r.dir})
	defer b.kill()
	if err := use(b); err != nil {
		r.t.Fatal(err)
	}
}

// cycleOnce starts the broker, checks everything, and kills it under load.
func (r *killRun) cycleOnce() {
	r.t.Helper()
	r.cycle++
	for r.random.IntN(6) == 0 {
		if err := r.killWhileItStarts(); err != nil {
			r.t.Fatal(err)
		}
	}
	r.start(func(b *broker) error {
		if r.check(b); !r.broken() {
			r.load(b)
		}
		return nil
	})
}

// report makes every fault an error of the test.
func (r *killRun) report() {
	r.t.Helper()
	for _, kind := range slices.Sorted(maps.Keys(r.faults)) {
		for _, f := range r.faults[kind] {
			r.t.Errorf("%s: %s", kind, f)
		}
	}
}

// A broker that loses what it acknowledged is found out, or the test above could
// not fail at all.
func TestABrokerThatForgetsIsFoundOut(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		forget func(t *testing.T, dir, old string)
		kinds  []string
	}{
		{"by an older copy of its directory", func(t *testing.T, dir, old string) {
			t.Helper()
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
			copyDirectory(t, old, dir)
		}, []string{"write", "retained"}},
		{"by the end of its log", cutLog, []string{"write"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newKillRun(t, 1)
			r.start(r.introduce)
			r.cycleOnce()
			old := r.dir + "-old"
			copyDirectory(t, r.dir, old)
			r.cycleOnce()
			for r.acks.Load() < 100 || r.flags.acked < r.flags.from+20 { // after the last check
				r.cycleOnce()
			}
			if r.report(); t.Failed() {
				return
			}
			tt.forget(t, r.dir, old)
			r.start(func(b *broker) error {
				r.check(b)
				return nil
			})
			for _, kind := range tt.kinds {
				if len(r.faults[kind]) == 0 {
					t.Errorf("nobody noticed what is wrong with a %s; found was %v", kind, r.faults)
				}
			}
		})
	}
}

// copyDirectory copies the files of a store, which are in no directories of their
// own, and not its socket.
func copyDirectory(t *testing.T, from, to string) {
	t.Helper()
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		data, err := os.ReadFile(filepath.Join(from, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, e.Name()), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// cutLog cuts off the second half of the newest write-ahead log.
func cutLog(t *testing.T, dir, _ string) {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil || len(logs) == 0 {
		t.Fatalf("no write-ahead log: %v", err)
	}
	slices.Sort(logs)
	for _, name := range slices.Backward(logs) {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() == 0 {
			continue
		}
		if err := os.Truncate(name, info.Size()/2); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatal(fmt.Sprint("all logs are empty: ", strings.Join(logs, " ")))
}
