package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/ambitmq/ambit/client"
)

// connectTimeout is how long a broker may take to let a client in.
const connectTimeout = 10 * time.Second

// Redialling waits so long, at first and at most.
const (
	firstBackoff = 100 * time.Millisecond
	lastBackoff  = 5 * time.Second
)

// brokerFlag adds the flag --broker.
func brokerFlag(cmd *cobra.Command, broker *string) {
	cmd.Flags().StringVarP(broker, "broker", "b", "127.0.0.1:1883", "`address` of the broker: host:port, mqtt://host:port or ws://host:port/mqtt")
}

// connect dials once. Its error has the exit code for an unreachable broker.
func connect(ctx context.Context, o client.Options) (*client.Client, error) {
	dialCtx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	c, err := client.Dial(dialCtx, o)
	if err != nil && ctx.Err() == nil {
		err = &exitError{exitUnreachable, fmt.Errorf("cannot connect to %s: %w", o.Broker, err)}
	}
	return c, err
}

// reconnect dials until it succeeds or ctx ends.
func reconnect(ctx context.Context, o client.Options) (*client.Client, error) {
	for wait := firstBackoff; ; wait = min(2*wait, lastBackoff) {
		c, err := connect(ctx, o)
		if err == nil {
			return c, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
	}
}

// stayConnected dials and calls use, again whenever the connection was lost,
// until use returns something else. Only the first dial may fail. note is told
// of each loss.
func stayConnected(ctx context.Context, o client.Options, note func(error), use func(*client.Client) error) error {
	c, err := connect(ctx, o)
	for err == nil {
		err = use(c)
		c.Close()
		if !errors.Is(err, client.ErrConnectionLost) {
			return err
		}
		note(err)
		c, err = reconnect(ctx, o)
	}
	return err
}
