package api

import (
	"sync"
	"time"
)

// maxBuckets is how many callers are remembered before those are forgotten who
// may do what a new one may.
const maxBuckets = 10_000

// rates say how many requests each caller may make now.
type rates struct {
	mu      sync.Mutex // guards buckets
	buckets map[string]*bucket
}

// A bucket is filled with time, and each request takes one out.
type bucket struct {
	left float64
	at   time.Time
}

func (b *bucket) fill(rate float64, now time.Time) {
	b.left = min(max(1, rate), b.left+rate*now.Sub(b.at).Seconds())
	b.at = now
}

// take counts a request of a caller. The error says that it is one too many.
func (r *rates) take(name string, rate float64, now time.Time) error {
	if rate <= 0 {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.buckets[name]
	if b == nil {
		r.makeRoom(rate, now)
		b = &bucket{left: max(1, rate), at: now}
		r.buckets[name] = b
	}
	b.fill(rate, now)
	if b.left < 1 {
		return tooMany.with(rate)
	}
	b.left--
	return nil
}

// makeRoom forgets the callers who have not asked lately, and if there are none, everybody.
func (r *rates) makeRoom(rate float64, now time.Time) {
	if len(r.buckets) < maxBuckets {
		return
	}
	for name, b := range r.buckets {
		if b.fill(rate, now); b.left >= max(1, rate) {
			delete(r.buckets, name)
		}
	}
	if len(r.buckets) >= maxBuckets {
		clear(r.buckets)
	}
}
