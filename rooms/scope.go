package rooms

import (
	"errors"
	"fmt"
	"iter"
	"strconv"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// SyncedID is the last level of the topic on which a scope tells that its
// snapshot is complete. No document has this id.
const SyncedID = "$synced"

// Snapshot yields the documents that are in scope of to, a topics.Scope with
// filter f, as retained messages in the order of their ids, and then the one
// that says that they were all. It reads the store as it goes and holds one
// document at a time; an error ends it.
func Snapshot(s *persistence.Snapshot, to topics.Filter, f *filter.Filter) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		for doc, err := range documents(s, to) {
			if err != nil {
				yield(nil, fmt.Errorf("rooms: snapshot of %s: %w", to.Text, err))
				return
			}
			d, err := Prepare(doc)
			if err != nil {
				yield(nil, fmt.Errorf("rooms: snapshot of %s: document %s: %w", to.Text, doc.Key.ID, err))
				return
			}
			if !f.Match(d) {
				continue
			}
			m := scopeMessage(to, doc)
			if m.Payload, err = filter.Hide(m.Payload, f.Hidden()); err != nil {
				yield(nil, fmt.Errorf("rooms: snapshot of %s: document %s: %w", to.Text, doc.Key.ID, err))
				return
			}
			if !yield(m, nil) {
				return
			}
		}
		if to.ID != "" && to.ID != SyncedID {
			return // the topic of $synced is not one that the member subscribed to
		}
		yield(&Message{
			Topic:   to.Prefix() + SyncedID,
			Payload: append(strconv.AppendUint([]byte(`{"seq":`), s.Seq(), 10), '}'),
			Retain:  true,
			Seq:     s.Seq(),
		}, nil)
	}
}

// documents yields those that a scope may be about: one, or the collection.
func documents(s *persistence.Snapshot, to topics.Filter) iter.Seq2[*persistence.Document, error] {
	if to.ID == "" {
		return s.Documents(to.Index, to.Collection, "")
	}
	return func(yield func(*persistence.Document, error) bool) {
		doc, err := s.Get(persistence.Key{Index: to.Index, Collection: to.Collection, ID: to.ID})
		if !errors.Is(err, persistence.ErrNotFound) {
			yield(doc, err)
		}
	}
}

func scopeMessage(to topics.Filter, doc *persistence.Document) *Message {
	return &Message{
		Topic: to.Prefix() + doc.Key.ID, Payload: doc.Body, Retain: true,
		ID: doc.Key.ID, Version: doc.Version, Transition: topics.Enter, Seq: doc.Seq,
	}
}
