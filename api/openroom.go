package api

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/ambitmq/ambit/rooms"
)

// An openRoom is what is answered of a room that somebody is in.
type openRoom struct {
	Index      string `json:"index"`
	Collection string `json:"collection"`
	RoomID     string `json:"roomId"`
	// Filter is null for who may not see all documents: it may be about others.
	Filter  json.RawMessage `json:"filter"`
	Members int             `json:"members"`
	// Notifications are those that members were given since somebody came into the room,
	// one for each member.
	Notifications int64 `json:"notifications"`
}

// listOpenRooms lists the rooms that somebody is in, whether they have a name or not, by
// collection and id.
func listOpenRooms(c *call) (any, error) {
	list := slices.DeleteFunc(slices.Collect(c.rooms.All()), func(room rooms.Occupancy) bool {
		return room.Members == 0 || c.Index != "" && room.Index != c.Index || c.Collection != "" && room.Collection != c.Collection || !c.shares(room)
	})
	slices.SortFunc(list, func(a, b rooms.Occupancy) int {
		return cmp.Or(cmp.Compare(a.Index, b.Index), cmp.Compare(a.Collection, b.Collection), cmp.Compare(a.Hash, b.Hash))
	})
	return listed(c, list, func(room rooms.Occupancy) openRoom {
		r := openRoom{
			Index: room.Index, Collection: room.Collection, RoomID: room.Hash,
			Members: c.opts.Presence.Count(room.Hash), Notifications: room.Told,
		}
		if sight, err := c.rights.List(room.Index, room.Collection); err == nil && sight.Filter.Everything() && len(sight.Hidden) == 0 {
			r.Filter = json.RawMessage(room.Filter.String())
		}
		return r
	})
}
