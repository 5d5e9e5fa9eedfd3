package hooks

import (
	"errors"
	"fmt"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/mappings"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/rooms"
	"github.com/ambitmq/ambit/sessions"
	"github.com/ambitmq/ambit/topics"
)

// protocol is what notifications call MQTT.
const protocol = "mqtt"

// Name says what a topic means: by its form, or by a mapping.
func (h *Hook) Name(topic string) (topics.Name, error) { return h.now().name(topic, h.topics) }

// Document returns the change of a document that a message asks for, or nil if
// it is an ordinary message.
func (h *Hook) Document(by sessions.Rights, name topics.Name, m *sessions.Message) (*persistence.Write, error) {
	w, err := h.document(name, m)
	if err != nil || by == nil {
		return w, err
	}
	return w, mayWrite(by, m.Topic, w)
}

func (h *Hook) document(name topics.Name, m *sessions.Message) (*persistence.Write, error) {
	o := h.now()
	collection, ok := o.collection(name)
	if !ok {
		return nil, nil
	}
	w := &persistence.Write{
		Key:      persistence.Key{Index: name.Index, Collection: name.Collection, ID: name.ID},
		Retained: m.Retain && name.Mapping == nil, Time: time.Now().UTC(),
		Origin:    persistence.Origin{ClientID: m.From, User: m.User, Protocol: protocol},
		Ephemeral: collection.Ephemeral,
	}
	if volatile, ok := m.UserProperty("volatile"); ok {
		if err := filter.CheckJSON(volatile, h.opts.Documents); err != nil {
			return nil, h.refuseVolatile(err)
		}
		w.Origin.Volatile = volatile
	}
	body, merged, err := o.body(name, m.Payload, collection)
	if errors.Is(err, mappings.ErrOrdinary) {
		return nil, nil
	}
	if err != nil {
		return nil, h.refuseDocument(err)
	}
	switch {
	case len(body) == 0:
		return w, nil
	case merged:
		if err = h.patch(w, body); err != nil {
			return nil, err
		}
	default:
		w.Body = body
	}
	if collection.TTL > 0 {
		w.Expires = h.store.Now().Add(collection.TTL)
	}
	return w, nil
}

// patch makes a write the edit that a merge patch is, and an update of what it names. What
// it makes of a document has to be within the limits, too.
func (h *Hook) patch(w *persistence.Write, text []byte) error {
	changes, err := parse(text)
	if err != nil {
		return err
	}
	w.Origin.Update, w.Origin.Fields = true, changes.fields()
	w.Edit = func(before *persistence.Document) ([]byte, error) {
		var was []byte
		if before != nil {
			was = before.Body
		}
		body, err := merge(was, changes)
		if err != nil {
			return nil, err
		}
		if limit := h.now().DocumentBytes; limit > 0 && len(body) > limit {
			return nil, &sessions.Error{Code: packets.ErrQuotaExceeded.Code, Text: fmt.Sprintf("the document would have %d bytes, the limit is %d", len(body), limit)}
		}
		if _, err := filter.ParseDocument(body, h.now().Documents); err != nil {
			return nil, h.refuseDocument(err)
		}
		return body, nil
	}
	return nil
}

// Tell returns what tells the rooms of a collection of a message on its topic.
// What is no JSON object within the limits is an ordinary message, and no more.
func (h *Hook) Tell(name topics.Name, m *sessions.Message) func(kept *sessions.Message) {
	if !h.rooms.Has(name.Index, name.Collection) {
		return nil
	}
	if _, err := filter.ParseDocument(m.Payload, h.now().Documents); err != nil {
		return nil
	}
	at := time.Now().UTC()
	return func(kept *sessions.Message) {
		e := &rooms.Ephemeral{
			Index: name.Index, Collection: name.Collection, Body: kept.Payload, Time: at,
			Origin: persistence.Origin{ClientID: kept.From, User: kept.User, Protocol: protocol},
		}
		if volatile, ok := kept.UserProperty("volatile"); ok && filter.CheckJSON(volatile, h.opts.Documents) == nil {
			e.Origin.Volatile = volatile
		}
		if err := h.rooms.Tell(e); err != nil {
			h.opts.Log.Error("notify", "client", kept.From, "error", err)
		}
	}
}
