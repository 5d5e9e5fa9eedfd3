package integration

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func TestSIGTERMDrains(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			b := startBroker(t, brokerOptions{})
			v5, v3 := connect(t, b, connectOptions{v5: true}), connect(t, b, connectOptions{})
			v5.put(t, "fleet/trucks/1", `{}`)
			if err := b.cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			if code := v5.awaitEnd(t); code != 0x8b {
				t.Errorf("MQTT 5 was told %#x, want 0x8b: server shutting down", code)
			}
			v3.awaitEnd(t)
			if err := b.ended(); err != nil {
				t.Error(err)
			}
		})
	}
}

// Whatever was published before SIGTERM is acknowledged and stored, or neither.
func TestSIGTERMFinishesAcknowledgedWork(t *testing.T) {
	b := startBroker(t, brokerOptions{})
	w := connect(t, b, connectOptions{})
	const published = 2000
	var sending sync.WaitGroup
	defer sending.Wait()
	sending.Go(func() {
		for id := range uint16(published) {
			m := message{topic: fmt.Sprintf("fleet/trucks/%04d", id), payload: []byte(`{}`), qos: 1, id: id + 1}
			if _, err := w.Write(publishPacket(m, false)); err != nil {
				return // the broker has closed the connection
			}
		}
	})
	acknowledged := 0
	for {
		p, err := w.read()
		if err != nil {
			break
		}
		if p.kind == typePuback {
			acknowledged++
		}
		if acknowledged == 500 {
			if err := b.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := b.ended(); err != nil {
		t.Fatal(err)
	}
	b = b.restart(t)
	if stored := len(snapshot(t, b, "fleet/trucks", "{}")); stored < acknowledged {
		t.Errorf("%d documents were acknowledged, %d are stored", acknowledged, stored)
	}
}

// snapshot returns the documents in scope of a filter, by their ids.
func snapshot(t *testing.T, b *broker, collection, filter string) map[string]string {
	t.Helper()
	w := connect(t, b, connectOptions{})
	defer w.Close()
	prefix := "$scope/" + collection + "/?" + filter + "/"
	if code := w.subscribe(t, prefix+"+").codes[0]; code > 2 {
		t.Fatalf("SUBACK %#x", code)
	}
	documents := map[string]string{}
	for {
		m := w.message(t)
		id := strings.TrimPrefix(m.topic, prefix)
		if id == "$synced" {
			return documents
		}
		documents[id] = string(m.payload)
	}
}

// A broker that cannot start says why in one line, and exits with 1.
func TestWhatKeepsABrokerFromStarting(t *testing.T) {
	running := startBroker(t, brokerOptions{})
	newer := filepath.Join(t.TempDir(), "newer")
	makeNewer(t, newer)
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"the MQTT port is in use", []string{"--mqtt", running.mqtt}, running.mqtt},
		{"the HTTP port is in use", []string{"--http", running.http}, running.http},
		{"another process holds the directory", []string{"--data", running.dir}, running.dir},
		{"the directory is from a newer version", []string{"--data", newer}, newer},
		{"a bad value", []string{"--mqtt", "nowhere"}, `mqtt: "nowhere" is not allowed`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string{"serve", "--mqtt", "127.0.0.1:0", "--http", "127.0.0.1:0",
				"--data", filepath.Join(t.TempDir(), "store")}, tt.args...)
			_, stderr, err := ambit(args...)
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 1 {
				t.Errorf("ended with %v, want exit status 1", err)
			}
			if strings.Count(strings.TrimSpace(stderr), "\n") != 0 || !strings.Contains(stderr, tt.want) {
				t.Errorf("said %q, want one line about %s", stderr, tt.want)
			}
		})
	}
}

func makeNewer(t *testing.T, dir string) {
	t.Helper()
	b := startBroker(t, brokerOptions{dir: dir})
	if err := b.stop(); err != nil {
		t.Fatal(err)
	}
	marker := filepath.Join(dir, "AMBIT")
	if err := os.WriteFile(marker, []byte("ambit store, format 99\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAnUnknownSettingIsNamed(t *testing.T) {
	name := filepath.Join(t.TempDir(), "ambit.yaml")
	if err := os.WriteFile(name, []byte("limits: {packet_size: 3}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, stderr, err := ambit("serve", "--config", name)
	if err == nil || !strings.Contains(stderr, "packet_size") {
		t.Errorf("ended with %v and said %q", err, stderr)
	}
}
