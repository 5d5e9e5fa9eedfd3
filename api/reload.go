package api

import (
	"context"
	"fmt"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/rooms"
)

// Reloaded says what has come of reading the settings again.
type Reloaded struct {
	// Changed are the settings that count from now on, and Restart those that have changed
	// and count from the next start on.
	Changed []string `json:"changed"`
	Restart []string `json:"restart"`
}

// reload reads the settings again.
func reload(c *call) (any, error) {
	if err := c.manages(); err != nil {
		return nil, err
	}
	if c.opts.Reload == nil {
		return nil, noSettings.with()
	}
	done, err := c.opts.Reload(c.ctx)
	if err != nil {
		return nil, badSettings.with(err)
	}
	return done, nil
}

// Reload has other settings count for requests that come from now on.
func (r *Router) Reload(o Options) {
	o = o.withDefaults()
	r.options.Store(&o)
}

// Configure has the names of rooms that are settings be these. One that is none any more
// points to what a request gave it, if one did.
func (r *Router) Configure(ctx context.Context, names []rooms.Name) error {
	r.naming.Lock()
	defer r.naming.Unlock()
	c := &call{Router: r, opts: r.options.Load(), ctx: ctx}
	wanted := map[string]bool{}
	for _, n := range names {
		n.Configured = true
		wanted[topicOf(n)] = true
		now, ok := r.rooms.Named(n.Index, n.Collection, n.Name)
		if ok && now.Configured && now.Filter.String() == n.Filter.String() {
			continue
		}
		if err := c.point(n, &n, nil); err != nil {
			return err
		}
	}
	for _, n := range r.rooms.Names("", "") {
		if !n.Configured || wanted[topicOf(n)] {
			continue
		}
		next, err := r.stored(n)
		if err == nil {
			err = c.point(n, next, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// stored returns the name as a request has made it, or nil.
func (r *Router) stored(name rooms.Name) (*rooms.Name, error) {
	for n, err := range r.store.RoomNames() {
		if err != nil {
			return nil, fmt.Errorf("names of rooms: %w", err)
		}
		if n.Index != name.Index || n.Collection != name.Collection || n.Name != name.Name {
			continue
		}
		f, err := filter.ParseWithin(n.Filter, filter.NoLimits())
		return &rooms.Name{Index: n.Index, Collection: n.Collection, Name: n.Name, Filter: f, User: n.User, Time: n.Time}, err
	}
	return nil, nil
}
