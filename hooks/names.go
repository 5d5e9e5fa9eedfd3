package hooks

import (
	"fmt"
	"iter"
	"time"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/rooms"
	"github.com/ambitmq/ambit/sessions"
	"github.com/ambitmq/ambit/topics"
)

// maxEarlier is from how many filters a client may go over at once. One that was
// interrupted more often is told of a gap.
const maxEarlier = 32

// Shift says whether a subscription is to go over to another filter: the one that its
// name points to now, or to none, as it is under the rules that there are now.
func (h *Hook) Shift(by sessions.Rights, to topics.Filter, told sessions.Target) (next, over sessions.Target, ok bool) {
	view, ok := told.Content.(rooms.View)
	if !ok || to.Room.Name == "" && by == nil && !view.Filter.Ruled() {
		return told, told, false
	}
	f := view.Filter.Own()
	if to.Room.Name != "" {
		f = h.pointsTo(to)
	}
	f = h.underNow(by, to, f.Own())
	if view.Is(f) {
		return told, told, false
	}
	next, over = target(to, told, rooms.View{Filter: f}), target(to, told, view.To(f))
	over.Lost = len(view.Earlier) >= maxEarlier
	return next, over, true
}

// underNow returns a filter as it is for a member who has it: under a rule that lets
// nothing through, if he may not have it any more.
func (h *Hook) underNow(by sessions.Rights, to topics.Filter, own *filter.Filter) *filter.Filter {
	f, err := under(by, to, own)
	if err == nil {
		err = rooms.Check(to, f)
	}
	if err != nil {
		f, err = own.Under(h.nothing, nil)
	}
	if err != nil {
		return h.nothing // it is too long for a filter, and none was told by it
	}
	return f
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

// called returns the hash of the room that a name points to for a client that subscribed by
// it, or "" if it points to none.
func (h *Hook) called(client string, to topics.Filter) string {
	by, ok := h.engine.RightsOf(client)
	if !ok {
		return "" // it has just gone
	}
	f := h.pointsTo(to)
	if f == h.nothing {
		return ""
	}
	return h.underNow(by, to, f.Own()).Hash(to.Index, to.Collection)
}

// target returns a target of the same kind and options as another one, with a view.
func target(to topics.Filter, of sessions.Target, v rooms.View) sessions.Target {
	of.Hash, of.Filter, of.Content = v.Filter.Hash(to.Index, to.Collection), v.String(), v
	of.Cost = v.Filter.Cost()
	of.NamesDocuments = len(v.Filter.Neighbours()) > 0
	return of
}

// Difference yields what is told of the documents of which the views differ.
func (h *Hook) Difference(to topics.Filter, over sessions.Target, snap *persistence.Snapshot) iter.Seq2[*sessions.Message, error] {
	return roomMessages(h.rooms.Replay(to, over.Content.(rooms.View)).Difference(snap))
}

// restoreNames brings back the names that the store has, and those of the configuration,
// which go before.
func (h *Hook) restoreNames() error {
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
	for _, n := range h.opts.Names {
		n.Configured = true
		if err := h.rooms.SetName(n, h.store); err != nil {
			return fmt.Errorf("hooks: configured name %s/%s/@%s: %w", n.Index, n.Collection, n.Name, err)
		}
	}
	return nil
}

// GoOver has members go over from the filter by which they are told to the one that
// their name points to now, as of a result with a snapshot. Whoever drains the store's tail
// calls it.
func (h *Hook) GoOver(name rooms.Name, members []rooms.Membership, r *persistence.Result) {
	h.presence.Rename(name.Index+"/"+name.Collection+"/@"+name.Name, time.Now().UTC())
	h.engine.Shift(func(yield func(client, topicFilter string) bool) {
		for _, m := range members {
			if !yield(m.Member, m.TopicFilter) {
				return
			}
		}
	}, r)
}
