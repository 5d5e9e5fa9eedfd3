package main

import (
	"context"
	"errors"
	"sync"

	"github.com/ambitmq/ambit/client"
)

// laneRows is how many rows may wait for a lane. They are few: the reader is
// far faster than any broker.
const laneRows = 64

// A lane is one connection of a replayed fleet. The vehicles that use it never
// use another, so that their messages keep their order.
type lane struct {
	client client.Options
	qos    byte
	retry  bool
	tally  *tally
	rows   chan item

	mu      sync.Mutex // guards unacked
	unacked []item     // in the order in which they were sent
}

// run publishes rows until they are all reported, or the connection is lost. If
// it may retry, it connects again until reading is over, and begins with what
// was not acknowledged.
func (l *lane) run(ctx, reading context.Context) error {
	c, err := l.dial(ctx, reading)
	for err == nil {
		err = l.publish(ctx, c)
		c.Close() // when it returns, no callback will come any more
		if err == nil || !l.retry || !errors.Is(err, client.ErrConnectionLost) || reading.Err() != nil {
			return err
		}
		l.tally.note("%v; connecting again", err)
		c, err = reconnect(reading, l.client)
	}
	return err
}

func (l *lane) dial(ctx, reading context.Context) (*client.Client, error) {
	c, err := connect(ctx, l.client)
	if err != nil && l.retry && ctx.Err() == nil {
		l.tally.note("%v; trying again", err)
		return reconnect(reading, l.client)
	}
	return c, err
}

// publish sends what is not acknowledged yet, and then the rows as they come.
func (l *lane) publish(ctx context.Context, c *client.Client) error {
	l.mu.Lock()
	again := l.unacked[:len(l.unacked):len(l.unacked)]
	l.mu.Unlock()
	for _, it := range again {
		if err := l.send(ctx, c, it); err != nil {
			return err
		}
	}
	for {
		select {
		case it, ok := <-l.rows:
			if !ok {
				return c.Flush(ctx)
			}
			l.mu.Lock()
			l.unacked = append(l.unacked, it)
			l.mu.Unlock()
			if err := l.send(ctx, c, it); err != nil {
				return err
			}
		case <-c.Done():
			return c.Err()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// send publishes one row, which is in unacked until the broker has answered.
func (l *lane) send(ctx context.Context, c *client.Client, it item) error {
	return c.Send(ctx, client.Message{Topic: it.topic, Payload: it.body, QoS: l.qos}, func(err error) {
		refused := (*client.RefusedError)(nil)
		if err != nil && !errors.As(err, &refused) {
			return // lost: so are those behind it
		}
		l.mu.Lock()
		l.unacked = l.unacked[1:] // answers come in the order of the rows
		l.mu.Unlock()
		l.tally.answered(it, err)
	})
}
