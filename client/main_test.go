package client

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"
)

// TestMain fails when a goroutine outlives the tests. Those that are about to
// end get a second to do so.
func TestMain(m *testing.M) {
	code := m.Run()
	for end := time.Now().Add(time.Second); runtime.NumGoroutine() > 1 && time.Now().Before(end); {
		runtime.Gosched()
	}
	if n := runtime.NumGoroutine(); code == 0 && n > 1 {
		stacks := make([]byte, 1<<20)
		fmt.Fprintf(os.Stderr, "%d goroutines are left:\n%s\n", n-1, stacks[:runtime.Stack(stacks, true)])
		code = 1
	}
	os.Exit(code)
}
