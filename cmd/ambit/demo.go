package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/ambitmq/ambit/broker"
	"github.com/ambitmq/ambit/client"
)

const demoHelp = `Run a broker and a simulated fleet, and watch who enters and leaves some
filters: all over real MQTT connections, each vehicle with its own.

It listens where "ambit serve" does, or, where that is in use, on a free port,
and says so. Its documents are in a temporary directory, unless --data names one.
The same --city, --vehicles and --seed always drive the same ways. Ctrl-C ends it.`

// demoCollection is where the fleet publishes.
const demoCollection = "fleet/trucks"

// reportInterval is how often each vehicle publishes.
const reportInterval = 500 * time.Millisecond

// demoOptions are the flags of ambit demo.
type demoOptions struct {
	config   broker.Config
	city     string
	vehicles int
	seed     uint64
	speed    float64
	duration time.Duration
	plain    bool
}

func newDemo() *cobra.Command {
	o := demoOptions{config: broker.DefaultConfig()}
	names := cityNames()
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run the broker with a simulated fleet, and watch",
		Long:  demoHelp,
		Example: `  ambit demo
  ambit demo --city barcelona --vehicles 200 --seed 7`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.config.MQTT, "mqtt", o.config.MQTT, "`address` of the MQTT listener")
	flags.StringVar(&o.config.HTTP, "http", o.config.HTTP, "`address` of the HTTP listener, with WebSockets at /mqtt")
	flags.StringSliceVar(&o.config.Origins, "origins", nil, "further `hosts` whose pages may connect")
	flags.StringVar(&o.config.Data, "data", "", "`directory` of the store, kept at the end (default: a temporary one)")
	flags.StringVar(&o.city, "city", names[0], "where the fleet drives: "+strings.Join(names, ", "))
	flags.IntVar(&o.vehicles, "vehicles", 50, "how many vehicles there are, up to 1000")
	flags.Uint64Var(&o.seed, "seed", 1, "what the drives depend on")
	flags.Float64Var(&o.speed, "speed", 10, "how many times faster than real time")
	flags.DurationVar(&o.duration, "duration", 0, "exit after this time")
	flags.BoolVar(&o.plain, "plain", false, "print plain lines on a terminal too")
	return cmd
}

// cityNames returns the names that --city takes.
func cityNames() []string {
	var names []string
	for _, c := range cities() {
		names = append(names, strings.ToLower(c.name))
	}
	return names
}

func (o *demoOptions) run(cmd *cobra.Command) error {
	sim, err := o.simulation()
	if err != nil {
		return &exitError{exitUsage, err}
	}
	ctx, stop := untilSignal(cmd.Context())
	defer stop()
	out, stderr := cmd.OutOrStdout(), cmd.ErrOrStderr()
	if o.config.Data == "" {
		if o.config.Data, err = os.MkdirTemp("", "ambit-demo-"); err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(o.config.Data) }() // the system clears it some time
	}
	for _, address := range []*string{&o.config.MQTT, &o.config.HTTP} {
		if free := freeAddress(*address); free != *address {
			say(out, "%s is in use: taking a free port instead.", *address)
			*address = free
		}
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	for _, f := range sim.city.fences() {
		o.config.Rooms = append(o.config.Rooms, broker.RoomName{Name: demoCollection + "/@" + strings.ReplaceAll(f.name, " ", "-"), Filter: f.filter})
	}
	b, err := broker.Start(ctx, o.config, log)
	if err != nil {
		return err
	}
	if o.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.duration)
		defer cancel()
	}
	introduce(out, sim, b)
	err = o.play(ctx, b, sim, newBoard(sim.city.fences(), out, !o.plain))
	return errors.Join(err, drain(b))
}

func (o *demoOptions) simulation() (*simulation, error) {
	if o.vehicles < 1 || o.vehicles > 1000 {
		return nil, fmt.Errorf("--vehicles %d: must be from 1 to 1000", o.vehicles)
	}
	if !(o.speed > 0 && o.speed <= 1000) {
		return nil, fmt.Errorf("--speed %v: must be more than 0 and at most 1000", o.speed)
	}
	for _, c := range cities() {
		if strings.EqualFold(c.name, o.city) {
			return newSimulation(c, o.vehicles, o.seed), nil
		}
	}
	return nil, fmt.Errorf("--city %q: must be one of %s", o.city, strings.Join(cityNames(), ", "))
}

