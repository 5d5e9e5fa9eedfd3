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
	cmd := exec.CommandContext(t.Context(), "node", "test/pages.js", chromium, "ws://"+b.http.address()+"/mqtt", filepath.Join(dir, "dashboard.png"))
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
	var done []string
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
	if got := strings.Join(done, ", "); got != "dashboard ok, react ok, vue ok" {
		t.Errorf("it has done %q", got)
	}
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
	if strings.Count(out, "compressed") != 4 {
		t.Errorf("the build does not say how large the bundles are:\n%s", out)
	}
}
