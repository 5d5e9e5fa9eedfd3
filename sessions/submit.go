package sessions

import (
	"context"

	"github.com/ambitmq/ambit/persistence"
)

// submit puts an operation into the pipeline and waits for it: until it is on
// disk, or until it is applied if that means anything.
func (e *Engine) submit(op *persistence.Op) error {
	done := make(chan error, 1)
	if applied := op.Applied; applied != nil {
		op.Applied = func(r *persistence.Result) {
			if r.Err == nil {
				applied(r)
			}
			done <- r.Err
		}
	} else {
		op.Committed = func(r *persistence.Result) { done <- r.Err }
	}
	if err := e.append(op); err != nil {
		return err
	}
	return <-done
}

// append puts an operation into the pipeline. The store bounds the wait: it
// commits as fast as the disk does, and gives up waiting when it closes.
func (e *Engine) append(op *persistence.Op) error {
	return e.store.Append(context.Background(), op)
}
