package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/ambitmq/ambit/client"
)

const subHelp = `Subscribe and print what arrives.

With two arguments, an <index>/<collection> and a filter, or the name of one, it is
told of the documents that match the filter. Each line has the time, + for a document that
comes to match, = for one that changes and still does, - for one that no longer
does, its id and its body:

  14:03:07.412 + 42  {"speed":60}

With one argument it subscribes to that topic filter, as any MQTT client does.
It connects again when the connection is lost; what happened between is missed.

Exit codes: 0 done or interrupted, 1 refused (the broker's text says what is
wrong with the filter, and where), 2 wrong usage, 3 no connection, 27 the
--timeout is over and fewer than --count messages came.`

// subOptions are the flags of ambit sub.
type subOptions struct {
	client     client.Options
	scope      string
	transition []string
	payload    string
	members    bool
	qos        uint8
	count      int
	timeout    time.Duration
	json       bool
}

func newSub() *cobra.Command {
	var o subOptions
	cmd := &cobra.Command{
		Use:   "sub COLLECTION FILTER | sub COLLECTION @NAME | sub TOPIC_FILTER",
		Short: "Be told who enters, stays in and leaves a filter",
		Long:  subHelp,
		Example: `  ambit sub fleet/trucks '{"range":{"speed":{"gt":50}}}'
  ambit sub fleet/trucks '{}' --members
  ambit sub fleet/trucks @depot --scope in
  ambit sub fleet/trucks '{"equals":{"state":"stopped"}}' --transition enter --json --count 1
  ambit sub 'fleet/#'`,
		Args: arguments(cobra.RangeArgs(1, 2)),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	brokerFlags(cmd, &o.client)
	flags := cmd.Flags()
	flags.StringVar(&o.client.ClientID, "id", "", "client `identifier` (default: made up by the broker)")
	flags.StringVar(&o.scope, "scope", "", "only documents that are in or out of the filter: in, out or all")
	flags.StringSliceVar(&o.transition, "transition", nil, "only these, separated by commas: enter, stay, exit")
	flags.StringVar(&o.payload, "payload", "", "what is sent: full, document or none")
	flags.BoolVar(&o.members, "members", false, "first the documents that match now, then every change")
	flags.Uint8VarP(&o.qos, "qos", "q", 1, "quality of service: 0, 1 or 2")
	flags.IntVarP(&o.count, "count", "C", 0, "exit after so many messages")
	flags.DurationVarP(&o.timeout, "timeout", "W", 0, "exit after this time")
	flags.BoolVar(&o.json, "json", false, "print the payloads alone, one a line")
	return cmd
}

func (o *subOptions) run(cmd *cobra.Command, args []string) error {
	topicFilter, err := o.topicFilter(args)
	if err != nil {
		return err
	}
	ctx, stop := untilSignal(cmd.Context())
	defer stop()
	if o.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.timeout)
		defer cancel()
	}
	out, stderr := newPrinter(cmd.OutOrStdout(), o.json), cmd.ErrOrStderr()
	lost := func(err error) { say(stderr, "ambit: %v; connecting again", err) }
	err = stayConnected(ctx, o.client, lost, func(c *client.Client) error {
		return o.listen(ctx, c, topicFilter, out, stderr)
	})
	switch {
	case ctx.Err() == nil || err != nil && !errors.Is(err, ctx.Err()):
		return err
	case errors.Is(ctx.Err(), context.DeadlineExceeded) && o.count > 0:
		return &exitError{exitTimeout, fmt.Errorf("timeout: %d of %d messages came in %v", out.printed, o.count, o.timeout)}
	}
	return nil
}

// listen subscribes and prints until there are enough messages, or the context
// or the connection ends.
func (o *subOptions) listen(ctx context.Context, c *client.Client, topicFilter string, out *printer, stderr io.Writer) error {
	enough := make(chan error, 1)
	grant, err := c.Subscribe(ctx, topicFilter, o.qos, func(m client.Message) {
		if o.count > 0 && out.printed >= o.count {
			return
		}
		if err := out.print(m); err != nil || out.printed == o.count {
			select {
			case enough <- err:
			default: // it has been told already
			}
		}
	})
	if err != nil {
		return err
	}
	room := ""
	if grant.Room != "" {
		room = ", room " + grant.Room
	}
	say(stderr, "subscribed to %s%s", topicFilter, room)
	select {
	case err := <-enough:
		return err
	case <-c.Done():
		return c.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// topicFilter makes the topic filter of the arguments and options.
func (o *subOptions) topicFilter(args []string) (string, error) {
	if o.qos > 2 {
		return "", usageErrorf("--qos %d: must be 0, 1 or 2", o.qos)
	}
	options := o.options()
	if len(args) == 1 {
		if options != "" || o.members {
			return "", usageErrorf("--scope, --transition, --payload and --members need COLLECTION and FILTER")
		}
		return args[0], nil
	}
	collection := strings.Trim(args[0], "/")
	if strings.Count(collection, "/") != 1 {
		return "", usageErrorf("%q is not <index>/<collection>", args[0])
	}
	if o.members && options != "" {
		return "", usageErrorf("--members takes no --scope, --transition or --payload")
	}
	room := roomTopic(collection, args[1]) + options
	if strings.HasPrefix(args[1], "@") {
		room = collection + "/" + args[1] + options
	}
	if o.members {
		return "$scope/" + room + "/+", nil
	}
	return room, nil
}

// options returns the options of a room as they stand behind its filter.
func (o *subOptions) options() string {
	var b strings.Builder
	for _, opt := range []struct{ name, value string }{
		{"scope", o.scope}, {"transition", strings.Join(o.transition, ",")}, {"payload", o.payload},
	} {
		if opt.value != "" {
			fmt.Fprintf(&b, "&%s=%s", opt.name, strings.ReplaceAll(url.QueryEscape(opt.value), "%2C", ","))
		}
	}
	return b.String()
}

// roomTopic returns the topic filter of a room. MQTT does not let + and # stand
// inside a level [MQTT-4.7.1-2]: in a JSON string they can be written otherwise,
// and outside of one a + can only be that of 1e+5, which means 1e5.
func roomTopic(collection, filter string) string {
	var b strings.Builder
	inString, escaped := false, false
	for _, r := range strings.TrimSpace(filter) {
		switch {
		case unicode.IsSpace(r):
			b.WriteByte(' ') // a topic has no control characters
		case inString && (r == '+' || r == '#'):
			fmt.Fprintf(&b, `\u%04x`, r)
		case r == '+':
		default:
			b.WriteRune(r)
		}
		if r == '"' && !escaped {
			inString = !inString
		}
		escaped = r == '\\' && !escaped
	}
	return collection + "/?" + b.String()
}

// A printer writes messages as lines. Only one goroutine at a time may use it.
type printer struct {
	out     *bufio.Writer
	raw     bool
	printed int
}

func newPrinter(out io.Writer, raw bool) *printer {
	return &printer{out: bufio.NewWriter(out), raw: raw}
}

// print writes one message at once: whoever reads the output acts on it.
func (p *printer) print(m client.Message) error {
	p.printed++
	line := string(m.Payload)
	if !p.raw {
		line = readable(m, time.Now())
	}
	_, _ = p.out.WriteString(line + "\n") // its error is that of Flush
	return p.out.Flush()
}
