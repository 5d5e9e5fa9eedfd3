package broker

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// reads returns what comes on a connection, read by read.
func reads(c net.Conn) <-chan string {
	all := make(chan string, 100)
	go func() {
		defer close(all)
		b := make([]byte, 1<<20)
		for {
			n, err := c.Read(b)
			if err != nil {
				return
			}
			all <- string(b[:n])
		}
	}()
	return all
}

func TestWhatIsHeldBackGoesOutAtOnce(t *testing.T) {
	near, far := net.Pipe()
	c, got := &corked{Conn: near}, reads(far)
	write := func(text string) {
		if n, err := io.WriteString(c, text); err != nil || n != len(text) {
			t.Errorf("writing %.10s: %d, %v", text, n, err)
		}
	}
	write("a")
	c.Hold(time.Now().Add(deadline))
	write("b")
	c.Hold(time.Now().Add(deadline))
	write("c")
	if err := errors.Join(c.Release(), c.Release()); err != nil {
		t.Error(err)
	}
	write("d")
	c.Hold(time.Time{})
	write(strings.Repeat("e", maxCorked)) // which is too much to wait
	write("f")
	if err := c.Release(); err != nil {
		t.Error(err)
	}
	_ = near.Close()
	for _, want := range []string{"a", "bc", "d", strings.Repeat("e", maxCorked), "f"} {
		if text := <-got; text != want {
			t.Errorf("got %.20s, want %.20s", text, want)
		}
	}
	if text, ok := <-got; ok {
		t.Errorf("behind it comes %.20s", text)
	}
}

func TestWhatIsHeldBackHasItsTime(t *testing.T) {
	near, far := net.Pipe() // which nobody reads
	c := &corked{Conn: near}
	c.Hold(time.Now())
	if _, err := io.WriteString(c, "a"); err != nil {
		t.Error(err)
	}
	if err := c.Release(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("it goes out: %v", err)
	}
	if err := errors.Join(near.Close(), far.Close()); err != nil {
		t.Error(err)
	}
}
