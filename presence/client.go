package presence

import (
	"container/list"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ambitmq/ambit/persistence"
)

// A client is what is known of a client identifier.
type client struct {
	id, user string
	metadata []byte // a JSON object, or nil
	// known says that there is something to tell of it.
	known bool
	// connected says that it has a connection; online that it is there: it has one, or
	// had one until a moment ago. since is since when it is so.
	connected, online bool
	since             time.Time
	// left is when its last connection ended, why the reason, and farewell the volatile
	// data with it.
	left     time.Time
	why      Why
	farewell []byte
	// unsettled says that the store takes it to be there, or to be back soon.
	unsettled bool
	// passing says that nobody comes back by this identifier.
	passing bool
	// protocol is the one by which it came, or "" for MQTT.
	protocol string
	// absence counts the ends of its connections.
	absence  int
	seats    map[*room]*seat
	watching int           // the topic filters by which it is told of others
	place    *list.Element // in offline, or nil
}

// An absence is the end of a connection, and when its grace is over.
type absence struct {
	client *client
	number int
	end    time.Time
}

// A Client is who connects.
type Client struct {
	ID, User string
	// Metadata is a JSON object, or nil for none: then it has what it had, if it has
	// been away for less than the time of grace, or its session goes on.
	Metadata []byte
	Resumed  bool
	// Passing says that the identifier is for this connection alone.
	Passing bool
	// Protocol is what notifications call the one by which it came. Defaults to "mqtt".
	Protocol string
}

// client returns what is known of a client identifier, at least that there is one.
func (e *Engine) client(id string) *client {
	c := e.clients[id]
	if c == nil {
		c = &client{id: id, seats: map[*room]*seat{}}
		e.clients[id] = c
	}
	return c
}

// Connected notes that a client is there. What that has to tell is held until the
// caller has stored the record, and lets it go.
func (e *Engine) Connected(who Client, now time.Time) (persistence.Record, *Hold) {
	e.mu.Lock()
	defer e.mu.Unlock()
	h := &Hold{}
	c := e.client(who.ID)
	back := c.online
	changed := c.user != who.User
	if who.Metadata == nil && !changed && (back || who.Resumed) {
		who.Metadata = c.metadata
	}
	changed = changed || string(c.metadata) != string(who.Metadata)
	c.user, c.metadata, c.passing, c.protocol = who.User, who.Metadata, who.Passing, who.Protocol
	if !c.known {
		c.known = true
		e.known++
	}
	if c.place != nil {
		e.offline.Remove(c.place)
		c.place = nil
	}
	c.connected, c.online, c.unsettled, c.farewell = true, true, false, nil
	if !back {
		c.since = now
	}
	if !back || changed {
		e.tellOf(c, h)
	}
	for _, s := range c.sorted() {
		switch {
		case s.mayEnter() && len(s.by) > 0:
			e.enter(s, now, h).silent = true // it was not there yet
		case s.present && changed:
			e.change(s, now, h)
		}
	}
	return c.record(), h
}

// Disconnected notes that the connection of a client has ended, and why, with the
// volatile data that it left, or nil. The hold is as for Connected.
func (e *Engine) Disconnected(id string, why Why, volatile []byte, now time.Time) (persistence.Record, *Hold) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.client(id)
	h := &Hold{}
	e.leave(c, why, volatile, now)
	record := c.record()
	if e.opts.Grace == 0 {
		e.absences = e.absences[:len(e.absences)-1]
		e.gone(c, c.absence, h)
		if !c.known {
			record = persistence.DeletePresence(id)
		}
	}
	return record, h
}

// leave begins the absence of a client.
func (e *Engine) leave(c *client, why Why, volatile []byte, now time.Time) {
	c.connected, c.left, c.why, c.farewell = false, now, why, volatile
	c.absence++
	e.absences = append(e.absences, absence{c, c.absence, now.Add(e.opts.Grace)})
}

