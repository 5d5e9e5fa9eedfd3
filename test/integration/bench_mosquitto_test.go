package integration

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// BenchmarkMosquittoPublishes is the load of BenchmarkDurablePublishes on the
// mosquitto that the variable MOSQUITTO names, with persistence as strong as it
// offers: retained messages, and its whole state saved after each change. It acknowledges
// before that, so what it does is less than what Ambit does.
func BenchmarkMosquittoPublishes(b *testing.B) {
	program := os.Getenv("MOSQUITTO")
	if program == "" {
		b.Skip("MOSQUITTO does not name a program")
	}
	for _, publishers := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("publishers=%d", publishers), func(b *testing.B) {
			process := startMosquitto(b, program)
			loads := make([]*load, publishers)
			for i := range loads {
				loads[i] = newLoad(b, process, i)
				loads[i].pub[0] |= 1 // retain
			}
			b.ResetTimer()
			publishAll(b, loads)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "publishes/s")
		})
	}
}

func startMosquitto(b *testing.B, program string) *broker {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	_, port, _ := net.SplitHostPort(address)
	dir := b.TempDir()
	config := fmt.Sprintf("listener %s 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location %s/\n"+
		"autosave_interval 1\nautosave_on_changes true\nmax_inflight_messages 0\nlog_type none\nuser root\n", port, dir)
	file := filepath.Join(dir, "mosquitto.conf")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(program, "-c", file)
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended by itself
		_ = cmd.Wait()
	})
	eventually(b, "mosquitto listens", func() bool {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return false
		}
		conn.Close()
		return true
	})
	return &broker{mqtt: address, dir: filepath.Join(dir, "store"), cmd: cmd}
}
