package api

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/rooms"
	"github.com/ambitmq/ambit/topics"
)

// roomActions is the table of the controller room: names of rooms.
func roomActions() map[string]action {
	return map[string]action{
		"create": createName, "update": updateName, "delete": deleteName, "get": getName, "list": listNames,
		"listOpen": listOpenRooms,
	}
}

// A namedRoom is what is answered of a name.
type namedRoom struct {
	Index      string          `json:"index"`
	Collection string          `json:"collection"`
	Name       string          `json:"name"`
	Channel    string          `json:"channel"`
	RoomID     string          `json:"roomId"`
	Filter     json.RawMessage `json:"filter"`
	Members    int             `json:"members"`
	Configured bool            `json:"configured"`
	// Author and UpdatedAt are null of one that is configured.
	Author    *string `json:"author"`
	UpdatedAt *int64  `json:"updatedAt"`
}

// namedRoom returns what is told of a name. The error says that the caller may not use it.
func (c *call) namedRoom(n rooms.Name) (namedRoom, error) {
	f, err := c.rights.Under(n.Index, n.Collection, n.Filter)
	if err != nil {
		return namedRoom{}, err
	}
	id := f.Hash(n.Index, n.Collection)
	answer := namedRoom{
		Index: n.Index, Collection: n.Collection, Name: n.Name, Channel: topicOf(n), RoomID: id,
		Filter: json.RawMessage(n.Filter.String()), Members: c.opts.Presence.Count(id), Configured: n.Configured,
	}
	if !n.Configured {
		at := n.Time.UnixMilli()
		answer.Author, answer.UpdatedAt = orNull(n.User), &at
	}
	return answer, nil
}

func topicOf(n rooms.Name) string { return n.Index + "/" + n.Collection + "/@" + n.Name }

// name returns the name that a request is about, with or without its @.
func (c *call) name() (rooms.Name, error) {
	if err := c.collection(); err != nil {
		return rooms.Name{}, err
	}
	text, err := c.string("name")
	if err != nil {
		return rooms.Name{}, err
	}
	if text == "" {
		return rooms.Name{}, missing.with("name")
	}
	n := rooms.Name{Index: c.Index, Collection: c.Collection, Name: strings.TrimPrefix(text, "@")}
	if err := topics.CheckRoomName(n.Name); err != nil {
		return n, invalidValue.with("name", "the name of a room: "+err.Error())
	}
	to, err := topics.ParseFilter(topicOf(n), c.opts.Topics)
	if err != nil || to.Room.Name != n.Name {
		return n, invalidValue.with("name", "the name of a room, which can be subscribed to")
	}
	if !c.lists(n.Index, n.Collection) {
		return n, forbiddenTo("know of the rooms of " + n.Index + "/" + n.Collection)
	}
	return n, nil
}

// find returns a room by its id, or by its name as "<index>/<collection>/@<name>", and the
// topic by which it is subscribed to. By a name it is the one in which the caller would be.
func (c *call) find(id string) (room rooms.Occupancy, topic string, ok bool) {
	index, collection, name, err := topics.ParseRoomName(id)
	if err != nil {
		room, ok = c.rooms.Find(id)
		return room, room.Index + "/" + room.Collection + "/~" + id, ok
	}
	n, ok := c.rooms.Named(index, collection, name)
	if !ok {
		return room, "", false
	}
	f, err := c.rights.Under(index, collection, n.Filter)
	if err != nil {
		return room, "", false
	}
	hash := f.Hash(index, collection)
	if room, ok = c.rooms.Find(hash); !ok {
		room = rooms.Occupancy{Index: index, Collection: collection, Hash: hash, Filter: f}
	}
	return room, id, true
}

// shares says whether the caller may know of a room and who is in it: one whose members see the same of
// the documents, or any, of who may see everything.
func (c *call) shares(room rooms.Occupancy) bool {
	if c.rights == nil {
		return true
	}
	list, err := c.rights.List(room.Index, room.Collection)
	if err == nil && (list.Filter.Everything() && len(list.Hidden) == 0 || isUnder(room, list)) {
		return true
	}
	return c.rights.Ruled(room.Index, room.Collection) && isUnder(room, c.rights.View(room.Index, room.Collection, ""))
}

// isUnder says whether the members of a room see what somebody with a sight would of its filter.
func isUnder(room rooms.Occupancy, sight *access.Sight) bool {
	switch rule := room.Filter.Rule(); {
	case !slices.Equal(room.Filter.Hidden(), sight.Hidden) || sight.Filter.Nothing():
		return false
	case rule != nil && rule.String() == sight.Filter.String():
		return true
	}
	f, err := room.Filter.Own().Under(sight.Filter, sight.Hidden) // another rule may amount to the same
	return err == nil && f.Hash(room.Index, room.Collection) == room.Hash
}

// known returns the hash of a room by its id or name. The error says that the caller may know of none.
func (c *call) known(id string) (hash string, err error) {
	room, _, ok := c.find(id)
	switch {
	case ok && c.shares(room):
		return room.Hash, nil
	case !ok && c.rights == nil: // some may be there still whose room is gone
		return id, nil
	}
	return "", roomNotFound.with(id)
}

// hashOf returns the hash of a room by its id or name.
func (c *call) hashOf(id string) string {
	if room, _, ok := c.find(id); ok {
		return room.Hash
	}
	return id
}

