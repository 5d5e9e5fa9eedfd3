package persistence

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// The tests of faults start this binary again with these variables set.
const (
	childFault     = "AMBIT_TEST_CHILD_FAULT"      // number of the operation that fails; 0 for none
	childFaultEver = "AMBIT_TEST_CHILD_FAULT_EVER" // the later ones fail, too
)

// Whatever operation on files fails, once or from then on: what was acknowledged
// before or after is there when the store is opened on a disk that works, and
// nobody waits for ever.
func TestAnErrorOfAnyFileOperationLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	memory := memoryDirectory(t)
	operations := faultedRun(t, memory, 0, false).operations
	if operations < 100 {
		t.Fatalf("the workload has no more than %d operations", operations)
	}
	every := 1
	if testing.Short() {
		every = 29
	}
	var failed, ended, refused atomic.Int64
	numbers := make(chan int)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for n := range numbers {
				for _, ever := range []bool{false, true} {
					r := faultedRun(t, memory, n, ever)
					failed.Add(count(r.failed))
					ended.Add(count(!r.closed))
					refused.Add(count(r.acked == 0))
				}
			}
		})
	}
	for n := 1; n <= operations; n += every {
		numbers <- n
	}
	close(numbers)
	wait.Wait()
	t.Logf("%d operations: %d faults, %d of which ended the process, %d before anything was acknowledged",
		operations, failed.Load(), ended.Load(), refused.Load())
	if ended.Load() == 0 || ended.Load() == failed.Load() {
		t.Error("either all faults ended the process or none did")
	}
}

func count(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

// A faulted is what a child printed.
type faulted struct {
	operations, acked int
	failed            bool // the operation with that number came
	closed            bool // the store was closed without an error
}

// memoryDirectory returns a directory in memory, if there is one: what a process
// has written outlives it there, too, and syncs cost nothing.
func memoryDirectory(t *testing.T) string {
	t.Helper()
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return t.TempDir()
}

// faultedRun runs a child with one fault, and checks what it leaves.
func faultedRun(t *testing.T, memory string, n int, ever bool) (r faulted) {
	t.Helper()
	name := fmt.Sprintf("operation %d, ever %v", n, ever)
	dir := filepath.Join(memory, fmt.Sprintf("ambit-fault-%d-%d-%v", os.Getpid(), n, ever))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Error(err)
		return r
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestChildWithAFault$")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGQUIT) } // it says where it hangs
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.Env = append(os.Environ(), childFault+"="+strconv.Itoa(n), childDirectory+"="+dir)
	if ever {
		cmd.Env = append(cmd.Env, childFaultEver+"=1")
	}
	out, err := cmd.Output()
	if ctx.Err() != nil {
		t.Errorf("%s: the child hangs; it printed:\n%s\n%s", name, out, &stderr)
		return r
	}
	acked := map[string]bool{}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case "acknowledged":
			acked[rest] = true
		case "failing":
			r.failed = true
		case "closed":
			r.closed = true
			r.operations, _ = strconv.Atoi(rest) // 0 fails the caller
		}
	}
	r.acked = len(acked)
	if r.closed != (err == nil) {
		t.Errorf("%s: closed is %v, and it ended with %v", name, r.closed, err)
	}
	checkFaulted(t, name, dir, acked)
	return r
}

// checkFaulted opens what a child left.
func checkFaulted(t *testing.T, name, dir string, acked map[string]bool) {
	t.Helper()
	s, err := Open(filepath.Join(dir, "data"), Options{})
	if err != nil {
		t.Errorf("%s: it does not open any more: %v", name, err)
		return
	}
	drained := drain(s)
	log, err := consistent(s)
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	for _, c := range log {
		if c.After != nil {
			delete(acked, string(c.After.Body))
		}
	}
	if len(acked) > 0 {
		t.Errorf("%s: %d acknowledged writes are lost", name, len(acked))
	}
	if err := errors.Join(s.Close(), os.RemoveAll(dir)); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	<-drained
}

// TestChildWithAFault writes to a store, with flushes and compactions between,
// and prints what was acknowledged.
func TestChildWithAFault(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv(childFault))
	if err != nil {
		t.Skip("runs as a child only")
	}
	ever := os.Getenv(childFaultEver) != ""
	var operations atomic.Int64
	failing := make(chan struct{})
	fs := errorfs.Wrap(vfs.Default, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() != errorfs.OpIsWrite {
			return nil
		}
		at := operations.Add(1)
		if at == int64(n) {
			fmt.Println("failing")
			close(failing)
		}
		if at == int64(n) || ever && n > 0 && at > int64(n) {
			return errorfs.ErrInjected
		}
		return nil
	}))
	s, err := Open(filepath.Join(os.Getenv(childDirectory), "data"), Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	drained := drain(s)
	for round := range 4 {
		for i := range 8 {
			body := fmt.Sprintf(`{"n":"%d-%d","pad":"%0200d"}`, round, i, 0)
			put(t, s, strconv.Itoa(i), body)
			fmt.Println("acknowledged", body)
		}
		do(t, s, &Op{Records: []Record{PutSession(Session{ClientID: strconv.Itoa(round)})}})
		flushed, err := s.db.AsyncFlush()
		if err != nil {
			t.Fatal(err)
		}
		select {
		case <-flushed:
		case <-failing: // Pebble tries again and again
		}
		if round%2 == 1 && !ever {
			if err := s.db.Compact(t.Context(), []byte{0}, []byte{255}, false); err != nil {
				t.Log(err)
			}
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	<-drained
	fmt.Println("closed", operations.Load())
}
