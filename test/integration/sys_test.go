package integration

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// sysTopics subscribes to everything below $SYS until the topics have come, and returns
// the last payload of each.
func sysTopics(t *testing.T, address string, until func(got map[string]string) bool) map[string]string {
	t.Helper()
	w := connect(t, &broker{mqtt: address}, connectOptions{})
	w.subscribe(t, "$SYS/#")
	got := map[string]string{}
	for end := time.Now().Add(patience); !until(got); {
		if time.Now().After(end) {
			t.Fatalf("it never came: %q", got)
		}
		m := w.message(t)
		got[m.topic] = string(m.payload)
	}
	return got
}

// recorded are the topics below $SYS of Mosquitto 2.0.11.
func recorded(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/mosquitto-sys.txt")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

func hasAll(names []string) func(map[string]string) bool {
	return func(got map[string]string) bool {
		return !slices.ContainsFunc(names, func(name string) bool { _, ok := got[name]; return !ok })
	}
}

func TestSysTopicsAreThoseOfMosquitto(t *testing.T) {
	t.Parallel()
	b := startBroker(t, brokerOptions{config: "observe: {sys_interval: 1s}"})
	p := connect(t, b, connectOptions{v5: true})
	p.publish(t, message{topic: "a/b", payload: []byte("12345"), qos: 1})
	p.publish(t, message{topic: "$x/b", payload: []byte("1"), qos: 1})
	deep := `{"a":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + "}"
	p.publish(t, message{topic: "fleet/trucks/1", payload: []byte(deep), qos: 1})
	all := hasAll(append(recorded(t), "$SYS/broker/messages/inflight", "$SYS/broker/refused/publish/0x90", "$SYS/broker/limits/user_storage"))
	got := sysTopics(t, b.mqtt, func(got map[string]string) bool {
		load, _ := strconv.ParseFloat(got["$SYS/broker/load/publish/received/1min"], 64) // not there yet
		return all(got) && got["$SYS/broker/publish/messages/received"] == "3" && got["$SYS/broker/limits/json"] == "1" && load > 0
	})
	for topic, want := range map[string]string{
		"publish/bytes/received": strconv.Itoa(6 + len(deep)), "limits/json": "1", "limits/banned": "0", "clients/connected": "2", "clients/maximum": "2", "refused/publish/0x90": "1", "refused/connect/count": "0",
	} {
		if got := got["$SYS/broker/"+topic]; got != want {
			t.Errorf("%s: %s, want %s", topic, got, want)
		}
	}
	for topic, payload := range got {
		number := strings.TrimSuffix(payload, " seconds")
		if _, err := strconv.ParseFloat(number, 64); err != nil && !strings.HasSuffix(topic, "/version") {
			t.Errorf("%s: %s", topic, err)
		}
	}
}

func TestWithoutAnIntervalThereIsNoSysTopic(t *testing.T) {
	t.Parallel()
	b := startBroker(t, brokerOptions{config: "observe: {sys_interval: 0s}"})
	w := connect(t, b, connectOptions{})
	w.subscribe(t, "$SYS/#")
	w.ping(t)
	if len(w.queued) > 0 {
		t.Errorf("%d topics", len(w.queued))
	}
}

// TestTheSysTopicsOfMosquittoAreAsRecorded runs where there is one.
func TestTheSysTopicsOfMosquittoAreAsRecorded(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("mosquitto")
	if err != nil {
		if program, err = exec.LookPath("/usr/sbin/mosquitto"); err != nil {
			t.Skipf("mosquitto is not installed: %v", err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close() // for Mosquitto, which cannot choose one
	_, port, _ := net.SplitHostPort(address)
	conf := filepath.Join(t.TempDir(), "mosquitto.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, "listener %s 127.0.0.1\nallow_anonymous true\nsys_interval 1\n", port), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-c", conf)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for end := time.Now().Add(patience); ; {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
			break
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
	sysTopics(t, address, hasAll(recorded(t)))
}
