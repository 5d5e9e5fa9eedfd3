package integration

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// nullServer is the variable of the environment by which the program of these tests is a server
// that throws away what it is sent.
const nullServer = "NULL_SERVER"

// serveNobody is that server. It prints where it listens, and ends with the standard input.
func serveNobody() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // with the process
			}
			go func() {
				defer func() { _ = c.Close() }() // its client has gone
				_, _ = io.Copy(nowhere{}, c)     // until then
			}()
		}
	}()
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// nowhere throws away what is written.
type nowhere struct{}

func (nowhere) Write(b []byte) (int, error) { return len(b), nil }

// startNullServer runs one in a process of its own until the test ends, and returns its address.
func startNullServer(t *testing.T) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), nullServer+"=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close() // which ends it
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(address)
}

// needFiles skips a test where a process may not have as many files open. The runtime of Go has
// asked for as many as it may have.
func needFiles(t *testing.T, n int) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if limit.Cur < uint64(n) {
		t.Skipf("a process may have %d files open here, and this takes %d: ulimit -Hn", limit.Cur, n)
	}
}
