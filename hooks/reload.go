package hooks

import (
	"context"

	"github.com/ambitmq/ambit/sessions"
)

// now returns the settings as they are now, which nobody writes.
func (h *Hook) now() *Options { return h.live.Load() }

// Reload has other settings count from now on: those of documents, filters, collections,
// mappings, names of rooms and requests, and those of the engine that it may change. It
// returns when who subscribed by a name that points elsewhere is told by the new filter.
func (h *Hook) Reload(ctx context.Context, o Options, engine sessions.Options) error {
	next := *h.now()
	next.Documents, next.DocumentBytes, next.Filters = o.Documents, o.DocumentBytes, o.Filters
	next.AutoCreate, next.Collections, next.Mappings, next.Names, next.API = o.AutoCreate, o.Collections, o.Mappings, o.Names, o.API
	h.live.Store(&next)
	h.engine.Reload(engine)
	h.api.Reload(h.requests())
	return h.api.Configure(ctx, o.Names)
}
