package kuzzle

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/ambitmq/ambit/jsonobject"
	"github.com/ambitmq/ambit/sessions"
)

// notification returns what rooms tell as Kuzzle's clients are told: the room is the channel, as the
// answer to their subscription named it.
func notification(m *sessions.Message) []byte {
	members, err := jsonobject.Members(m.Payload)
	if err != nil {
		return nil // it is none
	}
	for i := range members {
		if members[i].Name == "room" {
			members[i].Value = []byte(`"` + channelOf(m.Topic) + `"`)
		}
	}
	return sessions.Frame(jsonobject.Append(make([]byte, 0, len(m.Payload)), members))
}

// channelOf returns what Kuzzle's clients know a topic filter by: the filter itself may be long.
func channelOf(topicFilter string) string {
	sum := sha256.Sum256([]byte(topicFilter))
	return hex.EncodeToString(sum[:16])
}
