package hooks

import (
	"errors"
	"fmt"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/rooms"
	"github.com/ambitmq/ambit/sessions"
	"github.com/ambitmq/ambit/topics"
)

// Resolve finds the content filter of a room: the one that was typed, that of a
// room with the hash or the name that was typed, or the one that the store remembers.
// What may be found by it is the and with the rule that somebody is under; by what the
// store remembers, that is seen to when the subscription goes over.
func (h *Hook) Resolve(by sessions.Rights, to topics.Filter, remembered []byte) (sessions.Target, error) {
	t, err := h.resolveFor(by, to, remembered)
	if r, ok := by.(*rights); ok && err != nil && errors.Is(err, access.ErrForbidden) {
		h.door.Audit.Forbidden(r.who.User, r.client, "subscribe", to.Text, err.Error())
	}
	return t, refuseForbidden(err)
}

func (h *Hook) resolveFor(by sessions.Rights, to topics.Filter, remembered []byte) (sessions.Target, error) {
	t, v, err := h.resolve(to, remembered)
	if err != nil {
		return t, err
	}
	if v.Filter == nil {
		return t, maySubscribe(by, to)
	}
	if remembered == nil {
		if v.Filter, err = under(by, to, v.Filter.Own()); err != nil {
			return t, err
		}
	}
	to.Kind, to.Room.Options = t.Kind, t.Options
	if err := rooms.Check(to, v.Filter); err != nil && to.Kind != topics.Presence {
		return t, h.refuseFilter(err)
	}
	return target(to, t, v), nil
}

// resolve returns the content filter of a room as it stands there. A target that has none
// has no filter.
func (h *Hook) resolve(to topics.Filter, remembered []byte) (sessions.Target, rooms.View, error) {
	t := sessions.Target{Kind: to.Kind, Options: to.Room.Options}
	var v rooms.View
	var err error
	if to.Kind == topics.Presence && to.Room.Name != "" {
		if _, ok := h.rooms.Named(to.Index, to.Collection, to.Room.Name); ok {
			remembered = nil // the name may have come to point to another filter
		}
	}
	switch {
	case to.Kind == topics.Presence && to.Index == "": // of clients
		return t, v, nil
	case to.Kind == topics.Channel || to.Kind == topics.User:
		t.Kind = topics.Plain // the tree has them
		return t, v, nil
	case remembered != nil:
		v, err = rooms.ParseView(remembered)
	case to.Room.Name != "":
		n, ok := h.rooms.Named(to.Index, to.Collection, to.Room.Name)
		if !ok {
			err = fmt.Errorf("no room of %s/%s has the name %s", to.Index, to.Collection, to.Room.Name)
		}
		v.Filter = n.Filter
	case to.Room.Hash != "":
		room, ok := h.rooms.Filter(to.Index, to.Collection, to.Room.Hash)
		if !ok && to.Kind == topics.Plain {
			return t, v, nil // a document that is named like a hash
		}
		if !ok {
			err = fmt.Errorf("no room of %s/%s has the hash %s", to.Index, to.Collection, to.Room.Hash)
		}
		v.Filter = room
	case to.Kind == topics.Plain:
		return t, v, nil
	case to.Room.Filter == "":
		v.Filter, err = filter.Parse([]byte("{}"))
	default:
		v.Filter, err = filter.ParseWithin([]byte(to.Room.Filter), h.now().Filters)
	}
	if err != nil {
		return t, v, h.refuseFilter(err)
	}
	if to.Kind == topics.Plain { // <index>/<collection>/<filterhash>
		t.Kind, t.Options = topics.Room, topics.DefaultOptions
	}
	return t, v, nil
}
