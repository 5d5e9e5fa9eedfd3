package access

import (
	"net"
	"sync"
	"time"

	"github.com/ambitmq/ambit/limits"
)

// Flapping sees to it that no client identifier connects again and again from one address. A
// nil one does not. It may be used concurrently.
type Flapping struct {
	rate   limits.Rate
	ban    time.Duration
	counts *limits.Counts

	mu      sync.Mutex // guards clients
	clients map[string]*flaps
}

// flaps are the connections of one client identifier from one address.
type flaps struct {
	limits.Buckets
	last   time.Time
	banned time.Time // until when
}

// maxFlapping is how many client identifiers are remembered.
const maxFlapping = 100_000

// NewFlapping returns one that bans, for a time, who connects more often than rate.
func NewFlapping(rate limits.Rate, ban time.Duration, counts *limits.Counts) *Flapping {
	return &Flapping{rate: rate, ban: ban, counts: counts, clients: map[string]*flaps{}}
}

// connect counts a connection. banned says that the client may not connect now, and begun that
// this is since now.
func (f *Flapping) connect(client string, from net.Addr) (banned, begun bool) {
	if f == nil || client == "" {
		return false, false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	key := limits.NetworkOf(from).String() + " " + client
	c := f.clients[key]
	if c == nil {
		f.makeRoom(now)
		c = &flaps{Buckets: limits.NewBuckets([]limits.Rate{f.rate}, now)}
		f.clients[key] = c
	}
	c.last = now
	if now.Before(c.banned) {
		f.counts.Add(limits.Banned)
		return true, false
	}
	if c.Wait(now) > 0 {
		c.banned = now.Add(f.ban)
		f.counts.Add(limits.Flapping)
		return true, true
	}
	c.Take(1)
	return false, false
}

// makeRoom forgets those who have not connected lately, and if there are none, some others.
func (f *Flapping) makeRoom(now time.Time) {
	if len(f.clients) < maxFlapping {
		return
	}
	for key, c := range f.clients {
		if now.Sub(c.last) > f.rate.Per && now.After(c.banned) {
			delete(f.clients, key)
		}
	}
	for key := range f.clients {
		if len(f.clients) < maxFlapping-maxFlapping/8 {
			return
		}
		delete(f.clients, key)
	}
}
