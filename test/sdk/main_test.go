package sdk

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits for what must happen, before it gives up.
const patience = 30 * time.Second

// js is where the JavaScript client is.
const js = "../../sdk/js"

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
	dir, err := os.MkdirTemp("", "ambit-sdk-")
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

// noteSources looks at what the programs are made from, for go test does not know of it
// and would answer from its cache.
func noteSources() {
	for _, pattern := range []string{"../../go.mod", "../../*/*.go", "../../cmd/ambit/*.go", js + "/*.json", js + "/*/*"} {
		_, _ = filepath.Glob(pattern) // fails only for a bad pattern
	}
}

// need returns the path of a program, or skips the test. In CI it fails instead: there,
// make test has installed everything.
func need(t *testing.T, name string) string {
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
func needPackages(t *testing.T) {
	t.Helper()
	need(t, "node")
	if _, err := os.Stat(js + "/node_modules/mqtt"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("in CI the packages of %s must be installed: %v", js, err)
		}
		t.Skipf("the packages of %s are not installed (make tools)", js)
	}
}

var built struct {
	once sync.Once
	out  []byte
	err  error
}

// build builds the JavaScript client, and returns what was printed.
func build(t *testing.T) string {
	t.Helper()
	needPackages(t)
	built.once.Do(func() {
		noteSources()
		cmd := exec.Command("npm", "run", "build")
		cmd.Dir = js
		built.out, built.err = cmd.CombinedOutput()
	})
	if built.err != nil {
		t.Fatalf("npm run build: %v\n%s", built.err, built.out)
	}
	return string(built.out)
}
