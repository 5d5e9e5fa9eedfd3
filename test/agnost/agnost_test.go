package agnost

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// modules are those of node that have cases.
var modules = []string{"channels", "transports", "access", "limits", "connection"}

func TestWithNode(t *testing.T) {
	program := build(t)
	for _, module := range modules {
		t.Run(module, func(t *testing.T) { beside(t, module); run(t, program, module) })
	}
}

func TestWithChromium(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes its time")
	}
	program, chromium := build(t), need(t, "chromium")
	for _, module := range modules {
		t.Run(module, func(t *testing.T) { beside(t, module); run(t, program, module, chromium) })
	}
}

// beside has a module run beside others: most of its time is waiting. One with a thousand clients runs alone.
func beside(t *testing.T, module string) {
	t.Helper()
	if module != "connection" {
		t.Parallel()
	}
}

// build builds ambit, and sees to it that all that the cases call is there.
func build(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"node", "mosquitto_pub", "mosquitto_sub", "mosquitto_rr"} {
		need(t, name)
	}
	if _, err := os.Stat("node/node_modules/altogic"); err != nil {
		missing(t, "the packages of test/agnost/node are not installed (make tools)")
	}
	noteSources()
	program := filepath.Join(t.TempDir(), "ambit")
	if out, err := exec.Command("go", "build", "-o", program, "../../cmd/ambit").CombinedOutput(); err != nil {
		t.Fatalf("building ambit: %v\n%s", err, out)
	}
	return program
}

// noteSources looks at what the programs are made from, for go test does not know of it
// and would answer from its cache.
func noteSources() {
	for _, pattern := range []string{"../../go.mod", "../../*/*.go", "../../cmd/ambit/*.go", "node/*.js", "node/*.json"} {
		_, _ = filepath.Glob(pattern) // fails only for a bad pattern
	}
}

// need returns the path of a program, or skips the test.
func need(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, name+" is not installed")
	}
	return path
}

// missing skips the test. In CI it fails instead: there, make test has installed everything.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%s; in CI it must be there", what)
	}
	t.Skip(what)
}

// run runs the cases of a module, each as a test of its own.
func run(t *testing.T, program, module string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", append([]string{"run.js", program, module}, args...)...)
	cmd.Dir = "node"
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	cases := 0
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		var c struct {
			Case  string
			Error *string
		}
		if json.Unmarshal([]byte(line), &c) != nil || c.Case == "" {
			continue
		}
		cases++
		t.Run(c.Case, func(t *testing.T) {
			if c.Error != nil {
				t.Error(*c.Error)
			}
		})
	}
	if err != nil {
		t.Errorf("%v\n%s\n%s", err, out, errs.String())
	}
	if cases == 0 {
		t.Error("there were no cases")
	}
}
