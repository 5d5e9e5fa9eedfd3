package broker

import "time"

// Presence says who is taken to be there.
type Presence struct {
	// Grace is how long a client may be away before anybody is told: it may be just
	// reconnecting. 0 tells at once.
	Grace time.Duration `mapstructure:"grace"`
	// Keep is how long it is known of a client that it is offline, and since when and
	// why.
	Keep time.Duration `mapstructure:"keep"`
	// Clients is of how many it is known. Those that are offline for the longest time are
	// forgotten first.
	Clients int `mapstructure:"clients"`
}

func (p Presence) check(k *check) {
	if p.Grace != 0 {
		k.duration("presence.grace", p.Grace, time.Millisecond, time.Hour)
	}
	k.duration("presence.keep", p.Keep, time.Second, 100*365*24*time.Hour)
	k.number("presence.clients", int64(p.Clients), 1, 10_000_000)
}
