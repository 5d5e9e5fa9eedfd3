package persistence

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// Some promises are about the process. The tests below start this binary again
// with one of these variables set, to run one of the tests as a child.
const (
	childFailsSync     = "AMBIT_TEST_CHILD_FAILS_SYNC" // number of the sync that fails
	childHoldsLock     = "AMBIT_TEST_CHILD_HOLDS_LOCK"
	childDirectory     = "AMBIT_TEST_CHILD_DIRECTORY"
	childCannotRecover = "AMBIT_TEST_CHILD_CANNOT_RECOVER"
)

// child prepares a run of one test of this binary.
func child(t *testing.T, test string, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+test+"$")
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	return cmd
}

func TestAFailedSyncEndsTheProcessBeforeAnythingIsAcknowledged(t *testing.T) {
	t.Parallel()
	for _, sync := range []string{"1", "2", "7", "40"} {
		t.Run("sync "+sync, func(t *testing.T) {
			dir := t.TempDir()
			out, err := child(t, "TestChildWhoseSyncFails", childFailsSync+"="+sync, childDirectory+"="+dir).Output()
			exit := (*exec.ExitError)(nil)
			if !errors.As(err, &exit) || exit.ExitCode() != 1 {
				t.Fatalf("got %v, want exit status 1; output:\n%s", err, out)
			}
			before, after, found := strings.Cut(string(out), "failing\n")
			if !found {
				t.Fatalf("the sync did not fail; output:\n%s", out)
			}
			if after != "" {
				t.Errorf("after the failure: %s", after)
			}
			s := openTest(t, dir, Options{})
			for id := range strings.FieldsSeq(before) {
				if _, err := s.Get(Key{"fleet", "trucks", id}); err != nil {
					t.Errorf("acknowledged document %s: %v", id, err)
				}
			}
		})
	}
}

// TestChildWhoseSyncFails prints the id of every document whose write was
// acknowledged, and "failing" when it makes a sync of the log fail.
func TestChildWhoseSyncFails(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv(childFailsSync))
	if err != nil {
		t.Skip("runs as a child only")
	}
	var opened atomic.Bool
	var syncs atomic.Int64
	fs := errorfs.Wrap(vfs.Default, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if !opened.Load() || !isSync(op.Kind) || !strings.HasSuffix(op.Path, ".log") {
			return nil
		}
		switch at := syncs.Add(1); {
		case at < int64(n):
			return nil
		case at == int64(n):
			fmt.Println("failing")
		}
		return errorfs.ErrInjected
	}))
	s := openTest(t, os.Getenv(childDirectory), Options{FS: fs})
	opened.Store(true)
	for i := 0; ; i++ {
		id := strconv.Itoa(i)
		put(t, s, id, "{}")
		fmt.Println(id)
	}
}

func isSync(k errorfs.OpKind) bool {
	return k == errorfs.OpFileSync || k == errorfs.OpFileSyncData || k == errorfs.OpFileSyncTo
}

func TestADirectoryOfAnotherProcessIsLocked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := child(t, "TestChildThatHoldsTheLock", childHoldsLock+"=1", childDirectory+"="+dir)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "open\n" {
		t.Fatalf("child: %q, %v", line, err)
	}
	_, err = Open(dir, Options{})
	if want := "persistence: " + dir + ": the directory is in use by another process"; !errors.Is(err, ErrLocked) || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := errors.Join(in.Close(), cmd.Wait()); err != nil {
		t.Fatal(err)
	}
	openTest(t, dir, Options{})
}

// TestChildThatHoldsTheLock says "open" and holds the store until its standard
// input ends.
func TestChildThatHoldsTheLock(t *testing.T) {
	if os.Getenv(childHoldsLock) == "" {
		t.Skip("runs as a child only")
	}
	openTest(t, os.Getenv(childDirectory), Options{})
	fmt.Println("open")
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		t.Fatal(err)
	}
}
