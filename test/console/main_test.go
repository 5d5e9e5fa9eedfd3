package console

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// patience is how long a test waits for what must happen, before it gives up.
const patience = 30 * time.Second

// console is where the sources of the console are.
const console = "../../web/console"

// program is where TestMain has put ambit.
var program string

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	noteSources()
	dir, err := os.MkdirTemp("", "ambit-console-")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // the system clears its temporary files, too
	program = filepath.Join(dir, "ambit")
	if out, err := exec.Command("go", "build", "-o", program, "../../cmd/ambit").CombinedOutput(); err != nil {
		return 1, fmt.Errorf("building ambit: %w\n%s", err, out)
	}
	return m.Run(), nil
}

// noteSources looks at what is tested, for go test does not know of it and would answer
// from its cache.
func noteSources() {
	for _, pattern := range []string{
		"../../go.mod", "../../*/*.go", "../../cmd/ambit/*.go", "../../sdk/js/src/*",
		console + "/*.*", console + "/public/*", console + "/scripts/*", console + "/test/*", console + "/dist/*", console + "/dist/assets/*",
		console + "/src/*", console + "/src/*/*", console + "/src/*/*/*",
	} {
		_, _ = filepath.Glob(pattern) // fails only for a bad pattern
	}
}

// need returns the path of a program, or skips the test. In CI it fails instead: there,
// make test has installed everything.
func need(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is missing; in CI it must be there: %v", name, err)
	}
	t.Skipf("%s is not installed: %v", name, err)
	return ""
}

// needPackages skips the test without the npm packages.
func needPackages(t testing.TB) {
	t.Helper()
	need(t, "node")
	if _, err := os.Stat(console + "/node_modules/vite"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("in CI the packages of %s must be installed: %v", console, err)
		}
		t.Skipf("the packages of %s are not installed (make tools)", console)
	}
}
