package broker

import (
	"time"

	"github.com/ambitmq/ambit/pocketbase"
	"github.com/ambitmq/ambit/topics"
)

// PocketBase has the settings of PocketBase's protocol, which every HTTP listener speaks, too.
type PocketBase struct {
	// Index is that of collections that clients name without one: with "fleet", the collection
	// "trucks" is fleet/trucks, and else it is called "fleet.trucks". "" is none.
	Index string `mapstructure:"index"`
	// Idle is how long a stream of events stays on which nothing is told: 5 minutes, as
	// PocketBase's. Its client connects again by itself.
	Idle time.Duration `mapstructure:"idle"`
}

// checkPocketBase checks the settings of PocketBase's protocol.
func (c Config) checkPocketBase(k *check) {
	k.duration("pocketbase.idle", c.PocketBase.Idle, minTimeout, maxTimeout)
	index := c.PocketBase.Index
	if index == "" {
		return
	}
	if got, _, err := topics.ParseCollection(index + "/c"); err != nil || got != index {
		k.bad("pocketbase.index", quoted(index), "the name of an index, as it is in a topic")
	}
}

func (b *Broker) newPocketBase() *pocketbase.Server {
	cfg := b.listeners.now.Load()
	return pocketbase.New(b.hook, pocketbase.Options{
		Index: cfg.PocketBase.Index, Idle: cfg.PocketBase.Idle, WriteTimeout: cfg.Limits.WriteTimeout, ReadTimeout: cfg.Limits.ConnectTimeout,
		RequestBytes: func() int { return b.listeners.now.Load().Limits.PacketBytes },
		SignInBytes:  cfg.Limits.ConnectBytes,
	})
}
