package sdk

import (
	"os/exec"
	"strings"
	"testing"
)

// A socket of Node.js holds small packets back until what was sent before is acknowledged by TCP,
// so that a request behind the acknowledgement of a message took 40 ms.
func TestNodeSendsEveryPacketAtOnce(t *testing.T) {
	build(t)
	b := startBroker(t, "")
	for _, url := range []string{"mqtt://" + b.mqtt.address(), "ws://" + b.http.address() + "/mqtt"} {
		cmd := exec.CommandContext(t.Context(), "node", "test/nodelay.js", url)
		cmd.Dir = js
		out, err := cmd.CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != "1" {
			t.Errorf("%s: %q, %v; want it of one socket", url, out, err)
		}
	}
}
