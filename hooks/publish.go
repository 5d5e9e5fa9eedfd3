package hooks

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/rooms"
	"github.com/ambitmq/ambit/sessions"
	"github.com/ambitmq/ambit/topics"
)

// protocol is what notifications call MQTT.
const protocol = "mqtt"

// Document returns the change of a document that a message asks for, or nil if
// it is an ordinary message.
func (h *Hook) Document(name topics.Name, m *sessions.Message) (*persistence.Write, error) {
	collection, declared := h.opts.Collections[name.Index+"/"+name.Collection]
	if !declared && !h.opts.AutoCreate {
		return nil, nil
	}
	w := &persistence.Write{
		Key:      persistence.Key{Index: name.Index, Collection: name.Collection, ID: name.ID},
		Retained: m.Retain, Time: time.Now().UTC(),
		Origin:    persistence.Origin{ClientID: m.From, User: m.User, Protocol: protocol},
		Ephemeral: collection.Ephemeral,
	}
	if volatile, ok := m.UserProperty("volatile"); ok {
		if !json.Valid(volatile) {
			return nil, &sessions.Error{Code: packets.ErrPayloadFormatInvalid.Code, Text: "the user property volatile is not JSON"}
		}
		w.Origin.Volatile = volatile
	}
	if len(m.Payload) == 0 {
		return w, nil
	}
	_, err := filter.ParseDocument(m.Payload, h.opts.Documents)
	if errors.Is(err, filter.ErrNotObject) && !collection.Strict {
		return nil, nil
	}
	if err != nil {
		return nil, refuse(err)
	}
	if collection.Merge {
		if w.Edit, err = h.patch(m.Payload); err != nil {
			return nil, err
		}
	} else {
		w.Body = m.Payload
	}
	if collection.TTL > 0 {
		w.Expires = h.store.Now().Add(collection.TTL)
	}
	return w, nil
}

// patch returns the edit that a merge patch is. What it makes of a document has to be
// within the limits, too.
func (h *Hook) patch(text []byte) (func(*persistence.Document) ([]byte, error), error) {
	changes, err := parse(text)
	if err != nil {
		return nil, err
	}
	return func(before *persistence.Document) ([]byte, error) {
		var was []byte
		if before != nil {
			was = before.Body
		}
		body, err := merge(was, changes)
		if err != nil {
			return nil, err
		}
		if limit := h.opts.DocumentBytes; limit > 0 && len(body) > limit {
			return nil, &sessions.Error{Code: packets.ErrQuotaExceeded.Code, Text: fmt.Sprintf("the document would have %d bytes, the limit is %d", len(body), limit)}
		}
		if _, err := filter.ParseDocument(body, h.opts.Documents); err != nil {
			return nil, refuse(err)
		}
		return body, nil
	}, nil
}

// Tell returns what tells the rooms of a collection of a message on its topic.
// What is no JSON object within the limits is an ordinary message, and no more.
func (h *Hook) Tell(name topics.Name, m *sessions.Message) func(kept *sessions.Message) {
	if !h.rooms.Has(name.Index, name.Collection) {
		return nil
	}
	if _, err := filter.ParseDocument(m.Payload, h.opts.Documents); err != nil {
		return nil
	}
	at := time.Now().UTC()
	return func(kept *sessions.Message) {
		e := &rooms.Ephemeral{
			Index: name.Index, Collection: name.Collection, Body: kept.Payload, Time: at,
			Origin: persistence.Origin{ClientID: kept.From, User: kept.User, Protocol: protocol},
		}
		if volatile, ok := kept.UserProperty("volatile"); ok && json.Valid(volatile) {
			e.Origin.Volatile = volatile
		}
		if err := h.rooms.Tell(e); err != nil {
			h.opts.Log.Error("notify", "error", err)
		}
	}
}
