package broker

import (
	"context"

	"github.com/ambitmq/ambit/persistence"
)

// Alive returns nil once an operation that changes nothing has gone the way of
// every write: committed by the store, and carried to the rooms. The error is that
// of ctx if this takes too long, and [persistence.ErrClosed] while the broker
// closes. That the disk is full is no reason.
func (b *Broker) Alive(ctx context.Context) error {
	applied := make(chan struct{})
	op := &persistence.Op{Applied: func(*persistence.Result) { close(applied) }}
	if err := b.store.Append(ctx, op); err != nil {
		return err
	}
	select {
	case <-applied:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
