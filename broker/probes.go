package broker

import (
	"context"
	"net/http"
	"time"
)

// aliveTimeout is how long an operation may take to go through the pipeline before the
// broker is taken to be stuck.
const aliveTimeout = 10 * time.Second

// health answers whether the broker works: [Broker.Alive].
func (b *Broker) health(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), aliveTimeout)
	defer cancel()
	if err := b.Alive(ctx); err != nil {
		http.Error(w, "stuck: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n")) // fails when the client has gone
}

// readiness answers whether the broker takes everything that clients send.
func (b *Broker) readiness(w http.ResponseWriter, r *http.Request) {
	switch {
	case b.listeners.closing.Err() != nil || b.engine.Draining():
		http.Error(w, "shutting down", http.StatusServiceUnavailable)
	case b.store.DiskIsFull():
		http.Error(w, "the disk is almost full: writes are refused", http.StatusServiceUnavailable)
	default:
		b.health(w, r)
	}
}