// Due does what is to be done by now, and returns what is to be stored.
func (e *Engine) Due(now time.Time) []persistence.Record {
	e.mu.Lock()
	defer e.mu.Unlock()
	var records []persistence.Record
	for len(e.absences) > 0 && !e.absences[0].end.After(now) {
		a := e.absences[0]
		e.absences = e.absences[1:]
		e.gone(a.client, a.number, nil)
		switch c := a.client; {
		case !c.known && c.passing:
			records = append(records, persistence.DeletePresence(c.id))
		case c.unsettled && !c.online:
			c.unsettled = false
			records = append(records, c.record())
		}
	}
	for front := e.offline.Front(); front != nil; front = e.offline.Front() {
		c := front.Value.(*client)
		if e.known <= e.opts.Clients && c.left.Add(e.opts.Keep).After(now) {
			break
		}
		e.forget(c, nil)
		records = append(records, persistence.DeletePresence(c.id))
	}
	return records
}

// gone ends the grace of an absence: a client that is not back is gone, and from a
// room that it is not back in it is, too.
func (e *Engine) gone(c *client, number int, h *Hold) {
	away := !c.connected && c.absence == number
	for _, s := range c.sorted() {
		if s.present && (away || len(s.by) == 0 && s.vacated == number) {
			e.exit(s, c.left, c.farewell, c.why, h)
		}
		if !s.present && len(s.by) == 0 {
			e.drop(s)
		}
	}
	if away && c.online { // a crash may have left a client that is offline in its rooms
		c.online, c.since = false, c.left
		c.place = e.offline.PushBack(c)
		e.tellOf(c, h)
		if c.passing {
			e.forget(c, h)
		}
	}
	e.tidy(c)
}

// forget has nothing told any more of a client that is offline.
func (e *Engine) forget(c *client, h *Hold) {
	e.offline.Remove(c.place)
	c.place, c.known = nil, false
	e.known--
	c.user, c.metadata = "", nil
	e.tellOf(c, h)
	e.tidy(c)
}

// tidy forgets a client of which there is nothing to know.
func (e *Engine) tidy(c *client) {
	if !c.known && len(c.seats) == 0 && c.watching == 0 {
		delete(e.clients, c.id)
	}
}

// Update gives a client that is there other metadata: a JSON object, or nil. The hold
// is as for Connected. It reports whether there is such a client.
func (e *Engine) Update(id string, metadata []byte, now time.Time) (persistence.Record, *Hold, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.clients[id]
	if c == nil || !c.online {
		return persistence.Record{}, nil, false
	}
	h := &Hold{}
	c.metadata = metadata
	e.tellOf(c, h)
	for _, s := range c.sorted() {
		if s.present {
			e.change(s, now, h)
		}
	}
	return c.record(), h, true
}

// sorted returns the seats of a client, by the hashes of their rooms.
func (c *client) sorted() []*seat {
	return slices.SortedFunc(maps.Values(c.seats), func(a, b *seat) int { return strings.Compare(a.room.hash, b.room.hash) })
}

// record returns the client as the store keeps it.
func (c *client) record() persistence.Record {
	p := persistence.Presence{
		ClientID: c.id, User: c.user, Online: c.connected || c.online && c.why.Ending, Passing: c.passing, Since: c.since, Metadata: c.metadata,
	}
	if !c.connected {
		p.Left, p.Why, p.Code, p.HasCode = c.left, c.why.Text, c.why.Code, c.why.HasCode
	}
	return persistence.PutPresence(p)
}

// Restore takes what the store has of the clients, and of who was in which room. Those that
// were there when the process ended have the time of grace to come back. It is called once,
// before anything else.
func (e *Engine) Restore(stored []persistence.Presence, seats []persistence.Seat, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	slices.SortStableFunc(stored, func(a, b persistence.Presence) int { return a.Left.Compare(b.Left) })
	for _, p := range stored {
		c := e.client(p.ClientID)
		c.user, c.metadata, c.passing, c.since, c.known = p.User, p.Metadata, p.Passing, p.Since, true
		c.left, c.why = p.Left, Why{Text: p.Why, Code: p.Code, HasCode: p.HasCode}
		e.known++
		switch {
		case !p.Online:
			c.since = p.Left
			c.place = e.offline.PushBack(c)
		case p.Left.IsZero():
			c.online, c.unsettled = true, true
			e.leave(c, Crashed, nil, now)
		default:
			c.online, c.unsettled = true, true
			e.leave(c, c.why, nil, now)
			c.left = p.Left
		}
	}
	e.restoreSeats(seats, now)
}
