package presence

import (
	"container/list"
	"time"

	"github.com/ambitmq/ambit/topics"
)

// A room has those who are in it, and those who are told of them.
type room struct {
	hash, index, collection string
	outlets                 map[string]*outlet // by topic filter
	// present has the seats of those who are there, as they came.
	present list.List
	seats   int
}

// A seat is a client in a room, by however many topic filters.
type seat struct {
	room   *room
	client *client
	by     map[string]bool // its topic filters
	// volatile is the data that it joined with, or nil.
	volatile []byte
	// present says that it is there, as it is told; since is since when.
	present bool
	since   time.Time
	place   *list.Element // in the room's present
	// text is the member as JSON, once it was needed.
	text []byte
	// vacated is the absence in which the last topic filter went.
	vacated int
}

// Join notes that a client subscribed to the topic filter to, which is about the room
// with a hash, or about the presence of that room or of clients. volatile is JSON data of
// the subscription, or nil. Joining again changes only that.
func (e *Engine) Join(id string, to topics.Filter, hash string, volatile []byte, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.client(id)
	if to.Kind == topics.Presence && to.Index == "" {
		watch(e.watched, c, to, e.serial)
		return
	}
	r := e.room(to, hash)
	added, first := false, false
	if to.Kind == topics.Presence || to.Room.Options.Users != 0 {
		added, first = watch(r.outlets, c, to, e.serial)
	}
	if to.Kind == topics.Presence {
		return
	}
	s := c.seats[r]
	if s == nil {
		s = &seat{room: r, client: c, by: map[string]bool{}}
		c.seats[r] = s
		r.seats++
	}
	if volatile != nil || len(s.by) == 0 {
		s.volatile = volatile
	}
	s.by[to.Text] = true
	if s.present || !c.online {
		return
	}
	e.enter(s, now, nil).except = c.moved(s, to)
	if added && first { // Kuzzle tells whoever opens a channel nothing of that
		r.outlets[to.Text].watchers[c] = e.serial
	}
}

// Leave undoes Join. A client that is connected has left the room by itself: volatile
// is the data that it left with, or nil. One that is not may come back.
func (e *Engine) Leave(id string, to topics.Filter, hash string, volatile []byte, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.clients[id]
	if c == nil {
		return
	}
	defer e.tidy(c)
	if to.Kind == topics.Presence && to.Index == "" {
		unwatch(e.watched, c, to)
		return
	}
	r := e.find(to, hash)
	if r == nil {
		return
	}
	defer e.tidyRoom(r)
	unwatch(r.outlets, c, to)
	if r.outlets[to.Text] == nil {
		delete(e.named, to.Text)
	}
	s := c.seats[r]
	if s == nil || to.Kind == topics.Presence {
		return
	}
	delete(s.by, to.Text)
	switch {
	case len(s.by) > 0:
	case !s.present:
		e.drop(s)
	case c.connected:
		e.exit(s, now, volatile, Unsubscribed, nil).except = c.moved(s, to)
		e.drop(s)
	default:
		s.vacated = c.absence
	}
}

// enter has a client be in a room.
func (e *Engine) enter(s *seat, now time.Time, h *Hold) *event {
	s.present, s.since, s.text = true, now, nil
	s.place = s.room.present.PushBack(s)
	return e.tellUsers(s, topics.UserIn, now, s.volatile, "", h)
}

// exit has a client not be in a room any more. Without data that it left with, it is
// told what it joined with.
func (e *Engine) exit(s *seat, at time.Time, volatile []byte, why Why, h *Hold) *event {
	s.present = false
	s.room.present.Remove(s.place)
	s.place = nil
	if volatile == nil {
		volatile = s.volatile
	}
	return e.tellUsers(s, topics.UserOut, at, volatile, why.Text, h)
}

// change tells a room that a client in it has other metadata.
func (e *Engine) change(s *seat, now time.Time, h *Hold) {
	s.text = nil
	e.tellUsers(s, topics.UserUpdate, now, s.volatile, "", h)
}

// drop forgets a seat.
func (e *Engine) drop(s *seat) {
	delete(s.client.seats, s.room)
	s.room.seats--
	e.tidyRoom(s.room)
}

// tidyRoom forgets a room that nobody is in, and nobody asks about.
func (e *Engine) tidyRoom(r *room) {
	if r.seats == 0 && len(r.outlets) == 0 {
		delete(e.rooms, r.hash)
		delete(e.dirty, r)
	}
}

// room returns the room with a hash, or of the name by which somebody is told of it.
func (e *Engine) room(to topics.Filter, hash string) *room {
	r := e.find(to, hash)
	if r == nil {
		r = &room{hash: hash, index: to.Index, collection: to.Collection, outlets: map[string]*outlet{}}
		e.rooms[hash] = r
	}
	if to.Kind == topics.Presence && to.Room.Name != "" {
		e.named[to.Text] = r
	}
	return r
}

func (e *Engine) find(to topics.Filter, hash string) *room {
	if r := e.named[to.Text]; r != nil && to.Kind == topics.Presence {
		return r
	}
	return e.rooms[hash]
}

// nameOf returns the name of a room as topic filters have it, or "" if they have it by
// its filter.
func nameOf(to topics.Filter) string {
	if to.Room.Name == "" {
		return ""
	}
	return to.Index + "/" + to.Collection + "/@" + to.Room.Name
}

// moved returns the name by which a client is in another room, too: it points to that
// now. Those who are told by the name go along, and are told nothing of it.
func (c *client) moved(from *seat, to topics.Filter) string {
	if to.Room.Name == "" {
		return ""
	}
	for _, s := range c.seats {
		if s != from && s.present && s.by[to.Text] {
			return nameOf(to)
		}
	}
	return ""
}

// Rename has those who are told of a presence by a name be told of the room with a hash:
// that is what the name points to now.
func (e *Engine) Rename(index, collection, name, hash string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for text, old := range e.named {
		o := old.outlets[text]
		if o.to.Index != index || o.to.Collection != collection || o.to.Room.Name != name {
			continue
		}
		delete(old.outlets, text)
		delete(e.named, text)
		e.tidyRoom(old)
		r := e.room(o.to, hash)
		r.outlets[text] = o
		e.dirty[r] = true
	}
}

// touch notes that the presence of a room has changed.
func (e *Engine) touch(r *room) {
	for _, o := range r.outlets {
		if o.to.Kind == topics.Presence {
			e.dirty[r] = true
			return
		}
	}
}
