package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
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

// brokerFlags adds the flags that say where the broker is, and who connects.
func brokerFlags(cmd *cobra.Command, o *client.Options) {
	flags := cmd.Flags()
	flags.StringVarP(&o.Broker, "broker", "b", "127.0.0.1:1883",
		"`address` of the broker: host:port, mqtt://…, mqtts://…, ws://host:port/mqtt, wss://… or unix:///path")
	flags.StringVarP(&o.Username, "username", "u", "", "`name` of the user to sign in as")
	flags.StringVarP(&o.Password, "password", "P", "", "`password` of the user")
	flags.Var((*authorities)(o), "ca", "`file` with the certificates of the authorities to trust, instead of the system's")
}

// authorities is the flag --ca: it makes the settings of TLS.
type authorities client.Options

func (a *authorities) String() string { return "" }
func (a *authorities) Type() string   { return "file" }

// Set reads a file of certificates.
func (a *authorities) Set(file string) error {
	pem, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s: there is no certificate in it", file)
	}
	a.TLS = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return nil
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
