package console

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestPages runs the scripts of web/console/test in Chromium, each against a broker of its
// own. With SCREENSHOTS pictures are left there.
func TestPages(t *testing.T) {
	needPackages(t)
	chromium := need(t, "chromium")
	need(t, "mosquitto_sub") // which the map says how to call
	shots := os.Getenv("SCREENSHOTS")
	if shots == "" {
		shots = t.TempDir()
	}
	for _, tt := range []struct {
		script, settings string
		steps            []string
	}{
		{"shell", "", []string{"opens", "goes from screen to screen", "has keys", "is light and dark", "fits a phone", "says what a name is missing in"}},
		{"door", "anonymous: none", []string{"asks to sign in", "refuses", "lets in", "stays signed in", "signs out", "takes a key", "refuses a key", "ends with the key"}},
		{"expiry", "anonymous: none\ntokens: {ttl: 12s, max_ttl: 12s}\naccess: policy.yaml", []string{"asks for what it may not list", "shows what the rules allow", "says that it has expired"}},
		{"rights", "anonymous: none\naccess: partial.yaml", []string{"says what who may nothing may not", "shows a reader one collection", "says what a reader may not"}},
		{"map", "", []string{"says what to do first", "shows documents", "draws a circle", "tells who enters and leaves", "draws boxes and polygons", "is the same in two tabs", "shows rooms that have no name", "shows a document", "filters", "heals", "fits a phone"}},
		{"notifications", "", []string{"says what to do first", "tells of rooms and topics", "says what is wrong", "explains", "pauses", "searches", "is bounded", "heals, and goes on behind other screens"}},
		{"documents", "", []string{"says what to do first", "browses", "finds, or says what is wrong", "is live", "has a history", "is edited, against others too", "makes and deletes", "fits a phone"}},
		{"rooms", "", []string{"says what to do first", "shows members, scope and rate", "gives a name, or says where it is wrong", "tells of members and events", "changes and deletes a name", "fits a phone"}},
		{"clients", "", []string{"tells who is online to who may not see more", "says what to do first", "lists sessions, with their queues and faults", "shows one, and disconnects it", "bans, and lets in again", "fits a phone"}},
		{"metrics", "", []string{"tells of connections", "tells what clients do", "draws, and goes on behind other screens", "fits a phone", "says who may see it"}},
	} {
		t.Run(tt.script, func(t *testing.T) {
			t.Parallel()
			b := startBroker(t, tt.settings)
			done := runScript(t, b, "test/run.js", tt.script, b.http, b.mqtt, chromium, filepath.Clean(shots))
			if !slices.Equal(done, tt.steps) {
				t.Errorf("it has done %q, want %q", done, tt.steps)
			}
		})
	}
}

// TestTheMapReadsTheStream runs test/reader.js, which needs no browser.
func TestTheMapReadsTheStream(t *testing.T) {
	needPackages(t)
	done := runScript(t, nil, "test/reader.js")
	want := []string{"takes messages out of the stream", "reads positions as JSON.parse does", "keeps where documents are"}
	if !slices.Equal(done, want) {
		t.Errorf("it has done %q, want %q", done, want)
	}
}

// runScript runs a script of the console, and returns the steps that it has done: the
// lines that it prints. Those that begin with ! are for the broker, and answered by a line.
func runScript(t testing.TB, b *broker, args ...string) (done []string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", args...)
	cmd.Dir = console
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
		command, isCommand := strings.CutPrefix(lines.Text(), "!")
		if !isCommand {
			done = append(done, lines.Text())
			continue
		}
		if _, err := io.WriteString(stdin, b.obey(t, command)+"\n"); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after %q: %v\n%s", done, err, errs.String())
	}
	return done
}

// obey does what a script asks of the broker, and returns what it is told.
func (b *broker) obey(t testing.TB, command string) string {
	t.Helper()
	switch name, rest, _ := strings.Cut(command, " "); name {
	case "kill":
		b.kill()
	case "start":
		b.start(t)
	case "ambit": // a command of the command line, about this broker
		args := append(strings.Fields(rest), "--data", filepath.Join(b.dir, "data"))
		out, err := exec.CommandContext(t.Context(), program, args...).Output()
		if err != nil {
			t.Fatalf("ambit %s: %v", rest, err)
		}
		return strings.TrimSpace(string(out))
	default:
		t.Fatalf("the script says %q", command)
	}
	return "done"
}

// writerFunc is a writer of lines.
type writerFunc func(string)

func (w writerFunc) Write(p []byte) (int, error) {
	w(strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}
