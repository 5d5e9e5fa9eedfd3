package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/ambitmq/ambit/client"
)

// A notification has the fields of a document notification that people read.
type notification struct {
	Type       string `json:"type"`
	Transition string `json:"transition"`
	Timestamp  int64  `json:"timestamp"`
	Result     struct {
		ID     string          `json:"_id"`
		Source json.RawMessage `json:"_source"`
	} `json:"result"`
}

// readable returns a message as a line for people: time, mark, id and body of
// a notification or a member, time, topic and payload of anything else.
func readable(m client.Message, now time.Time) string {
	body := string(m.Payload)
	if id, ok := memberID(m.Topic); ok {
		switch {
		case id == "$synced":
			return line(now, "*", "these were all", body)
		case body == "":
			return line(now, "-", id, "")
		case m.Property("transition") == "stay":
			return line(now, "=", id, body)
		}
		return line(now, "+", id, body)
	}
	var n notification
	if json.Unmarshal(m.Payload, &n) == nil && n.Type == "document" && n.Transition != "" {
		return line(time.UnixMilli(n.Timestamp), mark(n.Transition), n.Result.ID, string(withoutInfo(n.Result.Source)))
	}
	if transition := m.Property("transition"); transition != "" {
		return line(now, mark(transition), m.Property("id"), body)
	}
	return line(now, " ", m.Topic, body)
}

// memberID returns the last level of a topic of $scope.
func memberID(topic string) (id string, ok bool) {
	return topic[strings.LastIndexByte(topic, '/')+1:], strings.HasPrefix(topic, "$scope/")
}

func line(at time.Time, mark, id, body string) string {
	text := fmt.Sprintf("%s %s %s  %s", at.Local().Format("15:04:05.000"), mark, id, body)
	return strings.TrimRight(printable(text), " ")
}

// mark returns the sign of a transition.
func mark(transition string) string {
	sign, ok := map[string]string{"enter": "+", "stay": "=", "exit": "-"}[transition]
	if !ok {
		return "?"
	}
	return sign
}

// printable makes one line of a text, and takes out control characters, with
// which a payload could move the cursor of a terminal or worse.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r):
			return '\uFFFD'
		}
		return r
	}, text)
}

// withoutInfo returns a document without the member _kuzzle_info, which the
// broker puts behind those of the publisher.
func withoutInfo(source json.RawMessage) []byte {
	dec := json.NewDecoder(bytes.NewReader(source))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return source
	}
	for dec.More() {
		before := dec.InputOffset()
		name, err := dec.Token()
		if err != nil {
			return source
		}
		if name == "_kuzzle_info" {
			return append(source[:before:before], '}')
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return source
		}
	}
	return source
}
