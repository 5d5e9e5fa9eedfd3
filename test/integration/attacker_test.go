package integration

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"
)

// attackOrder is the variable of the environment by which the program of these tests attacks
// somebody. In the process of who measures, that one would wait for the attackers' goroutines, too, and
// not for the broker alone.
const attackOrder = "ATTACK_ORDER"

// An order is what such a process is told.
type order struct {
	Attack, Address string
	Pause           time.Duration
}

// attackAsTold attacks until the end of the standard input, and prints when it has begun, and how
// many packets it has sent.
func attackAsTold(text string) error {
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	all := attacks()
	i := slices.IndexFunc(all, func(a attack) bool { return a.name == o.Attack })
	if i < 0 {
		return fmt.Errorf("no attack is called %q", o.Attack)
	}
	stop := all[i].begin(o.Address, o.Pause)
	fmt.Println("begun")
	_, err := io.Copy(io.Discard, os.Stdin)
	fmt.Println(stop())
	return err
}

// start has a process attack an address until it is told to stop, or the test ends; sent is how
// many packets it has sent.
func (a attack) start(t *testing.T, address string, pause time.Duration) (stop func() (sent int64)) {
	t.Helper()
	text, err := json.Marshal(order{a.name, address, pause})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), attackOrder+"="+string(text))
	cmd.Stderr = os.Stderr
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
	said := bufio.NewReader(out)
	stop = sync.OnceValue(func() (sent int64) {
		_ = in.Close() // which ends it
		if _, err := fmt.Fscanln(said, &sent); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
		return sent
	})
	t.Cleanup(func() { stop() })
	if line, err := said.ReadString('\n'); err != nil || line != "begun\n" {
		t.Fatalf("the attacker said %q, %v", line, err)
	}
	return stop
}
