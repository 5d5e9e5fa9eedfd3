package hooks

import (
	"context"
	"sync"
	"time"

	"github.com/ambitmq/ambit/mappings"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/rooms"
	"github.com/ambitmq/ambit/sessions"
)

// maxTransitions is how many messages about fences may wait to be put into the pipeline. The
// oldest make room.
const maxTransitions = 10_000

// A fenceGuard tells devices that they have entered or left a fence, by messages on their own
// topics, which are as if somebody had published them.
type fenceGuard struct {
	hook    *Hook
	started time.Time

	mu      sync.Mutex // guards what follows
	waiting []*sessions.Message
	dropped int
	armed   bool
	telling sync.Mutex // held while they are put into the pipeline, in order
}

// fences returns what package rooms asks and tells.
func (h *Hook) fences() rooms.Fences {
	g := &fenceGuard{hook: h, started: time.Now()}
	return rooms.Fences{
		Watched: func(index, collection string) bool { return h.now().Mappings.Watches(index, collection) },
		Crossed: g.crossed,
	}
}

// crossed notes what a device is to be told. Whoever drains the tail calls it, who must not
// wait for the pipeline: somebody else puts it there.
func (g *fenceGuard) crossed(c rooms.Crossing) {
	doc := c.Change.After
	if doc == nil {
		doc = c.Change.Before
	}
	since := c.Name.Time
	if since.IsZero() {
		since = g.started // it is a setting
	}
	topic, payload, ok := g.hook.now().Mappings.Transition(doc.Key.Index, doc.Key.Collection, doc.Key.ID, doc.Body, mappings.Transition{
		Fence: c.Name.Name, Since: since, Enters: c.Enters, At: c.Change.Time,
	})
	if !ok {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) >= maxTransitions {
		g.waiting = g.waiting[1:]
		g.dropped++
	}
	g.waiting = append(g.waiting, &sessions.Message{Topic: topic, Payload: payload, QoS: 2})
	if !g.armed {
		g.armed = true
		g.hook.engine.At(time.Now(), g.tell)
	}
}

// tell puts what waits into the pipeline, for sessions that are away, too.
func (g *fenceGuard) tell() {
	g.telling.Lock()
	defer g.telling.Unlock()
	g.mu.Lock()
	messages, dropped := g.waiting, g.dropped
	g.waiting, g.dropped, g.armed = nil, 0, false
	g.mu.Unlock()
	if dropped > 0 {
		g.hook.opts.Log.Warn("devices are not told of fences: too much is to be told", "messages", dropped)
	}
	for _, m := range messages {
		op := &persistence.Op{Bytes: len(m.Payload), Applied: func(r *persistence.Result) { g.hook.logUntold("", r.Err) }}
		g.hook.engine.Announce(op, m)
		g.hook.logUntold("", g.hook.store.Append(context.Background(), op))
	}
}
