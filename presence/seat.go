package presence

import (
	"slices"
	"time"

	"github.com/ambitmq/ambit/persistence"
)

type seatKey struct{ client, hash string }

// save has the store know whether a client is in a room.
func (e *Engine) save(s *seat) {
	c, r := s.client, s.room
	record := persistence.DeleteSeat(c.id, r.hash)
	if s.present {
		record = persistence.PutSeat(persistence.Seat{
			ClientID: c.id, Hash: r.hash, Index: r.index, Collection: r.collection, Since: s.since, Volatile: s.volatile,
		})
	}
	e.unsaved[seatKey{c.id, r.hash}] = record
}

// Unsaved returns what is to be stored of who is in which room, and holds what is told of it until
// the caller lets that go. What it returns is to be stored in the order of the calls.
func (e *Engine) Unsaved() ([]persistence.Record, *Hold) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.unsaved) == 0 {
		return nil, nil
	}
	records := make([]persistence.Record, 0, len(e.unsaved))
	for _, r := range e.unsaved {
		records = append(records, r)
	}
	held := e.saving
	e.unsaved, e.saving = map[seatKey]persistence.Record{}, &Hold{}
	return records, held
}

// restoreSeats has those be in their rooms who were when the process ended, for as long as they
// may come back. Of one who had gone it was not told.
func (e *Engine) restoreSeats(seats []persistence.Seat, now time.Time) {
	slices.SortStableFunc(seats, func(a, b persistence.Seat) int { return a.Since.Compare(b.Since) })
	for _, stored := range seats {
		c := e.client(stored.ClientID)
		if !c.known {
			c.left, c.why = now, Crashed
		}
		r := e.rooms[stored.Hash]
		if r == nil {
			r = &room{hash: stored.Hash, index: stored.Index, collection: stored.Collection, outlets: map[string]*outlet{}}
			e.rooms[stored.Hash] = r
		}
		s := e.seat(c, r)
		s.volatile, s.since, s.vacated, s.present = stored.Volatile, stored.Since, c.absence, true
		s.place = r.present.PushBack(s)
		if !c.online {
			e.absences = append(e.absences, absence{c, c.absence, now.Add(e.opts.Grace)})
		}
	}
}
