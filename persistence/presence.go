package persistence

import (
	"fmt"
	"iter"
	"slices"
	"time"
)

// A Presence is what must be known of whether a client is there.
type Presence struct {
	ClientID, User string
	// Online says that it is there, since Since, or would be if the process had not
	// ended. Else it was so until Left.
	Online      bool
	Since, Left time.Time
	// Passing says that the client identifier is for one connection.
	Passing bool
	// Why says why it is not online, and Code is the reason code of MQTT 5 that goes
	// with it, if HasCode is set.
	Why     string
	Code    byte
	HasCode bool
	// Metadata is a JSON object. May be nil.
	Metadata []byte
}

// PutPresence stores p in place of the presence of the same client id.
func PutPresence(p Presence) Record {
	b := appendBool([]byte{valueFormat}, p.Online)
	b = appendBool(b, p.Passing)
	b = appendOptionalTime(b, p.Since)
	b = appendOptionalTime(b, p.Left)
	b = appendString(b, p.User)
	b = appendString(b, p.Why)
	b = append(b, p.Code)
	b = appendBool(b, p.HasCode)
	b = appendBytes(b, p.Metadata)
	return Record{key: nameKey(spacePresence, p.ClientID), value: b}
}

// DeletePresence deletes the presence of a client id. It may be absent.
func DeletePresence(clientID string) Record {
	return Record{action: recordDelete, key: nameKey(spacePresence, clientID)}
}

// Presences yields the presence of all clients by client id, as of when the
// iteration begins.
func (s *Store) Presences() iter.Seq2[Presence, error] {
	return records(s, spacePresence, decodePresence)
}

func decodePresence(key, value []byte) (Presence, error) {
	r := reader{rest: value}
	r.format()
	p := Presence{ClientID: string(key[1:]), Online: r.bool(), Passing: r.bool()}
	p.Since, p.Left = r.optionalTime(), r.optionalTime()
	p.User, p.Why = r.string(), r.string()
	p.Code, p.HasCode = r.byte(), r.bool()
	p.Metadata = slices.Clone(r.optionalBytes())
	if err := r.end(); err != nil {
		return Presence{}, fmt.Errorf("presence of %q: %w", p.ClientID, err)
	}
	return p, nil
}
