package broker

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// aliveTimeout is how long an operation may take to go through the pipeline before the
// broker is taken to be stuck.
const aliveTimeout = 10 * time.Second

// pulseEvery is for how long what was found out of the broker's health holds: anybody
// may ask, and however many do, one operation a second answers all of them.
const pulseEvery = time.Second

// A pulse is what was found out last.
type pulse struct {
	mu  sync.Mutex // guards what follows, and is held while it is found out
	at  time.Time
	err error
}

// feel returns what alive says, which is asked once in a while.
func (p *pulse) feel(ctx context.Context, alive func(context.Context) error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at.IsZero() || time.Since(p.at) >= pulseEvery {
		ctx, cancel := context.WithTimeout(ctx, aliveTimeout)
		defer cancel()
		p.err = alive(ctx)
		p.at = time.Now()
	}
	return p.err
}

// health answers whether the broker works: [Broker.Alive].
func (b *Broker) health(w http.ResponseWriter, r *http.Request) {
	if err := b.pulse.feel(context.WithoutCancel(r.Context()), b.Alive); err != nil {
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
