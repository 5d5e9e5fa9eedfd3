package sdk

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestPages shows the example, and components of React and Vue, in Chromium. With
// SCREENSHOTS a picture of the example is left there.
func TestPages(t *testing.T) {
	build(t)
	chromium := need(t, "chromium")
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		dir = t.TempDir()
	}
	b := startBroker(t, `origins: ["127.0.0.1:*"]`)
	done := runScript(t, b, "test/pages.js", chromium, "ws://"+b.http.address()+"/mqtt", filepath.Join(dir, "dashboard.png"))
	if got := strings.Join(done, ", "); got != "dashboard ok, react ok, vue ok" {
		t.Errorf("it has done %q", got)
	}
}

// TestTheReadmeOfTheClient runs the examples in it.
func TestTheReadmeOfTheClient(t *testing.T) {
	build(t)
	b := startBroker(t, "")
	if done := runScript(t, b, "test/readme.js", "ws://"+b.http.address()+"/mqtt"); len(done) != 3 {
		t.Errorf("it has run %q", done)
	}
}

// runScript runs a script that says "cut" when the broker is to be killed and started
// again, and returns the other lines that it prints.
func runScript(t *testing.T, b *broker, args ...string) (done []string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", args...)
	cmd.Dir = js
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // to end it with all that it has started
	cmd.WaitDelay = patience
	var errs lockedBuffer
	cmd.Stderr = writerFunc(errs.write)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(4*patience, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }) // Wait says so
	defer timer.Stop()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if lines.Text() != "cut" {
			done = append(done, lines.Text())
			continue
		}
		b.kill()
		b.start(t)
		if _, err := io.WriteString(stdin, "mended\n"); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after %q: %v\n%s", done, err, errs.String())
	}
	return done
}

// writerFunc is a writer of lines.
type writerFunc func(string)

func (w writerFunc) Write(p []byte) (int, error) {
	w(strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}

func TestTheClientIsSmall(t *testing.T) {
	out := build(t)
	for line := range strings.Lines(out) {
		if strings.Contains(line, "compressed") {
			t.Log(strings.TrimSpace(line))
		}
	}
	if strings.Count(out, "compressed") != 5 {
		t.Errorf("the build does not say how large the bundles are:\n%s", out)
	}
}
