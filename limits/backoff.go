package limits

import (
	"sync"
	"time"
)

// A Backoff makes those wait who fail again and again: after some failures that cost
// nothing, each one doubles the time. It may be used concurrently.
type Backoff struct {
	// Free is how many failures cost nothing, First the time after the next one, and Most
	// the longest. Who has not failed for twice as long has not failed.
	Free        int
	First, Most time.Duration
	// Keys is how many are remembered.
	Keys int

	mu   sync.Mutex // guards keys
	keys map[string]failures
}

// failures are those of a key.
type failures struct {
	n     int
	until time.Time // a next attempt may be made
	last  time.Time
}

// Wait returns how long a key has to wait, and 0 if it may try now.
func (b *Backoff) Wait(key string, now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(0, b.keys[key].until.Sub(now))
}

// Has says whether a key has failed lately.
func (b *Backoff) Has(key string, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	f, ok := b.keys[key]
	return ok && now.Sub(f.last) <= 2*b.Most
}

// Fail counts a failure of a key.
func (b *Backoff) Fail(key string, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f, known := b.keys[key]
	if !known {
		b.makeRoom(now)
	}
	if now.Sub(f.last) > 2*b.Most {
		f = failures{}
	}
	f.n, f.last = f.n+1, now
	if over := f.n - b.Free; over > 0 {
		wait := b.Most
		if over < 32 {
			wait = min(b.Most, b.First<<(over-1))
		}
		f.until = now.Add(wait)
	}
	b.keys[key] = f
}

// Succeed forgets the failures of a key.
func (b *Backoff) Succeed(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.keys, key)
}

// makeRoom makes room for a key: it forgets those who have not failed lately, and if there are
// none, some others.
func (b *Backoff) makeRoom(now time.Time) {
	if b.keys == nil {
		b.keys = map[string]failures{}
	}
	if len(b.keys) < b.Keys {
		return
	}
	for key, f := range b.keys {
		if now.Sub(f.last) > 2*b.Most {
			delete(b.keys, key)
		}
	}
	for key := range b.keys {
		if len(b.keys) < b.Keys-b.Keys/8 {
			return
		}
		delete(b.keys, key)
	}
}
