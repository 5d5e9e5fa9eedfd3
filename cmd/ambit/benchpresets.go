package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/ambitmq/ambit/client"
)

// benchOptions are the flags of a preset of ambit bench.
type benchOptions struct {
	client                  client.Options
	publishers, subscribers int
	fences, messages        int
	rate                    float64 // of what the preset counts, a second
	duration, warmup        time.Duration
	qos                     uint8
	bytes                   int
	rooms                   bool
}

// A preset is a load that is put on a broker that runs.
type preset struct {
	name, short, long string
	defaults          benchOptions
	// flags are the names of those that it has.
	flags []string
	run   func(b *benchRun) error
}

const benchPresetHelp = `
The load is open loop: a message is due at a time, whether the broker keeps up or not, and its
latency counts from then. It goes to a broker that runs, of any make, over MQTT 3.1.1, and what
was written is deleted at the end. One line of JSON says what was done, with percentiles of
latencies in milliseconds; "lag" is by how much the load itself was late, which is in the
others, too.`

// presets are the loads that there are.
func presets() []preset {
	return []preset{{
		name: "telemetry", short: "Many devices publish, few programs read (fan-in)",
		long:     "Devices publish a JSON object each on a topic of its own, in turn; every subscriber reads all of them.",
		defaults: benchOptions{publishers: 1000, subscribers: 1, rate: 2000, qos: 1, bytes: 128},
		flags:    []string{"publishers", "subscribers", "rate", "duration", "warmup", "qos", "bytes"},
		run:      func(b *benchRun) error { return b.stream(telemetryStream(b.o, false)) },
	}, {
		name: "dashboard", short: "Few devices publish, many dashboards read (fan-out)",
		long: `Every dashboard reads all that the devices publish. With --rooms it subscribes to a filter
that all documents match, which needs Ambit, instead of to a topic filter.`,
		defaults: benchOptions{publishers: 10, subscribers: 500, rate: 20, qos: 1, bytes: 128},
		flags:    []string{"publishers", "subscribers", "rate", "duration", "warmup", "qos", "bytes", "rooms"},
		run:      func(b *benchRun) error { return b.stream(telemetryStream(b.o, true)) },
	}, {
		name: "geofences", short: "Vehicles go from one geofence to the next; needs Ambit",
		long: `Vehicles publish positions, each in another geofence than the one before. Subscribers share the
fences, and are told who enters.`,
		defaults: benchOptions{publishers: 100, subscribers: 20, fences: 1000, rate: 500, qos: 1, bytes: 128},
		flags:    []string{"publishers", "subscribers", "fences", "rate", "duration", "warmup", "qos", "bytes"},
		run:      func(b *benchRun) error { return b.stream(geofenceStream(b.o)) },
	}, {
		name: "connect-storm", short: "Clients connect and subscribe, so many a second",
		long: `Clients connect when it is their turn, subscribe to a topic each, and stay until the last one has
come. --rate is how many connect in a second; "sent" counts those who tried, "acknowledged" those
who were let in, and "delivered" those who are subscribed.`,
		defaults: benchOptions{subscribers: 2000, rate: 500, qos: 1},
		flags:    []string{"subscribers", "rate", "qos"},
		run:      (*benchRun).storm,
	}, {
		name: "retained", short: "Subscribers are given the retained messages that there are (snapshot)",
		long: `First there are so many retained messages. Then subscribers come, --rate a second, and each is
given all of them. "first" and "last" count from when a subscriber was due to its first and last
message.`,
		defaults: benchOptions{subscribers: 20, messages: 10_000, rate: 5, qos: 1, bytes: 128},
		flags:    []string{"subscribers", "messages", "rate", "qos", "bytes"},
		run:      (*benchRun).retained,
	}}
}

func newBenchPreset(p preset) *cobra.Command {
	o := p.defaults
	cmd := &cobra.Command{
		Use: p.name, Short: p.short, Long: p.long + "\n" + benchPresetHelp, Args: arguments(cobra.NoArgs),
		Example: fmt.Sprintf("  ambit bench %s --broker 127.0.0.1:1883 --rate %g", p.name, o.rate),
	}
	brokerFlags(cmd, &o.client)
	for _, name := range p.flags {
		o.addFlag(cmd, name)
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := o.check(cmd); err != nil {
			return err
		}
		ctx, stop := untilSignal(cmd.Context())
		defer stop()
		b := newBenchRun(ctx, p.name, o)
		if err := p.run(b); err != nil {
			return fmt.Errorf("bench %s: %w", p.name, err)
		}
		return json.NewEncoder(cmd.OutOrStdout()).Encode(b.report())
	}
	return cmd
}

func (o *benchOptions) addFlag(cmd *cobra.Command, name string) {
	flags := cmd.Flags()
	switch name {
	case "publishers":
		flags.IntVar(&o.publishers, name, o.publishers, "how many clients publish")
	case "subscribers":
		flags.IntVar(&o.subscribers, name, o.subscribers, "how many clients subscribe")
	case "fences":
		flags.IntVar(&o.fences, name, o.fences, "how many geofences there are")
	case "messages":
		flags.IntVar(&o.messages, name, o.messages, "how many retained messages there are")
	case "rate":
		flags.Float64Var(&o.rate, name, o.rate, "how many are due in a second, of all together")
	case "duration":
		flags.DurationVar(&o.duration, name, 10*time.Second, "how long messages are due, after the warm-up")
	case "warmup":
		flags.DurationVar(&o.warmup, name, time.Second, "how long before that they are due, too, and not counted in latencies")
	case "qos":
		flags.Uint8VarP(&o.qos, name, "q", o.qos, "quality of service: 0 or 1")
	case "bytes":
		flags.IntVar(&o.bytes, name, o.bytes, "size of a payload")
	case "rooms":
		flags.BoolVar(&o.rooms, name, false, "dashboards subscribe to a filter")
	}
}

// check reports a flag that is out of bounds.
func (o *benchOptions) check(cmd *cobra.Command) error {
	for _, n := range []struct {
		name            string
		value, min, max int
	}{
		{"publishers", o.publishers, 1, 100_000}, {"subscribers", o.subscribers, 1, 100_000},
		{"fences", o.fences, o.subscribers, 100_000}, {"messages", o.messages, 1, 10_000_000},
		{"bytes", o.bytes, 1, 128 << 10}, {"qos", int(o.qos), 0, 1},
	} {
		if cmd.Flags().Lookup(n.name) != nil && (n.value < n.min || n.value > n.max) {
			return usageErrorf("--%s %d: must be from %d to %d", n.name, n.value, n.min, n.max)
		}
	}
	switch {
	case o.rate <= 0 || o.rate > 10_000_000:
		return usageErrorf("--rate %g: must be more than 0, and 10,000,000 at most", o.rate)
	case cmd.Flags().Lookup("duration") != nil && (o.duration <= 0 || o.warmup < 0):
		return usageErrorf("--duration %v, --warmup %v: must be more than 0, and 0 at least", o.duration, o.warmup)
	}
	return nil
}
