package hooks

import (
	"context"
	"fmt"
	"iter"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/rooms"
	"github.com/ambitmq/ambit/sessions"
	"github.com/ambitmq/ambit/topics"
)

// maxEarlier is from how many filters a client may go over at once. One who was
// interrupted more often is told of a gap.
const maxEarlier = 8

// Shift says whether a subscription is to go over to another filter: the one that its
// name points to now, or to none.
func (h *Hook) Shift(to topics.Filter, told sessions.Target) (next, over sessions.Target, ok bool) {
	if to.Room.Name == "" {
		return told, told, false
	}
	f := h.pointsTo(to)
	view := told.Content.(rooms.View)
	if view.Is(f) {
		return told, told, false
	}
	next, over = target(to, told, rooms.View{Filter: f}), target(to, told, view.To(f))
	over.Lost = len(view.Earlier) >= maxEarlier
	return next, over, true
}

// pointsTo returns the filter that a name points to. It is that of nothing if there is no
// such name, or the topic filter could never be told anything of the filter.
func (h *Hook) pointsTo(to topics.Filter) *filter.Filter {
	n, ok := h.rooms.Named(to.Index, to.Collection, to.Room.Name)
	if !ok || rooms.Check(to, n.Filter) != nil {
		return h.nothing
	}
	return n.Filter
}

// target returns a target of the same kind and options as another one, with a view.
func target(to topics.Filter, of sessions.Target, v rooms.View) sessions.Target {
	of.Hash, of.Filter, of.Content = v.Filter.Hash(to.Index, to.Collection), v.String(), v
	of.NamesDocuments = len(v.Filter.Neighbours()) > 0
	return of
}

// Difference yields what is told of the documents of which the views differ.
func (h *Hook) Difference(to topics.Filter, over sessions.Target, snap *persistence.Snapshot) iter.Seq2[*sessions.Message, error] {
	return roomMessages(h.rooms.Replay(to, over.Content.(rooms.View)).Difference(snap))
}

// RestoreNames brings back the names that the store has, and those of the configuration,
// which go before. It is called before sessions are restored.
func (h *Hook) RestoreNames(configured []rooms.Name) error {
	for n, err := range h.store.RoomNames() {
		if err != nil {
			return fmt.Errorf("hooks: restore names: %w", err)
		}
		f, err := filter.ParseWithin(n.Filter, filter.NoLimits())
		if err == nil {
			err = h.rooms.SetName(rooms.Name{Index: n.Index, Collection: n.Collection, Name: n.Name, Filter: f, User: n.User, Time: n.Time}, h.store)
		}
		if err != nil {
			return fmt.Errorf("hooks: restore name %s/%s/@%s: %w", n.Index, n.Collection, n.Name, err)
		}
	}
	for _, n := range configured {
		n.Configured = true
		if err := h.rooms.SetName(n, h.store); err != nil {
			return fmt.Errorf("hooks: configured name %s/%s/@%s: %w", n.Index, n.Collection, n.Name, err)
		}
	}
	return nil
}

// Rename has a name point to what edit makes of what it points to now: a filter, nil for
// none. When it returns, that is on disk, and who is told by the name is told nothing more by
// the old filter. An error of edit is returned, and nothing is changed.
func (h *Hook) Rename(ctx context.Context, name rooms.Name, edit func(now *rooms.Name) (next *rooms.Name, err error)) error {
	h.naming.Lock()
	defer h.naming.Unlock()
	var now *rooms.Name
	old := h.nothing
	if n, ok := h.rooms.Named(name.Index, name.Collection, name.Name); ok {
		now, old = &n, n.Filter
	}
	next, err := edit(now)
	if err != nil {
		return err
	}
	stored := persistence.RoomName{Index: name.Index, Collection: name.Collection, Name: name.Name}
	record := persistence.DeleteRoomName(stored)
	if next != nil {
		stored.Filter, stored.User, stored.Time = []byte(next.Filter.String()), next.User, next.Time
		record = persistence.PutRoomName(stored)
	}
	done := make(chan error, 1)
	op := &persistence.Op{Records: []persistence.Record{record}, Snapshot: true, Applied: func(r *persistence.Result) {
		if r.Err != nil {
			done <- r.Err
			return
		}
		done <- h.renamed(name, old, next, r)
	}}
	if err := h.store.Append(ctx, op); err != nil {
		return err
	}
	return <-done // what is appended is applied
}

// renamed is what Rename does when its turn has come.
func (h *Hook) renamed(name rooms.Name, old *filter.Filter, next *rooms.Name, r *persistence.Result) error {
	if next == nil {
		h.rooms.DropName(name.Index, name.Collection, name.Name)
	} else if err := h.rooms.SetName(*next, r.Snapshot); err != nil {
		r.Snapshot.Close()
		return fmt.Errorf("hooks: name %s/%s/@%s: %w", name.Index, name.Collection, name.Name, err)
	}
	called := h.rooms.Called(name.Index, name.Collection, name.Name, old.Hash(name.Index, name.Collection))
	h.engine.Shift(func(yield func(client, topicFilter string) bool) {
		for _, m := range called {
			if !yield(m.Member, m.TopicFilter) {
				return
			}
		}
	}, r)
	return nil
}
