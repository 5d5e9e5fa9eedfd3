package integration

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What a client of session/ prints. In its first run it connects with a will,
// subscribes with QoS 2, gets what it publishes itself with every QoS, and is
// cut off; in its second run it gets what has waited for its session.
const (
	firstRun = `session present 0
qos 0 to myself 0
qos 1 to myself 1
qos 2 to myself 2
`
	secondRun = `session present 1
qos 1 waits 1
qos 2 waits 2
`
)

// A sessionClient is a program, or as much as one, that keeps a session.
type sessionClient struct {
	name string
	// make prepares it, or skips the test. What it returns does one run and says
	// what was printed; the run is "first" or "again".
	make func(t *testing.T, b *broker) func(run string) (string, error)
}

func sessionClients() []sessionClient {
	return []sessionClient{
		{"libpaho-mqtt, MQTT 3.1.1", compiled("paho", "-lpaho-mqtt3c", "/usr/include/MQTTClient.h", func(b *broker) []string {
			return []string{"tcp://" + b.mqtt}
		})},
		{"libmosquitto, MQTT 5", compiled("mosquitto", "-lmosquitto", "/usr/include/mosquitto.h", func(b *broker) []string {
			host, port, _ := net.SplitHostPort(b.mqtt) // the broker has told it
			return []string{host, port}
		})},
		{"mqtt.js, MQTT 3.1.1", nodeSession("4")},
		{"mqtt.js, MQTT 5", nodeSession("5")},
		{"paho.mqtt.golang, MQTT 3.1.1", func(_ *testing.T, b *broker) func(string) (string, error) {
			return func(run string) (string, error) { return paho3Session(b, run) }
		}},
		{"paho.golang, MQTT 5", func(_ *testing.T, b *broker) func(string) (string, error) {
			return func(run string) (string, error) { return paho5Session(b, run) }
		}},
	}
}

func TestForeignClientsFindTheirSessionAgain(t *testing.T) {
	for _, kind := range sessionClients() {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			b := startBroker(t, brokerOptions{config: "log: {level: debug}"})
			client := kind.make(t, b)
			other := connect(t, b, connectOptions{v5: true})
			other.subscribe(t, "session/will")
			printsIn(t, client, "first", firstRun)
			if m := other.message(t); string(m.payload) != "gone" {
				t.Errorf("the will is %q", m.payload)
			}
			for qos := range byte(3) {
				m := message{topic: "session/in", payload: fmt.Appendf(nil, "waits %d", qos), qos: qos}
				if qos == 0 {
					other.send(t, publishPacket(m, true))
				} else {
					other.publish(t, m)
				}
			}
			printsIn(t, client, "again", secondRun)
			eventually(t, "the broker has noticed both ends", func() bool {
				return strings.Count(b.log.String(), `"msg":"disconnected","client":"session"`) == 2
			})
			connect(t, b, connectOptions{id: "session"}) // waits for all that comes of that
			other.publish(t, message{topic: "session/will", payload: []byte("marker"), qos: 1})
			if m := other.message(t); string(m.payload) != "marker" {
				t.Errorf("%q was published though the client said goodbye", m.payload)
			}
		})
	}
}

func printsIn(t *testing.T, client func(string) (string, error), run, want string) {
	t.Helper()
	if got, err := client(run); err != nil || got != want {
		t.Fatalf("the %s run printed\n%swant\n%s%v", run, got, want, err)
	}
}

// compiled makes a client from session/<name>.c, a library and its header.
func compiled(name, library, header string, args func(*broker) []string) func(*testing.T, *broker) func(string) (string, error) {
	return func(t *testing.T, b *broker) func(string) (string, error) {
		t.Helper()
		need(t, "cc")
		needHeader(t, header)
		program := filepath.Join(t.TempDir(), name)
		cc := exec.Command("cc", "-std=c99", "-D_DEFAULT_SOURCE", "-Wall", "-Wextra", "-Werror",
			"-o", program, filepath.Join("session", name+".c"), library)
		if out, err := cc.CombinedOutput(); err != nil {
			t.Fatalf("cc: %v\n%s", err, out)
		}
		return func(run string) (string, error) {
			out, err := exec.CommandContext(t.Context(), program, append(args(b), run)...).CombinedOutput()
			return string(out), err
		}
	}
}

// needHeader skips a test for a C library that is not there. In CI it fails.
func needHeader(t *testing.T, header string) {
	t.Helper()
	_, err := os.Stat(header)
	if err == nil {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("in CI the C libraries must be there: %v", err)
	}
	t.Skipf("a C library is not installed (make tools): %v", err)
}

func nodeSession(version string) func(*testing.T, *broker) func(string) (string, error) {
	return func(t *testing.T, b *broker) func(string) (string, error) {
		t.Helper()
		clientKind{needs: "node"}.available(t)
		return func(run string) (string, error) {
			url := brokerURL("mqtt", b.mqtt, "").String()
			out, err := exec.CommandContext(t.Context(), "node", "session/mqtt.mjs", url, version, run).CombinedOutput()
			return string(out), err
		}
	}
}
