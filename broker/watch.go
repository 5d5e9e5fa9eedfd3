package broker

import (
	"context"
	"time"
)

// watchEvery is how often it is looked whether what clients signed in with still holds.
const watchEvery = 250 * time.Millisecond

// watch disconnects clients that may not stay, until the listeners close.
func (b *Broker) watch() {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	clock := wallClock{started: time.Now()}
	for seen := b.hook.Door().Changes(); ; {
		select {
		case <-b.listeners.closing.Done():
			return
		case <-ticker.C:
		}
		if jump, jumped := clock.look(time.Now(), time.Since(clock.started)); jumped {
			b.log.Warn("the clock of the machine was put: what expires goes by how much time has passed until the broker is started again", "by", jump.Round(time.Millisecond))
		}
		if p := b.hook.Door().Access; p != nil && p.Refresh() {
			b.hook.Review()
		}
		revoked := b.listeners.refreshRevoked()
		if now := b.hook.Door().Changes(); now != seen || revoked {
			seen = now
			b.tellRenewed()
			b.engine.Recheck()
			b.listeners.agnost.Recheck()
		}
	}
}

// tellRenewed tells users that what they sign in with has changed.
func (b *Broker) tellRenewed() {
	ctx, cancel := context.WithTimeout(b.listeners.closing, watchEvery)
	defer cancel()
	b.hook.Renew(ctx)
}
