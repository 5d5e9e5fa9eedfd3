package integration

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// patience is how long a test waits for what must happen. Whoever waits, waits
// for an event; this is only the time after which a test gives up.
const patience = 20 * time.Second

// programs is where TestMain has put the binaries: ambit and bruteforce.
var programs string

func TestMain(m *testing.M) {
	flag.Parse()
	// A race in the broker ends it, and so fails the test; no race does not make
	// it wait for the reports of others.
	_ = os.Setenv("GORACE", "halt_on_error=1 atexit_sleep_ms=0") // fails only for a bad name
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if os.Getenv(nullServer) != "" {
		return 0, serveNobody()
	}
	if order := os.Getenv(attackOrder); order != "" {
		return 0, attackAsTold(order)
	}
	if programs, err = os.MkdirTemp("", "ambit-integration-"); err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(programs) }() // the system clears its temporary files, too
	if err := build("ambit", "../../cmd/ambit"); err != nil {
		return 1, err
	}
	if err := build("bruteforce", "./bruteforce"); err != nil {
		return 1, err
	}
	if code = m.Run(); code != 0 {
		return code, nil
	}
	return 0, leaked()
}

func build(name, dir string) error {
	args := []string{"build", "-o", filepath.Join(programs, name)}
	if raceDetector {
		args = append(args, "-race")
	}
	out, err := exec.Command("go", append(args, dir)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("building %s: %w\n%s", name, err, out)
	}
	return nil
}

// leaked waits for the goroutines of the tests to end, and reports those that
// do not. Closed connections take a moment to end theirs.
func leaked() error {
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > 1; <-again.C {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			return fmt.Errorf("goroutines outlive the tests:\n%s", stacks[:runtime.Stack(stacks, true)])
		}
	}
	return nil
}

// need skips a test for a program that is not there. In CI it fails instead:
// there, make test has installed everything.
func need(t testing.TB, program string) {
	t.Helper()
	_, err := exec.LookPath(program)
	if err == nil {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is missing; in CI it must be there: %v", program, err)
	}
	t.Skipf("%s is not installed: %v", program, err)
}

// needFile skips a test for a file that is not there.
func needFile(t testing.TB, name string) {
	t.Helper()
	if _, err := os.Stat(name); errors.Is(err, os.ErrNotExist) {
		t.Skipf("%s is not there", name)
	}
}
