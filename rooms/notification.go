package rooms

import (
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// A Message is what one outlet of a room sends for one change.
type Message struct {
	// Topic is the one that the member subscribed to; for a scope, that of one
	// document in it.
	Topic   string
	Payload []byte
	// Retain is set on the messages of a scope.
	Retain bool
	// ID, Version and Transition are those of the document, and Seq that of the
	// change. A $synced message has only Seq, and an [Ephemeral] none of them.
	ID         string
	Version    uint64
	Transition topics.Transition
	Seq        uint64
	// Gap is "<from>-<to>" when the message says that the changes after the one and
	// up to the other cannot be told: it is about no document.
	Gap string
	// From is the client that caused the change, for No Local [MQTT-3.8.3-3].
	From string
}

// A notification is one change as one room sees it.
type notification struct {
	change     *persistence.Change
	node, room string
	transition topics.Transition

	full []byte // the payload of topics.Full, once it was needed
}

// document returns the version that the notification is about: the new one, or
// the last one of a deleted document.
func (n *notification) document() *persistence.Document {
	if n.change.After != nil {
		return n.change.After
	}
	return n.change.Before
}

// message returns what the notification is on one topic filter, or nil if its
// options do not let it pass.
func (n *notification) message(to topics.Filter) *Message {
	doc := n.document()
	m := &Message{
		Topic: to.Text, ID: doc.Key.ID, Version: doc.Version,
		Transition: n.transition, Seq: n.change.Seq, From: n.change.Origin.ClientID,
	}
	if to.Kind == topics.Scope {
		if to.ID != "" && to.ID != doc.Key.ID {
			return nil
		}
		m.Topic, m.Retain, m.Payload = to.Prefix()+doc.Key.ID, true, n.body()
		return m
	}
	opts := to.Room.Options
	if opts.Transitions&n.transition == 0 {
		return nil
	}
	switch opts.Payload {
	case topics.Full:
		m.Payload = n.fullPayload()
	case topics.Body:
		m.Payload = n.body()
	case topics.None:
	}
	return m
}

// body returns the document's body while it is in scope, and nothing when it
// has left.
func (n *notification) body() []byte {
	if n.transition == topics.Exit {
		return nil
	}
	return n.document().Body
}

// fullPayload returns the notification as Kuzzle writes it, with Ambit's own
// fields behind it.
func (n *notification) fullPayload() []byte {
	if n.full != nil {
		return n.full
	}
	c, doc := n.change, n.document()
	event := "write"
	if c.Action == persistence.Delete {
		event = "delete"
	}
	b := make([]byte, 0, len(doc.Body)+640)
	b = append(b, `{"type":"document","status":200,"action":"`...)
	b = append(b, actionOf(c)...)
	b = append(b, `","scope":"`...)
	b = append(b, n.transition.Scope()...)
	b = append(b, `","event":"`...)
	b = append(b, event...)
	b = append(b, `","result":{"_id":`...)
	b = appendString(b, doc.Key.ID)
	b = append(b, `,"_source":`...)
	b = AppendSource(b, doc)
	b = append(b, `,"_version":`...)
	b = strconv.AppendUint(b, doc.Version, 10)
	b = appendUpdatedFields(b, c)
	b = append(b, `},"index":`...)
	b = appendString(b, c.Key.Index)
	b = append(b, `,"collection":`...)
	b = appendString(b, c.Key.Collection)
	b = append(b, `,"controller":"document","requestId":`...)
	b = appendOrigin(b, &c.Origin, c.Time)
	b = append(b, `,"node":`...)
	b = appendString(b, n.node)
	b = append(b, `,"room":"`...)
	b = append(b, n.room...)
	b = append(b, `","transition":"`...)
	b = append(b, n.transition.String()...)
	b = append(b, `","seq":`...)
	b = strconv.AppendUint(b, c.Seq, 10)
	n.full = append(b, '}')
	return n.full
}

// appendOrigin appends the value of requestId, and what else is told of the
// request behind a notification.
func appendOrigin(b []byte, o *persistence.Origin, at time.Time) []byte {
	b = appendStringOrNull(b, o.RequestID)
	b = append(b, `,"timestamp":`...)
	b = strconv.AppendInt(b, at.UnixMilli(), 10)
	b = append(b, `,"volatile":`...)
	b = appendRawOrNull(b, o.Volatile)
	b = append(b, `,"protocol":`...)
	return appendStringOrNull(b, o.Protocol)
}

// actionOf returns what Kuzzle calls a change: an update names some fields of a
// document, and the others stay.
func actionOf(c *persistence.Change) string {
	if c.Action == persistence.Replace && c.Origin.Update {
		return "update"
	}
	return c.Action.String()
}

// appendUpdatedFields appends the fields that an update named.
func appendUpdatedFields(b []byte, c *persistence.Change) []byte {
	if actionOf(c) != "update" {
		return b
	}
	b = append(b, `,"_updatedFields":[`...)
	for i, field := range c.Origin.Fields {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, field)
	}
	return append(b, ']')
}

// appendString appends s as a JSON string. Invalid UTF-8, which no topic or
// document lets in, would become U+FFFD.
func appendString(b []byte, s string) []byte {
	b, _ = jsontext.AppendQuote(b, s) // the error only reports the replacement
	return b
}

func appendStringOrNull(b []byte, s string) []byte {
	if s == "" {
		return append(b, "null"...)
	}
	return appendString(b, s)
}

func appendRawOrNull(b, raw []byte) []byte {
	if len(raw) == 0 {
		return append(b, "null"...)
	}
	return append(b, raw...)
}
