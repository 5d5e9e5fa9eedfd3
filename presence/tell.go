package presence

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ambitmq/ambit/topics"
)

// A Hold keeps back what would be told of a change until the store has it.
type Hold struct{ gone bool } // guarded by the engine's mutex

// holds says whether what it keeps may not be told yet. A nil one keeps nothing.
func (h *Hold) holds() bool { return h != nil && !h.gone }

// Release lets go of what a hold keeps back.
func (e *Engine) Release(h *Hold) {
	if h == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	h.gone = true
}

// An event is something that is to be told.
type event struct {
	serial uint64
	// hold keeps it back until the store has what is known of the client, saved until it
	// has the seat.
	hold, saved *Hold
	from        string
	// silent says that the client itself is not told, and except is a name of the room by which
	// nobody is, or "".
	silent bool
	except string
	// user is what a user notification tells, else 0; count is how many are in the room
	// then.
	user  topics.Users
	room  *room
	count int
	// outlets are those of the room in their stead, if who is in them has changed.
	outlets map[string]*outlet
	// payload is a whole notification, or the state of the client.
	payload []byte
}

func (ev *event) held() bool { return ev.hold.holds() || ev.saved.holds() }

func (e *Engine) add(ev *event) {
	e.serial++
	ev.serial = e.serial
	e.pending = append(e.pending, ev)
}

// tellOf has those told of a client who asked for that.
func (e *Engine) tellOf(c *client, h *Hold) {
	if len(e.watched) > 0 {
		e.add(&event{hold: h, from: c.id, payload: c.state()})
	}
}

// tellUsers has a room told that a client has come, has gone, or has changed. Where
// there is no volatile data, its metadata stands for it.
func (e *Engine) tellUsers(s *seat, user topics.Users, at time.Time, volatile []byte, why string, h *Hold) *event {
	r := s.room
	e.touch(r)
	if volatile == nil {
		volatile = s.client.metadata
	}
	ev := &event{hold: h, from: s.client.id, user: user, room: r, count: r.present.Len()}
	for _, o := range r.outlets {
		if o.to.Room.Options.Users&user != 0 {
			ev.payload = e.notification(s, user, at, volatile, why)
			e.add(ev)
			break
		}
	}
	return ev
}

// Flush tells what is to be told by now, in order. One goroutine calls it: whoever
// calls [Outlet.Tell] is to be alone.
func (e *Engine) Flush(now time.Time) {
	for {
		ev, to := e.take()
		if ev == nil {
			break
		}
		e.tell(ev, to)
	}
	for _, r := range e.takeRooms(now) {
		payload, to := e.membersOf(r)
		for _, d := range to {
			e.out.Tell(d.to.Text, d.clients, &Message{Topic: d.to.Text, Payload: payload, Retain: true})
		}
	}
}

// A delivery is a topic filter, and who is told by it.
type delivery struct {
	to      topics.Filter
	clients []string
}

// take returns the first event that may be told, with those who are told it, or nil.
func (e *Engine) take() (*event, []delivery) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.pending) == 0 || e.pending[0].held() {
		return nil, nil
	}
	ev := e.pending[0]
	e.pending[0] = nil
	e.pending = e.pending[1:]
	if ev.user != 0 {
		outlets := ev.outlets
		if outlets == nil {
			outlets = ev.room.outlets
		}
		return ev, deliveries(outlets, ev, func(to topics.Filter) bool {
			return to.Room.Options.Users&ev.user != 0 && (ev.except == "" || nameOf(to) != ev.except)
		})
	}
	return ev, deliveries(e.watched, ev, func(to topics.Filter) bool { return to.ID == "" || to.ID == ev.from })
}

// deliveries returns who is told an event: those who are connected, and subscribed
// before it.
func deliveries(outlets map[string]*outlet, ev *event, wanted func(topics.Filter) bool) []delivery {
	var all []delivery
	for _, o := range outlets {
		if !wanted(o.to) {
			continue
		}
		var ids []string
		for c, after := range o.watchers {
			if ev != nil && (after >= ev.serial || ev.silent && c.id == ev.from) {
				continue
			}
			if c.connected {
				ids = append(ids, c.id)
			}
		}
		if len(ids) > 0 {
			all = append(all, delivery{o.to, ids})
		}
	}
	slices.SortFunc(all, func(a, b delivery) int { return strings.Compare(a.to.Text, b.to.Text) })
	return all
}

func (e *Engine) tell(ev *event, to []delivery) {
	if ev.user == 0 {
		for _, d := range to {
			e.out.Tell(d.to.Text, d.clients, &Message{Topic: topics.PresenceOfClients + ev.from, Payload: ev.payload, Retain: true, From: ev.from})
		}
		return
	}
	for _, d := range to {
		m := &Message{Topic: d.to.Text, User: ev.user.String(), Count: ev.count, From: ev.from}
		switch d.to.Room.Options.Payload {
		case topics.Full:
			m.Payload = ev.payload
		case topics.Body:
			m.Payload = encode(count{ev.count})
		case topics.None:
		}
		e.out.Tell(d.to.Text, d.clients, m)
	}
}

// takeRooms returns the rooms whose presence is to be told now.
func (e *Engine) takeRooms(now time.Time) []*room {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.dirty) == 0 || e.told.Add(roomsEvery).After(now) {
		return nil
	}
	e.told = now
	rooms := slices.SortedFunc(maps.Keys(e.dirty), func(a, b *room) int { return strings.Compare(a.hash, b.hash) })
	clear(e.dirty)
	return rooms
}

func (e *Engine) membersOf(r *room) ([]byte, []delivery) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return r.state(), deliveries(r.outlets, nil, func(to topics.Filter) bool { return to.Kind == topics.Presence })
}
