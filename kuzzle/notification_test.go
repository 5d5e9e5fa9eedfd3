package kuzzle

import (
	"slices"
	"testing"

	"github.com/ambitmq/ambit/sessions"
)

// Volatile data and metadata are the clients' own, and may have members of any name.
func TestTheRoomOfANotificationIsTheChannel(t *testing.T) {
	m := &sessions.Message{
		Topic:   `fleet/trucks/?{"exists":"speed"}&scope=in`,
		Payload: []byte(`{"type":"user","volatile":{"room":"x"},"room":"5b1f","member":{"metadata":{"a":1,"room":"y"}}}`),
	}
	want := `{"type":"user","volatile":{"room":"x"},"room":"` + channelOf(m.Topic) + `","member":{"metadata":{"a":1,"room":"y"}}}`
	got := slices.Collect(sessions.Frames(notification(m)))
	if len(got) != 1 || string(got[0]) != want {
		t.Errorf("got %q, want %s", got, want)
	}
	if channelOf(m.Topic) == channelOf(m.Topic+"&users=all") || len(channelOf(m.Topic)) != 32 {
		t.Error("channels are not told apart")
	}
	if told := notification(&sessions.Message{Topic: "a/b/c", Payload: []byte("on")}); told != nil {
		t.Errorf("what is no notification is told: %s", told)
	}
}