// freeAddress returns the address if it is free, else the same with any port.
func freeAddress(address string) string {
	l, err := net.Listen("tcp", address)
	if err == nil {
		_ = l.Close() // it has served its purpose
		return address
	}
	host, _, splitErr := net.SplitHostPort(address)
	if splitErr != nil || !errors.Is(err, syscall.EADDRINUSE) {
		return address // broker.Start says what is wrong with it
	}
	return net.JoinHostPort(host, "0")
}

// play watches the fences, drives the fleet, and shows what happens, until the
// context or the broker ends.
func (o *demoOptions) play(ctx context.Context, b *broker.Broker, sim *simulation, board *board) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	at := client.Options{Broker: b.MQTTAddr()}
	var running sync.WaitGroup
	defer running.Wait()
	watching := make(chan struct{})
	running.Go(func() {
		err := stayConnected(ctx, at, board.note, func(c *client.Client) error {
			return watch(ctx, c, sim.city.fences(), board, watching)
		})
		cancel(err)
	})
	running.Go(func() { board.show(ctx) })
	select {
	case <-watching: // nobody drives before somebody looks
		o.drive(ctx, at, sim, board, &running)
	case <-ctx.Done():
	}
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// watch subscribes to the fences and waits for the end. The first time, it
// closes watching when it sees them all.
func watch(ctx context.Context, c *client.Client, fences []fence, board *board, watching chan struct{}) error {
	for i, f := range fences {
		_, err := c.Subscribe(ctx, roomTopic(demoCollection, f.filter)+"&transition=enter,exit", 1, func(m client.Message) {
			board.event(i, m)
		})
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	select {
	case <-watching:
	default:
		close(watching)
	}
	select {
	case <-c.Done():
		return c.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// drive moves the fleet and lets each vehicle publish, over a connection of its
// own.
func (o *demoOptions) drive(ctx context.Context, at client.Options, sim *simulation, board *board, running *sync.WaitGroup) {
	var reports []chan client.Message
	for _, v := range sim.vehicles {
		at.ClientID = v.id
		ch, own := make(chan client.Message, 1), at
		reports = append(reports, ch)
		running.Go(func() {
			_ = stayConnected(ctx, own, board.note, func(c *client.Client) error { // it ends with ctx
				return publishReports(ctx, c, ch, board)
			})
		})
	}
	ticker := time.NewTicker(reportInterval)
	defer ticker.Stop()
	ahead := time.Duration(0) // simulated time that is due
	for {
		for i, v := range sim.vehicles {
			select {
			case reports[i] <- client.Message{Topic: demoCollection + "/" + v.id, Payload: sim.document(v), QoS: 1}:
			default: // its last report is not acknowledged yet: this one is skipped
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		ahead += time.Duration(float64(reportInterval) * o.speed)
		sim.step(ahead)
		ahead %= time.Second
	}
}

func publishReports(ctx context.Context, c *client.Client, reports <-chan client.Message, board *board) error {
	for {
		select {
		case m := <-reports:
			if err := c.Publish(ctx, m); err != nil {
				return err
			}
			board.published()
		case <-c.Done():
			return c.Err()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// introduce says what runs where, and what to try.
func introduce(out io.Writer, sim *simulation, b *broker.Broker) {
	host, port, _ := net.SplitHostPort(b.MQTTAddr()) // it is one that listens
	inHarbour := sim.city.fences()[1].filter
	say(out, `%d trucks drive around %s. Ambit listens on
  mqtt://%s
  ws://%s/mqtt
and shows the fleet on a live map at
  http://%s/

Try this in another terminal:
  mosquitto_sub -h %s -p %s -t %s
  %s sub --broker %s %s %s
`, len(sim.vehicles), sim.city.name, b.MQTTAddr(), b.HTTPAddr(), b.HTTPAddr(),
		host, port, shellQuote(roomTopic(demoCollection, inHarbour)),
		self(), b.MQTTAddr(), demoCollection, shellQuote(`{"range":{"speed":{"gt":50}}}`))
}

// self returns what to type to run this program again.
func self() string {
	if _, err := exec.LookPath("ambit"); err == nil {
		return "ambit"
	}
	path, err := os.Executable()
	if err != nil || strings.Contains(filepath.ToSlash(path), "/go-build") { // of go run
		return "go run ./cmd/ambit"
	}
	return shellQuote(path)
}

// shellQuote quotes a word for a POSIX shell.
func shellQuote(word string) string {
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
