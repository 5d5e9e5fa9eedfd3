package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ambitmq/ambit/broker"
)

const traceHelp = `Show, as they happen, the packets of an MQTT client and for it, and what the broker
decides: what is refused and why, which change is stored, which rooms it
concerns, who is told. With --topic it is what happens on the topics of a topic
filter, whoever the client is; with both, what this client does there.

Neither payloads nor passwords are shown. A trace ends by itself. What comes
too fast to be shown is left out, and counted.

The broker is asked through its data directory, by whoever may read that.`

func newClientTrace() *cobra.Command {
	cmd := &cobra.Command{
		Use: "trace [ID]", Short: "Show the packets and decisions of one client, or of a topic, as they happen", Long: traceHelp,
		Example: `  ambit client trace truck-17
  ambit client trace --topic 'fleet/trucks/#' --for 10s
  ambit client trace truck-17 --topic fleet/trucks/17 --json`,
		Args: arguments(cobra.MaximumNArgs(1)),
	}
	addStoreFlags(cmd)
	flags := cmd.Flags()
	topic := flags.String("topic", "", "topic `filter`")
	time := flags.Duration("for", time.Minute, "how long it goes on")
	count := flags.Int("count", 10_000, "how many events there are at most")
	asJSON := flags.Bool("json", false, "print them as JSON, one a line")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o := broker.TraceOptions{Topic: *topic, Time: *time, Count: *count}
		if len(args) > 0 {
			o.Client = args[0]
		}
		if o.Client == "" && o.Topic == "" {
			return usageErrorf("name a client, or a --topic")
		}
		cfg, err := loadConfig(cmd.Flags())
		if err != nil {
			return err
		}
		out := cmd.OutOrStdout()
		end, err := broker.Trace(cmd.Context(), cfg.Data, o, func(ev broker.TraceEvent) error {
			if *asJSON {
				return json.NewEncoder(out).Encode(ev)
			}
			return writeTraceEvent(out, &ev)
		})
		if err == nil {
			say(cmd.ErrOrStderr(), "%s", end)
		}
		return err
	}
	return cmd
}

// writeTraceEvent writes an event as a line for people.
func writeTraceEvent(w io.Writer, ev *broker.TraceEvent) error {
	if ev.Dropped > 0 {
		if _, err := fmt.Fprintf(w, "… %d events were left out\n", ev.Dropped); err != nil {
			return err
		}
	}
	var b strings.Builder
	arrow, more := map[string]string{"in": "→", "out": "←", "decision": "·"}[ev.What], func(format string, args ...any) {
		fmt.Fprintf(&b, " "+format, args...)
	}
	fmt.Fprintf(&b, "%s %s %s", ev.Time.Local().Format("15:04:05.000000"), ev.Client, arrow)
	if ev.Packet != "" {
		more("%s", strings.ToUpper(ev.Packet))
	}
	if ev.ID > 0 {
		more("#%d", ev.ID)
	}
	if ev.Topic != "" {
		more("%s", ev.Topic)
	}
	if ev.Packet == "publish" {
		more("QoS %d, %d bytes", ev.QoS, ev.Bytes)
	}
	if ev.Retain {
		more("retain")
	}
	if ev.Code > 0 {
		more("0x%02X", ev.Code)
	}
	if ev.Text != "" {
		more("%s", ev.Text)
	}
	_, err := fmt.Fprintln(w, b.String())
	return err
}
