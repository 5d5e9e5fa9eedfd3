package integration

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// fvtHost is where paho.mqtt.golang's tests look for a broker. They want its
// port to be 1883, so the host is one that nobody else uses.
const fvtHost = "127.0.18.83"

// fvtTime is how long those tests may take. Most of it they sleep.
const fvtTime = time.Minute

// The tests that paho.mqtt.golang calls functional verification tests run
// against a broker: these are all of them but Test_ResumeSubs and
// Test_Ack_After_Disconnect, which publish without waiting for the SUBACK of the
// other connection.
func TestPahoMQTTGolangPassesItsOwnTests(t *testing.T) {
	if testing.Short() {
		t.Skip("they sleep for ten seconds")
	}
	t.Parallel()
	address := net.JoinHostPort(fvtHost, "1883")
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Skipf("a broker cannot listen where the tests expect it: %v", err)
	}
	listener.Close()
	tests := filepath.Join(t.TempDir(), "fvt.test")
	build := exec.Command("go", "test", "-c", "-o", tests, "github.com/eclipse/paho.mqtt.golang")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the tests: %v\n%s", err, out)
	}
	// One of them publishes on a topic that is as long as any can be.
	startBroker(t, brokerOptions{mqtt: address, config: "limits: {topic_bytes: 65535}"})
	var running sync.WaitGroup
	for _, which := range []string{
		"ping1_idle5",
		"autoreconnect|cleanUpMids", // with the same client identifier
		"Start|Disconnect|Publish|Subscribe|Will|CleanSession|Binary_Will|p[012]s[012]|CallbackOverrun|MultipleURLs|" +
			"ConnectRetry|ResumeSubs.+|OverLengthTopic",
	} {
		running.Go(func() { runFVT(t, tests, which) })
	}
	running.Wait()
}

// runFVT runs some of the tests, and reports those that fail.
func runFVT(t *testing.T, tests, which string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), fvtTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, tests, "-test.v", "-test.run", "^Test_("+which+")")
	cmd.Env = append(os.Environ(), "TEST_FVT_ADDR="+fvtHost)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS") {
		t.Errorf("%s: %v\n%s", which, err, out)
	}
}
