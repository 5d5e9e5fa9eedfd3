package hooks

import (
	"errors"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/mappings"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// Meaning is what a message does to a document, without regard to rights.
type Meaning struct {
	// Key is that of the document.
	Key persistence.Key
	// Body is what is written, empty if the document is deleted.
	Body []byte
	// Merged says that it is merged into the document that is there.
	Merged bool
}

// Meaning says what a message does by the settings: nil if it is an ordinary message
// alone. The error says why it would be refused.
func (o *Options) Meaning(topic string, lim topics.Limits, payload []byte) (*Meaning, error) {
	name, err := o.name(topic, lim)
	if err != nil || name.Kind != topics.Document {
		return nil, err
	}
	collection, ok := o.collection(name)
	if !ok {
		return nil, nil
	}
	body, merged, err := o.body(name, payload, collection)
	if errors.Is(err, mappings.ErrOrdinary) {
		return nil, nil
	}
	key := persistence.Key{Index: name.Index, Collection: name.Collection, ID: name.ID}
	return &Meaning{Key: key, Body: body, Merged: merged}, err
}

// name says what a topic means: by its form, or by a mapping.
func (o *Options) name(topic string, lim topics.Limits) (topics.Name, error) {
	name, err := topics.ParseName(topic, lim)
	if err != nil || name.Kind == topics.Request {
		return name, err
	}
	m, err := o.Mappings.Find(topic)
	if m == nil || err != nil {
		return name, err
	}
	return topics.Name{Kind: topics.Document, Index: m.Index, Collection: m.Collection, ID: m.ID, Mapping: m}, nil
}

// collection returns the settings of the collection of a document, if it may hold any.
func (o *Options) collection(name topics.Name) (c Collection, ok bool) {
	c, ok = o.Collections[name.Index+"/"+name.Collection]
	return c, ok || o.AutoCreate
}

// body returns the document that a payload is, empty if it is deleted, and whether it
// is merged into the one that is there. The error is [mappings.ErrOrdinary] for an
// ordinary message.
func (o *Options) body(name topics.Name, payload []byte, c Collection) (body []byte, merged bool, err error) {
	if m, ok := name.Mapping.(*mappings.Match); ok {
		body, err = m.Document(payload, o.Documents)
		return body, c.Merge || m.Merge(), err
	}
	if len(payload) == 0 {
		return nil, false, nil
	}
	_, err = filter.ParseDocument(payload, o.Documents)
	if errors.Is(err, filter.ErrNotObject) && !c.Strict {
		err = mappings.ErrOrdinary
	}
	return payload, c.Merge, err
}
