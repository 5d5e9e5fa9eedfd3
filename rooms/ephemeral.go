package rooms

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// An Ephemeral is a message to the rooms of a collection that is stored nowhere.
type Ephemeral struct {
	Index, Collection string
	// ID is the _id that filters see. "" is none.
	ID string
	// Body is a JSON object within the limits of documents.
	Body   []byte
	Time   time.Time
	Origin persistence.Origin
}

// Has says whether anybody is in a room of a collection.
func (e *Engine) Has(index, collection string) bool {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.collections[collectionName{index, collection}] != nil
}

// Tell notifies the members of the rooms whose filter matches m. No room with
// changed, crossed or near does: those are about changes of documents. Only
// whoever calls Apply may call it.
func (e *Engine) Tell(m *Ephemeral) error {
	d, err := m.prepare()
	if err != nil {
		return fmt.Errorf("rooms: match a message on %s/%s: %w", m.Index, m.Collection, err)
	}
	for _, a := range e.matching(m, d) {
		shown := *m
		if shown.Body, err = filter.Hide(m.Body, a.filter.Hidden()); err != nil {
			return fmt.Errorf("rooms: tell of a message on %s/%s: %w", m.Index, m.Collection, err)
		}
		var full []byte
		for _, o := range a.outlets {
			if len(o.members) == 0 || o.to.Kind != topics.Room {
				continue
			}
			opts := o.to.Room.Options
			if opts.Transitions&(topics.Enter|topics.Stay) == 0 {
				continue
			}
			msg := &Message{Topic: o.to.Text, From: m.Origin.ClientID}
			switch opts.Payload {
			case topics.Full:
				if full == nil {
					full = shown.notification(e.node, a.hash)
				}
				msg.Payload = full
			case topics.Body:
				msg.Payload = shown.Body
			case topics.None:
			}
			e.counts.ephemeral.Add(int64(len(o.members)))
			a.told.Add(int64(len(o.members)))
			e.out.Publish(o.to.Text, o.members, msg)
		}
	}
	return nil
}

func (e *Engine) matching(m *Ephemeral, d *filter.Document) []affected {
	e.mu.RLock()
	defer e.mu.RUnlock()
	c := e.collections[collectionName{m.Index, m.Collection}]
	if c == nil {
		return nil
	}
	all := appendAffected(nil, topics.Enter, c.matcher.Match(nil, d))
	sortAffected(all)
	return all
}

// prepare makes the message ready to be matched, as a document is.
func (m *Ephemeral) prepare() (*filter.Document, error) {
	d, err := filter.ParseDocument(StripInfo(m.Body), filter.DocumentLimits{Depth: math.MaxInt, Members: math.MaxInt, Elements: math.MaxInt, Digits: math.MaxInt})
	if err != nil {
		return nil, err
	}
	if m.ID != "" {
		d.Set("_id", m.ID)
	}
	d.Set(infoField+".author", userName(m.Origin.User))
	d.Set(infoField+".createdAt", float64(m.Time.UnixMilli()))
	return d, nil
}

// notification returns the message as Kuzzle writes it.
func (m *Ephemeral) notification(node, room string) []byte {
	b := make([]byte, 0, len(m.Body)+512)
	b = append(b, `{"type":"document","status":200,"action":"publish","scope":"in","event":"publish","result":{`...)
	if m.ID != "" {
		b = append(b, `"_id":`...)
		b = append(appendString(b, m.ID), ',')
	}
	b = append(b, `"_source":`...)
	b = appendOpenBody(b, m.Body)
	b = append(b, `"`+infoField+`":{"author":`...)
	b = appendString(b, userName(m.Origin.User))
	b = append(b, `,"createdAt":`...)
	b = strconv.AppendInt(b, m.Time.UnixMilli(), 10)
	b = append(b, `}}},"index":`...)
	b = appendString(b, m.Index)
	b = append(b, `,"collection":`...)
	b = appendString(b, m.Collection)
	b = append(b, `,"controller":"realtime","requestId":`...)
	b = appendOrigin(b, &m.Origin, m.Time)
	b = append(b, `,"node":`...)
	b = appendString(b, node)
	b = append(b, `,"room":"`...)
	b = append(b, room...)
	return append(b, `"}`...)
}
