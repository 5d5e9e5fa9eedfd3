package presence

import (
	"container/list"
	"time"

	"github.com/ambitmq/ambit/topics"
)

// A room has those who are in it, and those who are told of them.
type room struct {
	hash, index, collection string
	// nowhere says that it is what a name points to that points to no room: nobody is in it.
	nowhere bool
	outlets map[string]*outlet // by topic filter
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
// the subscription, or nil. Joining again changes only that, and the hash that Leave is to have.
// Of a name it is [Options.Called] that says which room it is.
func (e *Engine) Join(id string, to topics.Filter, hash string, volatile []byte, now time.Time) {
	where := e.where(id, to, hash)
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.client(id)
	if to.Kind == topics.Presence && to.Index == "" {
		watch(e.watched, c, to, e.serial)
		return
	}
	r := e.room(to, where)
	e.called(c, to, hash, r, now)
	added, first := false, false
	if to.Kind == topics.Presence || to.Room.Options.Users != 0 {
		added, first = watch(r.outlets, c, to, e.serial)
	}
	if to.Kind == topics.Presence {
		return
	}
	s := e.seat(c, r)
	if volatile != nil || len(s.by) == 0 {
		s.volatile = volatile
		if s.present {
			e.save(s)
		}
	}
	s.by[to.Text] = true
	if !s.mayEnter() {
		return
	}
	e.enter(s, now, nil)
	if added && first { // Kuzzle tells whoever opens a channel nothing of that
		r.outlets[to.Text].watchers[c] = e.serial
	}
}

// seat returns the seat of a client in a room, at least one in which it is not.
func (e *Engine) seat(c *client, r *room) *seat {
	s := c.seats[r]
	if s == nil {
		s = &seat{room: r, client: c, by: map[string]bool{}}
		c.seats[r] = s
		r.seats++
	}
	return s
}

// mayEnter says whether a client that subscribed is to be in the room, and is not.
func (s *seat) mayEnter() bool { return !s.present && s.client.online && !s.room.nowhere }

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
	r := e.rooms[hash]
	if to.Room.Name != "" {
		r = e.uncalled(c, to, hash)
	}
	if r == nil {
		return
	}
	defer e.tidyRoom(r)
	unwatch(r.outlets, c, to)
	s := c.seats[r]
	if s == nil || to.Kind == topics.Presence || !s.by[to.Text] {
		return
	}
	delete(s.by, to.Text)
	switch {
	case len(s.by) > 0:
	case !s.present:
		e.drop(s)
	case c.connected:
		e.exit(s, now, volatile, Unsubscribed, nil)
		e.drop(s)
	default:
		s.vacated = c.absence
	}
}

// enter has a client be in a room.
func (e *Engine) enter(s *seat, now time.Time, h *Hold) *event {
	s.present, s.since, s.text = true, now, nil
	s.place = s.room.present.PushBack(s)
	e.save(s)
	ev := e.tellUsers(s, topics.UserIn, now, s.volatile, "", h)
	ev.saved = e.saving
	return ev
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
	e.save(s)
	ev := e.tellUsers(s, topics.UserOut, at, volatile, why.Text, h)
	ev.saved = e.saving
	return ev
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

// room returns the room with a hash, at least one that nobody is in. One without a hash is
// what a name points to that points to no room.
func (e *Engine) room(to topics.Filter, hash string) *room {
	key := hash
	if hash == "" {
		key = nameOf(to)
	}
	r := e.rooms[key]
	if r == nil {
		r = &room{hash: key, nowhere: hash == "", index: to.Index, collection: to.Collection, outlets: map[string]*outlet{}}
		e.rooms[key] = r
	}
	return r
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
