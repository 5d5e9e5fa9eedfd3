package integration

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A broker is one process of ambit serve.
type broker struct {
	mqtt, http string // addresses
	dir        string // of the store
	cmd        *exec.Cmd
	log        *transcript
	exited     chan struct{} // closed when the process has ended
}

// brokerOptions say how a broker is started; the zero value is good.
type brokerOptions struct {
	// dir is the directory of the store; a new one by default.
	dir string
	// config is the text of ambit.yaml, configFile the name of a file with it.
	config, configFile string
	// mqtt is the address for MQTT; any free port by default.
	mqtt string
	// files is how many files the process may have open; 0 is no limit.
	files int
}

// startBroker runs ambit serve on free ports until the test ends.
func startBroker(t testing.TB, o brokerOptions) *broker {
	t.Helper()
	if o.dir == "" {
		o.dir = filepath.Join(t.TempDir(), "store")
	}
	b, err := launch(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		b.kill()
		if t.Failed() {
			t.Logf("log of the broker:\n%s", b.log)
		}
	})
	return b
}

// launch starts ambit serve and waits until it says on which ports it listens.
func launch(o brokerOptions) (*broker, error) {
	noteSources()
	args, err := serveArgs(o)
	if err != nil {
		return nil, err
	}
	b := &broker{dir: o.dir, log: newTranscript(), exited: make(chan struct{})}
	b.cmd = exec.Command(filepath.Join(programs, "ambit"), args...)
	if o.files > 0 {
		limited := fmt.Sprintf(`ulimit -n %d && exec "$0" "$@"`, o.files)
		b.cmd = exec.Command("bash", append([]string{"-c", limited, b.cmd.Path}, args...)...)
	}
	out := &lineWriter{add: b.log.add}
	b.cmd.Stdout, b.cmd.Stderr = out, out
	if err := b.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(b.exited)
		_ = b.cmd.Wait() // the state says how it ended
	}()
	if err := b.awaitAddresses(); err != nil {
		b.kill()
		return nil, fmt.Errorf("%w\n%s", err, b.log)
	}
	return b, nil
}

// noteSources looks at what the programs are made from. Otherwise go test, which
// does not know that TestMain builds them, would answer from its cache when only
// the broker has changed.
func noteSources() {
	for _, pattern := range []string{"../../go.mod", "../../*/*.go", "../../cmd/ambit/*.go", "node/*.js", "session/*"} {
		_, _ = filepath.Glob(pattern) // fails only for a bad pattern
	}
}

func serveArgs(o brokerOptions) ([]string, error) {
	args := []string{"serve", "--mqtt", cmp.Or(o.mqtt, "127.0.0.1:0"), "--http", "127.0.0.1:0", "--data", o.dir}
	if o.config != "" {
		o.configFile = o.dir + ".yaml"
		if err := os.WriteFile(o.configFile, []byte(o.config), 0o600); err != nil {
			return nil, err
		}
	}
	if o.configFile != "" {
		args = append(args, "--config", o.configFile)
	}
	return args, nil
}

func (b *broker) awaitAddresses() error {
	timeout := time.After(patience)
	for i := 0; ; i++ {
		line, ok := b.log.line(i, b.exited, timeout)
		if !ok {
			return errors.New("the broker did not say where it listens")
		}
		var says struct{ MQTT, WebSocket string }
		if json.Unmarshal([]byte(line), &says) != nil || says.MQTT == "" || says.WebSocket == "" {
			continue
		}
		websocket, err := url.Parse(says.WebSocket)
		b.mqtt, b.http = says.MQTT, websocket.Host
		return err
	}
}

// stop sends SIGTERM and returns how the process ended.
func (b *broker) stop() error {
	if err := b.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return b.ended()
}

// ended waits for the end of a process that was told to drain.
func (b *broker) ended() error {
	select {
	case <-b.exited:
	case <-time.After(10 * time.Second):
		return errors.New("the broker has not ended 10 s after SIGTERM")
	}
	if code := b.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("the broker ended with %v", b.cmd.ProcessState)
	}
	return nil
}

// kill ends the process at once, as a power cut would for it.
func (b *broker) kill() {
	_ = b.cmd.Process.Kill() // it may have ended by itself
	<-b.exited
}

// restart starts a broker on the store of this one, which has ended.
func (b *broker) restart(t testing.TB) *broker {
	t.Helper()
	return startBroker(t, brokerOptions{dir: b.dir})
}

// ambit runs the command to its end and returns what it printed.
func ambit(args ...string) (stdout, stderr string, err error) {
	var out, errs bytes.Buffer
	cmd := exec.Command(filepath.Join(programs, "ambit"), args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}
