package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

const benchMQTTHelp = `Runs the same loads against a broker of its own and, with --peer, against Mosquitto,
one after the other, and prints for each what the broker's process takes: CPU time per
message that is delivered (per message and its acknowledgements at QoS 1), messages lost,
and latency where publishers keep a pace.

  flood     publishers send as fast as the broker reads (closed loop by TCP)
  paced     publishers send when a message is due (open loop): latency counts from then
  room      documents that a filter matches, to the members of its room

The broker's CPU time is read from /proc, so this runs on Linux only.`

// A brand is a broker that can be started for a run.
type brand struct {
	name  string
	start func(ctx context.Context, dir string, port int) *exec.Cmd
	rooms bool
}

func newBench() *cobra.Command {
	bench := &cobra.Command{
		Use:   "bench",
		Short: "Measure a broker",
		Long: `Put a load on a broker that runs, of any make, and print a line of JSON with latencies; or,
with "ambit bench mqtt", measure what a message costs a broker that is started for it.`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var peer, only string
	var asJSON *bool
	var scale float64
	mqtt := &cobra.Command{
		Use:   "mqtt",
		Short: "Measure what a message costs, beside Mosquitto",
		Long:  benchMQTTHelp,
		Args:  arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			self, err := os.Executable()
			if err != nil {
				return fmt.Errorf("bench: %w", err)
			}
			brands := []brand{{"ambit", ambitServe(self), true}}
			if peer != "" {
				brands = append(brands, brand{"mosquitto", mosquittoServe(peer), false})
			}
			return benchMQTT(cmd, brands, only, scale, *asJSON)
		},
	}
	mqtt.Flags().StringVar(&peer, "peer", "", "also measure this mosquitto binary")
	mqtt.Flags().StringVar(&only, "only", "", "run only the loads whose name contains this")
	mqtt.Flags().Float64Var(&scale, "scale", 1, "times as many messages")
	asJSON = jsonFlag(mqtt, "a line of JSON for each run")
	bench.AddCommand(mqtt)
	for _, p := range presets() {
		bench.AddCommand(newBenchPreset(p))
	}
	return bench
}

func ambitServe(self string) func(context.Context, string, int) *exec.Cmd {
	return func(ctx context.Context, dir string, port int) *exec.Cmd {
		cmd := exec.CommandContext(ctx, self, "serve", "--data", filepath.Join(dir, "data"), "--http", "127.0.0.1:0",
			"--mqtt", fmt.Sprintf("127.0.0.1:%d", port), "--log-level", "error")
		cmd.Dir = dir
		return cmd
	}
}

func mosquittoServe(path string) func(context.Context, string, int) *exec.Cmd {
	return func(ctx context.Context, dir string, port int) *exec.Cmd {
		config := filepath.Join(dir, "mosquitto.conf")
		// Queues as large as Ambit's bytes allow for messages of this size, so that both
		// lose as little as they can.
		text := fmt.Sprintf("listener %d 127.0.0.1\nallow_anonymous true\nmax_queued_messages 100000\nmax_inflight_messages 1000\nset_tcp_nodelay true\n", port)
		_ = os.WriteFile(config, []byte(text), 0o600) // mosquitto says what is wrong with it
		return exec.CommandContext(ctx, path, "-c", config)
	}
}

// benchMQTT runs the loads and prints a table.
func benchMQTT(cmd *cobra.Command, brands []brand, only string, scale float64, asJSON bool) error {
	out := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', tabwriter.AlignRight)
	head := "load\tbroker\tmessages/s\tCPU µs each\tlost\tp50 ms\tp99 ms\tp99.9 ms\t"
	if !asJSON {
		_, _ = fmt.Fprintln(out, head)
	}
	for _, load := range loads() {
		if !strings.Contains(load.name, only) {
			continue
		}
		load.messages = int(float64(load.messages) * scale)
		for _, b := range brands {
			if load.room && !b.rooms {
				continue
			}
			r, err := measure(cmd.Context(), b, load)
			if err != nil {
				return fmt.Errorf("bench %s, %s: %w", b.name, load.name, err)
			}
			if !asJSON {
				_, _ = fmt.Fprintf(out, "%s\t%s\t%.0f\t%.2f\t%d\t%s\t\n", load.name, b.name, r.rate, r.cpu, r.lost, r.columns())
			} else if err := printJSONLine(cmd, r.line(load.name, b.name)); err != nil {
				return err
			}
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// measure starts a broker, runs one load, and stops it.
func measure(ctx context.Context, b brand, l load) (result, error) {
	dir, err := os.MkdirTemp("", "ambit-bench-")
	if err != nil {
		return result{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // in the directory for such things
	port, err := freePort()
	if err != nil {
		return result{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	process := b.start(ctx, dir, port)
	process.Stderr = os.Stderr
	if b.name == "mosquitto" {
		process.Stderr = nil
	}
	if err := process.Start(); err != nil {
		cancel()
		return result{}, err
	}
	defer func() {
		cancel()
		_ = process.Wait() // it was killed
	}()
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	if err := waitForPort(ctx, addr); err != nil {
		return result{}, err
	}
	return l.run(ctx, addr, process.Process.Pid)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// waitForPort waits until somebody accepts connections.
func waitForPort(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	var d net.Dialer
	for {
		c, err := d.DialContext(ctx, "tcp", addr)
		if err == nil {
			return c.Close()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return cmp.Or(ctx.Err(), err)
		}
	}
}
