package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/ambitmq/ambit/client"
)

// maxLineBytes bounds a line of pub --lines, and a row of replay.
const maxLineBytes = 1 << 20

const pubHelp = `Publish one message, or each line of the standard input, and wait until the
broker has acknowledged it. On a document topic that means: it is on disk.

A payload of - is read from the standard input; an empty one deletes a document
or a retained message. Write -- before a payload that begins with a dash.

Exit codes: 0 acknowledged, 1 refused or not acknowledged, 2 wrong usage, 3 no
connection.`

// pubOptions are the flags of ambit pub.
type pubOptions struct {
	client  client.Options
	qos     uint8
	retain  bool
	file    string
	lines   bool
	timeout time.Duration
}

func newPub() *cobra.Command {
	var o pubOptions
	cmd := &cobra.Command{
		Use:   "pub TOPIC [PAYLOAD|-]",
		Short: "Publish a message",
		Long:  pubHelp,
		Example: `  ambit pub fleet/trucks/42 '{"speed":60,"position":{"lat":53.54,"lon":9.98}}'
  ambit pub --file truck.json fleet/trucks/42
  ambit pub fleet/trucks/42 ''            # delete the document
  sensor | ambit pub --lines home/kitchen/temperature`,
		Args: arguments(cobra.RangeArgs(1, 2)),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	brokerFlags(cmd, &o.client)
	flags := cmd.Flags()
	flags.StringVar(&o.client.ClientID, "id", "", "client `identifier` (default: made up by the broker)")
	flags.Uint8VarP(&o.qos, "qos", "q", 1, "quality of service: 0, 1 or 2")
	flags.BoolVarP(&o.retain, "retain", "r", false, "ask the broker to keep the message for later subscribers")
	flags.StringVarP(&o.file, "file", "f", "", "`file` that holds the payload")
	flags.BoolVarP(&o.lines, "lines", "l", false, "publish each line of the standard input as a message")
	flags.DurationVar(&o.timeout, "timeout", 30*time.Second, "longest wait for an acknowledgement")
	return cmd
}

func (o *pubOptions) run(cmd *cobra.Command, args []string) error {
	sources := len(args) - 1
	for _, given := range []bool{o.file != "", o.lines} {
		if given {
			sources++
		}
	}
	if sources != 1 {
		return usageErrorf("give one of PAYLOAD, - (the standard input), --file and --lines")
	}
	if o.qos > 2 {
		return usageErrorf("--qos %d: must be 0, 1 or 2", o.qos)
	}
	m := client.Message{Topic: args[0], QoS: o.qos, Retain: o.retain}
	var err error
	if !o.lines {
		if m.Payload, err = o.payload(cmd.InOrStdin(), args[1:]); err != nil {
			return err
		}
	}
	c, err := connect(cmd.Context(), o.client)
	if err != nil {
		return err
	}
	defer c.Close()
	if o.lines {
		return o.publishLines(cmd.Context(), c, m, cmd.InOrStdin(), cmd.ErrOrStderr())
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), o.timeout)
	defer cancel()
	return c.Publish(ctx, m)
}

func (o *pubOptions) payload(stdin io.Reader, args []string) ([]byte, error) {
	switch {
	case o.file != "":
		return os.ReadFile(o.file)
	case args[0] == "-":
		return io.ReadAll(stdin)
	default:
		return []byte(args[0]), nil
	}
}

// publishLines publishes each line, with many in flight. A line that is refused
// is reported and does not stop the others.
func (o *pubOptions) publishLines(ctx context.Context, c *client.Client, m client.Message, in io.Reader, stderr io.Writer) error {
	refused, line := 0, 0 // refused belongs to the callbacks until Flush returns
	scan := bufio.NewScanner(in)
	scan.Buffer(nil, maxLineBytes)
	for scan.Scan() {
		line++
		number := line
		m.Payload = scan.Bytes()
		err := c.Send(ctx, m, func(err error) {
			if err != nil {
				refused++
				say(stderr, "ambit: line %d: %v", number, err)
			}
		})
		if err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	if err := errors.Join(scan.Err(), c.Flush(ctx)); err != nil {
		return err
	}
	if refused > 0 {
		return fmt.Errorf("%d of %d lines were refused", refused, line)
	}
	return nil
}
