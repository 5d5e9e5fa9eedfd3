package persistence

import (
	"fmt"
	"iter"
	"slices"
	"time"
)

// A RoomName points to a filter of a collection: members subscribe by it.
type RoomName struct {
	Index, Collection, Name string
	// Filter is the canonical text of the filter.
	Filter []byte
	// User is who gave the name this filter, at Time.
	User string
	Time time.Time
}

// PutRoomName stores n in place of what the name pointed to.
func PutRoomName(n RoomName) Record {
	b := appendBytes([]byte{valueFormat}, n.Filter)
	b = appendString(b, n.User)
	b = appendTime(b, n.Time)
	return Record{key: roomNameKey(n), value: b}
}

// DeleteRoomName deletes a name. It may be absent.
func DeleteRoomName(n RoomName) Record {
	return Record{action: recordDelete, key: roomNameKey(n)}
}

// RoomNames yields all names, by index, collection and name.
func (s *Store) RoomNames() iter.Seq2[RoomName, error] {
	return records(s, spaceRoomNames, decodeRoomName)
}

func roomNameKey(n RoomName) []byte {
	b := appendPart([]byte{spaceRoomNames}, n.Index)
	return append(appendPart(b, n.Collection), n.Name...)
}

func decodeRoomName(key, value []byte) (RoomName, error) {
	index, rest, ok := cutPart(key[1:])
	if !ok {
		return RoomName{}, fmt.Errorf("room name key %q: %w", key, errMalformed)
	}
	collection, name, ok := cutPart(rest)
	if !ok {
		return RoomName{}, fmt.Errorf("room name key %q: %w", key, errMalformed)
	}
	r := reader{rest: value}
	r.format()
	n := RoomName{Index: index, Collection: collection, Name: string(name)}
	n.Filter = slices.Clone(r.bytes())
	n.User = r.string()
	n.Time = r.time()
	if err := r.end(); err != nil {
		return RoomName{}, fmt.Errorf("room name %s/%s/@%s: %w", index, collection, name, err)
	}
	return n, nil
}
