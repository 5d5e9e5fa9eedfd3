package persistence

import (
	"fmt"
	"iter"
	"slices"
	"time"
)

// A Seat is that a client is in a room, as others are told.
type Seat struct {
	ClientID string
	// Hash is that of the room, a room of Index and Collection.
	Hash, Index, Collection string
	Since                   time.Time
	// Volatile is the JSON data that the client joined with. May be nil.
	Volatile []byte
}

// PutSeat stores s in place of the seat of the same client in the same room.
func PutSeat(s Seat) Record {
	b := appendString([]byte{valueFormat}, s.Index)
	b = appendString(b, s.Collection)
	b = appendTime(b, s.Since)
	b = appendBytes(b, s.Volatile)
	return Record{key: seatKey(s.ClientID, s.Hash), value: b}
}

// DeleteSeat deletes the seat of a client in a room. It may be absent.
func DeleteSeat(clientID, hash string) Record {
	return Record{action: recordDelete, key: seatKey(clientID, hash)}
}

// Seats yields the seats of all clients by client id and hash, as of when the iteration
// begins.
func (s *Store) Seats() iter.Seq2[Seat, error] {
	return records(s, spaceSeats, decodeSeat)
}

func seatKey(clientID, hash string) []byte {
	return append(appendPart([]byte{spaceSeats}, clientID), hash...)
}

func decodeSeat(key, value []byte) (Seat, error) {
	id, hash, ok := cutPart(key[1:])
	if !ok {
		return Seat{}, fmt.Errorf("seat key %q: %w", key, errMalformed)
	}
	r := reader{rest: value}
	r.format()
	s := Seat{ClientID: id, Hash: string(hash), Index: r.string(), Collection: r.string()}
	s.Since = r.time()
	s.Volatile = slices.Clone(r.optionalBytes())
	if err := r.end(); err != nil {
		return Seat{}, fmt.Errorf("seat of %q in %s: %w", id, hash, err)
	}
	return s, nil
}
