package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ambitmq/ambit/broker"
)

func TestThePagesThatAreWrittenFromTheCodeAreCurrent(t *testing.T) {
	pages := references(newRoot())
	for name, want := range pages {
		got, err := os.ReadFile(filepath.Join("../../docs", name))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("docs/%s is not what the code says: run make docs", name)
		}
	}
	for _, m := range broker.Metrics() {
		if !strings.Contains(pages["metrics.md"], "`"+m.Name+"`") {
			t.Errorf("metrics.md lacks %s", m.Name)
		}
	}
	for _, text := range []string{
		"## `limits.packet_bytes`", "Variable: `AMBIT_LIMITS_PACKET_BYTES`.", "## `listeners[].tls.cert`", "Default: `10s`. Variable: `AMBIT_OBSERVE_SYS_INTERVAL`. Needs a restart.",
	} {
		if !strings.Contains(pages["settings.md"], text) {
			t.Errorf("settings.md lacks %s", text)
		}
	}
	if text := "## ambit client trace"; !strings.Contains(pages["commands.md"], text) {
		t.Errorf("commands.md lacks %s", text)
	}
}
