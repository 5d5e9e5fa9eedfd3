package persistence

import (
	"bytes"
	"reflect"
	"testing"
	"time"
)

// A kind of value with its decoder, and its encoder to go back.
type kind struct {
	name   string
	decode func(value []byte) (any, error)
	encode func(v any) []byte
}

func kinds() []kind {
	key := Key{"fleet", "trucks", "42"}
	return []kind{
		{
			"document",
			func(b []byte) (any, error) { return decodeDocument(key, b) },
			func(v any) []byte { return encodeDocument(v.(*Document)) },
		},
		{
			"change",
			func(b []byte) (any, error) { return decodeChange(7, b) },
			func(v any) []byte { return encodeChange(v.(*Change)) },
		},
		{
			"session",
			func(b []byte) (any, error) { return decodeSession([]byte("sa"), b) },
			func(v any) []byte { return PutSession(v.(Session)).value },
		},
		{
			"subscription",
			func(b []byte) (any, error) { return decodeSubscription(append(subscriptionsOf("a"), "t"...), b) },
			func(v any) []byte { return PutSubscription(v.(Subscription)).value },
		},
		{
			"presence",
			func(b []byte) (any, error) { return decodePresence([]byte("pa"), b) },
			func(v any) []byte { return PutPresence(v.(Presence)).value },
		},
		{
			"seat",
			func(b []byte) (any, error) { return decodeSeat(seatKey("a", "h"), b) },
			func(v any) []byte { return PutSeat(v.(Seat)).value },
		},
		{
			"retained message",
			func(b []byte) (any, error) { return decodeRetained([]byte("rt"), b) },
			func(v any) []byte { return PutRetained(v.(Retained)).value },
		},
		{
			"room name",
			func(b []byte) (any, error) {
				return decodeRoomName(roomNameKey(RoomName{"i", "c", "n", nil, "", time.Time{}}), b)
			},
			func(v any) []byte { return PutRoomName(v.(RoomName)).value },
		},
		{
			"segment",
			func(b []byte) (any, error) { return decodeSegment(appendSeqKey(nil, spaceSegments, 5), b) },
			func(v any) []byte { return appendSegment([]byte{valueFormat}, v.(segment)) },
		},
		{
			"log state",
			func(b []byte) (any, error) { return decodeLogState(b) },
			func(v any) []byte {
				s := v.(logState)
				return appendLogState(nil, &changeLog{last: s.last, trimmed: s.trimmed, open: s.open, queued: s.queued, logged: s.logged})
			},
		},
	}
}

// encodeChange encodes as the committer does.
func encodeChange(c *Change) []byte {
	var before, after []byte
	if c.Before != nil {
		before = encodeDocument(c.Before)
	}
	if c.After != nil {
		after = encodeDocument(c.After)
	}
	return appendChange(nil, c, before, after, c.Seq-1)
}

// examples has values of each kind, by its name.
func examples() map[string][]any {
	key := Key{"fleet", "trucks", "42"}
	at := time.Date(2026, 5, 4, 3, 2, 1, 999_999_999, time.UTC)
	first := &Document{Key: key, Body: []byte("{}"), Version: 1, Seq: 3, Retained: true, Author: "ada", CreatedAt: at}
	second := &Document{Key: key, Body: []byte{}, Version: 2, Seq: 1 << 60, Author: "ada", Updater: "bob", CreatedAt: at, UpdatedAt: at.Add(1)}
	origin := Origin{ClientID: "c", User: "u", Protocol: "mqtt", RequestID: "r", Volatile: []byte("{}")}
	update := Origin{Update: true, Fields: []string{"speed", "load.kg"}}
	return map[string][]any{
		"document": {first, second, &Document{Key: key, Version: 1, Body: []byte("{}"), Expires: at}, &Document{Key: key, Version: 1, Body: []byte{}}},
		"change": {
			&Change{Seq: 7, Key: key, Action: Create, After: first, Time: at, Origin: origin},
			&Change{Seq: 7, Key: key, Action: Replace, Before: first, After: second, Time: at},
			&Change{Seq: 7, Key: key, Action: Replace, Before: first, After: second, Time: at, Origin: update},
			&Change{Seq: 7, Key: key, Action: Delete, Before: second},
		},
		"session":      {Session{ClientID: "a"}, Session{ClientID: "a", User: "u", ProtocolVersion: 5, Clean: true, ExpirySeconds: NeverExpires, DisconnectedAt: at}},
		"subscription": {Subscription{ClientID: "a", TopicFilter: "t"}, Subscription{ClientID: "a", TopicFilter: "t", QoS: 2, NoLocal: true, RetainHandling: 2, Identifier: 1 << 27, Filter: []byte("{}"), Volatile: []byte("{}")}},
		"presence": {
			Presence{ClientID: "a"},
			Presence{ClientID: "a", User: "u", Online: true, Passing: true, Since: at, Metadata: []byte("{}")},
			Presence{ClientID: "a", Since: at, Left: at.Add(1), Why: "keep-alive timeout", Code: 0x8d, HasCode: true},
		},
		"seat":             {Seat{ClientID: "a", Hash: "h", Since: at}, Seat{ClientID: "a", Hash: "h", Index: "i", Collection: "c", Since: at, Volatile: []byte("{}")}},
		"retained message": {Retained{Topic: "t"}, Retained{Topic: "t", Payload: []byte("p"), Properties: Properties{User: [][2]string{{"a", "b"}}, Expiry: at}}},
		"room name":        {RoomName{"i", "c", "n", []byte("{}"), "u", at}},
		"segment":          {segment{first: 5, bytes: 1000, began: at, ended: at}},
		"log state":        {logState{}, logState{last: 10, trimmed: 2, open: segment{first: 5, bytes: 1000, began: at}, queued: 7, logged: 9}},
	}
}

func TestValuesComeBackAsTheyWere(t *testing.T) {
	for _, k := range kinds() {
		for _, want := range examples()[k.name] {
			got, err := k.decode(k.encode(want))
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: got %+v, %v, want %+v", k.name, got, err, want)
			}
		}
	}
}

func TestValuesThatAreCutOrTooLongAreRefused(t *testing.T) {
	for _, k := range kinds() {
		for _, v := range examples()[k.name] {
			value := k.encode(v)
			for n := range value {
				if got, err := k.decode(value[:n]); err == nil {
					t.Errorf("%s: %d of %d bytes were read as %+v", k.name, n, len(value), got)
				}
			}
			if got, err := k.decode(append(bytes.Clone(value), 0)); err == nil {
				t.Errorf("%s: with a byte too many: read as %+v", k.name, got)
			}
			value[0] = valueFormat + 1
			if got, err := k.decode(value); err == nil {
				t.Errorf("%s: of a newer format: read as %+v", k.name, got)
			}
		}
	}
}

// Whatever a damaged value decodes to can be encoded again.
func FuzzValues(f *testing.F) {
	for i, k := range kinds() {
		for _, v := range examples()[k.name] {
			f.Add(uint8(i), k.encode(v))
		}
	}
	f.Fuzz(func(t *testing.T, i uint8, value []byte) {
		k := kinds()[int(i)%len(kinds())]
		v, err := k.decode(bytes.Clone(value))
		if err != nil {
			return
		}
		again, err := k.decode(k.encode(v))
		if err != nil || !reflect.DeepEqual(again, v) {
			t.Errorf("%s: %+v came back as %+v, %v", k.name, v, again, err)
		}
	})
}
