package api

import (
	"context"
	"testing"
	"time"

	"github.com/ambitmq/ambit/presence"
	"github.com/ambitmq/ambit/topics"
)

// An attendance is who is there, whom nobody is told of and nothing is stored of.
type attendance struct{ *presence.Engine }

func newAttendance() attendance { return attendance{presence.New(nil, presence.Options{})} }

// join has a client connect, and join a room.
func (a attendance) join(member string, to topics.Filter, hash string) {
	_, held := a.Connected(presence.Client{ID: member, User: "ada"}, time.Now())
	a.Release(held)
	a.Join(member, to, hash, nil, time.Now())
}

func (a attendance) Update(_ context.Context, client string, metadata []byte) (bool, error) {
	_, held, known := a.Engine.Update(client, metadata, time.Now())
	a.Release(held)
	return known, nil
}

func TestOnlyAClientHasMetadata(t *testing.T) {
	w := newWorld(t, Options{})
	w.presence.join("dash", topics.Filter{Text: "a/b/?", Kind: topics.Room, Index: "a", Collection: "b"}, "h")
	for _, tt := range []struct {
		name   string
		from   Caller
		text   string
		status int
	}{
		{"a client", Caller{ClientID: "dash"}, `{"body":{"a":1}}`, 200},
		{"a client is not asked which", Caller{ClientID: "map"}, `{"_id":"dash","body":{"a":1}}`, 404},
		{"over HTTP there is no client", Caller{User: "ada"}, `{"_id":"dash","body":{"a":1}}`, 400},
		{"the operator says which", Caller{Operator: true}, `{"_id":"dash","body":{"a":1}}`, 200},
		{"the operator has to", Caller{Operator: true}, `{"body":{"a":1}}`, 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if r := w.router.Serve(t.Context(), tt.from, "presence", "update", []byte(tt.text)); r.Status != tt.status {
				t.Errorf("%s", r.Body)
			}
		})
	}
}
