package rooms

import (
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ambitmq/ambit/filter"
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
	// Silent says that Kuzzle's clients are not told.
	Silent bool
	// From is the client that caused the change, for No Local [MQTT-3.8.3-3].
	From string
}

// A notification is one change as one room sees it.
type notification struct {
	change     *persistence.Change
	node, room string
	filter     *filter.Filter
	transition topics.Transition

	full []byte // the payload of topics.Full, once it was needed
	// lost says that the document is not one any more that the room's members may see;
	// doc is the version that the notification is about.
	lost bool
	doc  *persistence.Document
}

// look finds the version that the notification is about: the new one, or the last one
// of a document that is deleted. Of one that must not be seen any more, that is the last
// one that might have been, or nothing but its id.
func (n *notification) look() error {
	if n.doc != nil {
		return nil
	}
	c := n.change
	n.doc = c.After
	if n.doc == nil {
		n.doc = c.Before
	}
	if n.transition != topics.Exit || !n.filter.Ruled() {
		return nil
	}
	admitted, err := n.admits(n.doc)
	if err != nil || admitted {
		return err
	}
	n.lost, n.doc = true, &persistence.Document{Key: c.Key, Body: []byte("{}"), CreatedAt: time.UnixMilli(0)}
	if c.Before == nil || c.After == nil {
		return nil
	}
	if admitted, err = n.admits(c.Before); admitted {
		n.doc = c.Before
	}
	return err
}

// admits says whether the room's members may see a version.
func (n *notification) admits(doc *persistence.Document) (bool, error) {
	d, err := Prepare(doc)
	return err == nil && n.filter.Admits(d), err
}

// message returns what the notification is on one topic filter, or nil if its
// options do not let it pass.
func (n *notification) message(to topics.Filter) (m *Message, err error) {
	if err := n.look(); err != nil {
		return nil, err
	}
	doc := n.doc
	m = &Message{
		Topic: to.Text, ID: doc.Key.ID, Version: doc.Version,
		Transition: n.transition, Seq: n.change.Seq, From: n.change.Origin.ClientID, Silent: n.change.Origin.Silent,
	}
	if to.Kind == topics.Scope {
		if to.ID != "" && to.ID != doc.Key.ID {
			return nil, nil
		}
		m.Topic, m.Retain = to.Prefix()+doc.Key.ID, true
		m.Payload, err = n.body()
		return m, err
	}
	opts := to.Room.Options
	if opts.Transitions&n.transition == 0 {
		return nil, nil
	}
	switch opts.Payload {
	case topics.Full:
		m.Payload, err = n.fullPayload()
	case topics.Body:
		m.Payload, err = n.body()
	case topics.None:
	}
	return m, err
}

// body returns the document's body while it is in scope, and nothing when it
// has left.
func (n *notification) body() ([]byte, error) {
	if n.transition == topics.Exit {
		return nil, nil
	}
	return filter.Hide(n.doc.Body, n.filter.Hidden())
}

// fullPayload returns the notification as Kuzzle writes it, with Ambit's own
// fields behind it.
func (n *notification) fullPayload() ([]byte, error) {
	if n.full != nil {
		return n.full, nil
	}
	c, doc := n.change, n.doc
	source, err := filter.Hide(AppendSource(nil, doc), n.filter.Hidden())
	if err != nil {
		return nil, err
	}
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
	b = append(b, source...)
	b = append(b, `,"_version":`...)
	b = strconv.AppendUint(b, doc.Version, 10)
	if !n.lost {
		b = appendUpdatedFields(b, c, n.filter.Hidden())
	}
	b = append(b, `},"index":`...)
	b = appendString(b, c.Key.Index)
	b = append(b, `,"collection":`...)
	b = appendString(b, c.Key.Collection)
	b = append(b, `,"controller":"document","requestId":`...)
	origin := c.Origin
	if n.lost { // what goes with a change may say what it is
		origin.Volatile = nil
	}
	b = appendOrigin(b, &origin, c.Time)
	b = append(b, `,"node":`...)
	b = appendString(b, n.node)
	b = append(b, `,"room":"`...)
	b = append(b, n.room...)
	b = append(b, `","transition":"`...)
	b = append(b, n.transition.String()...)
	b = append(b, `","seq":`...)
	b = strconv.AppendUint(b, c.Seq, 10)
	n.full = append(b, '}')
	return n.full, nil
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
func appendUpdatedFields(b []byte, c *persistence.Change, hidden []string) []byte {
	if actionOf(c) != "update" {
		return b
	}
	b = append(b, `,"_updatedFields":[`...)
	first := len(b)
	for _, field := range c.Origin.Fields {
		if slices.ContainsFunc(hidden, func(path string) bool { return filter.Within(field, path) }) {
			continue
		}
		if len(b) > first {
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
