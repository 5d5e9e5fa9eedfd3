package sdk

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestThePackageAsANewUserHasIt packs the package as npm does, unpacks that in a fresh directory, with
// mqtt.js beside it, checks the types of a program that uses it, bundles the example, and shows that in
// Chromium.
func TestThePackageAsANewUserHasIt(t *testing.T) {
	build(t)
	chromium := need(t, "chromium")
	home, err := filepath.Abs(js)
	if err != nil {
		t.Fatal(err)
	}
	app := t.TempDir()
	modules := filepath.Join(app, "node_modules")
	unpacked := filepath.Join(modules, "@ambit", "client")
	if err := os.MkdirAll(unpacked, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(home, "node_modules", "mqtt"), filepath.Join(modules, "mqtt")); err != nil {
		t.Fatal(err)
	}
	run := func(dir, name string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %v: %v\n%s", name, args, err, out)
		}
		return string(out)
	}
	packed := run(home, "npm", "pack", "--silent", "--offline", "--pack-destination", app)
	run(app, "tar", "xzf", strings.TrimSpace(packed), "-C", unpacked, "--strip-components=1")
	examples := filepath.Join(app, "examples")
	if err := os.CopyFS(examples, os.DirFS(filepath.Join(home, "examples"))); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(app, os.DirFS(filepath.Join(home, "test", "app"))); err != nil {
		t.Fatal(err)
	}
	tools := filepath.Join(home, "node_modules", ".bin")
	run(app, filepath.Join(tools, "tsc"), "-p", ".")
	script := filepath.Join(examples, "dashboard.js")
	if n := strings.Count(readFile(t, script), "\n"); n >= 100 {
		t.Errorf("the example has %d lines", n)
	}
	run(app, filepath.Join(tools, "esbuild"), "examples/dashboard.js", "--bundle", "--format=esm", "--allow-overwrite", "--outfile=examples/dashboard.js")

	b := startBroker(t, `origins: ["127.0.0.1:*"]`)
	shot := filepath.Join(t.TempDir(), "dashboard.png")
	done := runScript(t, b, "test/pages.js", chromium, "ws://"+b.http.address()+"/mqtt", shot, app)
	if got := strings.Join(done, ", "); got != "dashboard ok" {
		t.Errorf("it has done %q", got)
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
