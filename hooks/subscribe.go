package hooks

import (
	"fmt"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/rooms"
	"github.com/ambitmq/ambit/sessions"
	"github.com/ambitmq/ambit/topics"
)

// Resolve finds the content filter of a room: the one that was typed, that of a
// room with the hash that was typed, or the one that the store remembers.
func (h *Hook) Resolve(to topics.Filter, remembered []byte) (sessions.Target, error) {
	t := sessions.Target{Kind: to.Kind, Options: to.Room.Options}
	var f *filter.Filter
	var err error
	switch {
	case to.Kind == topics.Presence && to.Index == "": // of clients
		return t, nil
	case remembered != nil:
		f, err = filter.ParseWithin(remembered, filter.NoLimits())
	case to.Room.Hash != "":
		room, ok := h.rooms.Filter(to.Index, to.Collection, to.Room.Hash)
		if !ok && to.Kind == topics.Plain {
			return t, nil // a document that is named like a hash
		}
		if !ok {
			err = fmt.Errorf("no room of %s/%s has the hash %s", to.Index, to.Collection, to.Room.Hash)
		}
		f = room
	case to.Kind == topics.Plain:
		return t, nil
	case to.Room.Filter == "":
		f, err = filter.Parse([]byte("{}"))
	default:
		f, err = filter.ParseWithin([]byte(to.Room.Filter), h.opts.Filters)
	}
	if err != nil {
		return t, refuseFilter(err)
	}
	if to.Kind == topics.Plain { // <index>/<collection>/<filterhash>
		t.Kind, t.Options = topics.Room, topics.DefaultOptions
	}
	to.Kind, to.Room.Options = t.Kind, t.Options
	if err := rooms.Check(to, f); err != nil && to.Kind != topics.Presence {
		return t, refuseFilter(err)
	}
	t.NamesDocuments = len(f.Neighbours()) > 0
	t.Hash, t.Filter, t.Content = f.Hash(to.Index, to.Collection), f.String(), f
	return t, nil
}
