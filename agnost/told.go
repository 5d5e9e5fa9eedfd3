package agnost

import (
	"strings"
	"time"

	"encoding/json"

	"github.com/ambitmq/ambit/api"
	"github.com/ambitmq/ambit/jsonobject"
	"github.com/ambitmq/ambit/sessions"
	"github.com/ambitmq/ambit/socketio"
	"github.com/ambitmq/ambit/topics"
)

// told returns a message as clients are told it: an event of Socket.IO.
func told(m *sessions.Message) []byte {
	var text []byte
	switch kind, rest, _ := strings.Cut(m.Topic, "/"); kind {
	case "$channel":
		channel, event, _ := strings.Cut(rest, "/")
		text = inChannel(channel, event, m.Payload)
	case "$users":
		text = ofUser(m.Payload)
	default:
		text = inRoom(m.Topic, m.Payload)
	}
	if text == nil {
		return nil
	}
	return sessions.Frame(text)
}

// inChannel returns what is told in a channel: a message, or who comes and goes.
func inChannel(channel, event string, payload []byte) []byte {
	to := any(nil)
	if channel != topics.Everyone {
		to = nameOf(channel)
	}
	if own := tellsOfItself[event]; own != "" {
		var change struct {
			Member struct {
				ID   string          `json:"clientId"`
				Data json.RawMessage `json:"metadata"`
			} `json:"member"`
		}
		if json.Unmarshal(payload, &change) != nil {
			return nil
		}
		return socketio.AppendEvent(nil, own, addressed(to, encode(member{change.Member.ID, change.Member.Data})))
	}
	name := nameOf(event)
	if isReserved(name) {
		return nil // somebody may send that over MQTT
	}
	members, err := jsonobject.Members(payload)
	if err != nil {
		return nil
	}
	for _, m := range members {
		if m.Name == "message" {
			return socketio.AppendEvent(nil, name, addressed(to, m.Value))
		}
	}
	return nil
}

// A member is one of a channel.
type member struct {
	ID   string          `json:"id"`
	Data json.RawMessage `json:"data"`
}

// addressed returns the argument of an event: to whom it is told, nil for everyone, and what.
func addressed(channel any, message []byte) []byte {
	return append(append(append(append([]byte(`{"channel":`), encode(channel)...), `,"message":`...), message...), '}')
}

// inRoom returns what a room tells.
func inRoom(topic string, payload []byte) []byte {
	switch {
	case len(payload) == 0:
		payload = []byte("null")
	case !json.Valid(payload):
		return nil
	}
	return socketio.AppendEvent(nil, notified, addressed(topic, payload))
}

// A session is what an event of a user says of the session that it is about.
type session struct {
	UserID   string    `json:"userId"`
	ClientID *string   `json:"clientId"`
	Protocol *string   `json:"protocol"`
	At       time.Time `json:"creationDtm"`
}

// ofUser returns what a user is told of himself. Clients that connect are no sessions: those are of
// tokens.
func ofUser(payload []byte) []byte {
	var e struct {
		User, Event, What  string
		ClientID, Protocol *string
		Timestamp          int64
	}
	if json.Unmarshal(payload, &e) != nil {
		return nil
	}
	name, about := "", any(session{e.User, e.ClientID, e.Protocol, time.UnixMilli(e.Timestamp).UTC()})
	switch {
	case e.Event == api.SignedIn && e.What == "token":
		name = signedIn
	case e.Event == api.SignedOut && e.What == "token":
		name = signedOut
	case e.Event == api.Changed && e.What == "user":
		name, about = passwordChanged, nil
	default:
		return nil
	}
	return socketio.AppendEvent(nil, name, encode(name), encode(about), encode(map[string]string{"_id": e.User}))
}

// encode returns the JSON text of v.
func encode(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // it is made of what was read from JSON
	}
	return text
}