// queryOrName returns the filter that a body has, or names.
func (c *call) queryOrName(body map[string]json.RawMessage) (*filter.Filter, error) {
	if text := body["query"]; text != nil {
		return filter.ParseWithin(text, c.opts.Filters)
	}
	if body["name"] == nil {
		return nil, missing.with("query")
	}
	c.args["name"] = body["name"]
	n, err := c.name()
	if err != nil {
		return nil, err
	}
	known, ok := c.rooms.Named(n.Index, n.Collection, n.Name)
	if !ok {
		return nil, roomNotFound.with(topicOf(n))
	}
	return known.Filter, nil
}

func createName(c *call) (any, error) {
	return c.setName(func(n rooms.Name, now *rooms.Name) error {
		if now != nil {
			return nameExists.with(topicOf(n))
		}
		if len(c.rooms.Names(n.Index, n.Collection)) >= c.opts.RoomNames {
			return nameLimit.with(n.Index, n.Collection, c.opts.RoomNames)
		}
		return nil
	})
}

func updateName(c *call) (any, error) {
	return c.setName(func(n rooms.Name, now *rooms.Name) error {
		if now == nil {
			return roomNotFound.with(topicOf(n))
		}
		return nil
	})
}

// setName has the name of a request point to the filter in its body.
func (c *call) setName(check func(n rooms.Name, now *rooms.Name) error) (any, error) {
	n, err := c.name()
	if err != nil {
		return nil, err
	}
	if c.Body == nil {
		return nil, bodyRequired.with()
	}
	if n.Filter, err = filter.ParseWithin(c.Body, c.opts.Filters); err != nil {
		return nil, err
	}
	if _, err := c.under(n.Filter); err != nil {
		return nil, err
	}
	n.User, n.Time = c.from.User, c.now
	err = c.rename(n, func(now *rooms.Name) (*rooms.Name, error) { return &n, check(n, now) })
	if err != nil {
		return nil, err
	}
	return c.namedRoom(n)
}

func deleteName(c *call) (any, error) {
	n, err := c.name()
	if err != nil {
		return nil, err
	}
	err = c.rename(n, func(now *rooms.Name) (*rooms.Name, error) {
		if now == nil {
			return nil, roomNotFound.with(topicOf(n))
		}
		return nil, nil
	})
	return acknowledgement{err == nil}, err
}

// rename has a name point to what edit makes of what it points to now: a filter, nil for
// none. When it returns, that is on disk, and who is told by the name is told nothing more
// by the old filter.
func (c *call) rename(name rooms.Name, edit func(now *rooms.Name) (next *rooms.Name, err error)) error {
	c.naming.Lock()
	defer c.naming.Unlock()
	var now *rooms.Name
	if n, ok := c.rooms.Named(name.Index, name.Collection, name.Name); ok {
		now = &n
	}
	if now != nil && now.Configured {
		return nameConfigured.with(topicOf(name))
	}
	next, err := edit(now)
	if err != nil {
		return err
	}
	record := persistence.RoomName{Index: name.Index, Collection: name.Collection, Name: name.Name}
	records := []persistence.Record{persistence.DeleteRoomName(record)}
	if next != nil {
		record.Filter, record.User, record.Time = []byte(next.Filter.String()), next.User, next.Time
		records[0] = persistence.PutRoomName(record)
	}
	return c.point(name, next, records)
}

// point has a name point to something else, or nothing, and waits until it does. Whoever
// calls it holds naming.
func (c *call) point(name rooms.Name, next *rooms.Name, records []persistence.Record) error {
	done := make(chan error, 1)
	op := &persistence.Op{Records: records, Snapshot: true, Applied: func(r *persistence.Result) {
		done <- c.renamed(name, next, r)
	}}
	if err := c.store.Append(c.ctx, op); err != nil {
		return err
	}
	return <-done // whatever is appended is applied, and the next one must see it
}

// renamed is what rename does when its turn has come.
func (c *call) renamed(name rooms.Name, next *rooms.Name, r *persistence.Result) error {
	if r.Err != nil {
		return r.Err
	}
	if next == nil {
		c.rooms.DropName(name.Index, name.Collection, name.Name)
	} else if err := c.rooms.SetName(*next, r.Snapshot); err != nil {
		r.Snapshot.Close()
		return fmt.Errorf("name %s: %w", topicOf(name), err)
	}
	c.out.GoOver(name, c.rooms.Called(name.Index, name.Collection, name.Name), r)
	return nil
}

func getName(c *call) (any, error) {
	n, err := c.name()
	if err != nil {
		return nil, err
	}
	known, ok := c.rooms.Named(n.Index, n.Collection, n.Name)
	if !ok {
		return nil, roomNotFound.with(topicOf(n))
	}
	return c.namedRoom(known)
}

// listNames lists the names of a collection, or of all.
func listNames(c *call) (any, error) {
	if c.Index+c.Collection != "" {
		if err := c.collection(); err != nil {
			return nil, err
		}
	}
	from, size, err := c.window(1<<31-1, min(1000, c.opts.ReadDocuments))
	if err != nil {
		return nil, err
	}
	names := []namedRoom{}
	for _, n := range c.rooms.Names(c.Index, c.Collection) {
		if room, err := c.namedRoom(n); err == nil {
			names = append(names, room)
		}
	}
	total := len(names)
	names = names[min(from, total):]
	return struct {
		Rooms []namedRoom `json:"rooms"`
		Total int         `json:"total"`
	}{names[:min(size, len(names))], total}, nil
}
