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

// Snapshot yields what a topics.Scope tells first, and again when it was cut off before
// its end: the documents that are in scope, as retained messages in the order of their ids,
// and then the one that says that they were all. Before them it yields what has left of all
// that the view's member may have been told since a change, as far as the change log goes back to it:
// since is s.Seq() for one who was told nothing. It reads the store as it goes, and
// holds one document at a time. Now and then it yields a message with nothing
// but Seq: there is more to read. An error ends it.
func (r *Replay) Snapshot(s *persistence.Snapshot, since uint64) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		for m, err := range r.departed(s, since) {
			if err != nil {
				yield(nil, fmt.Errorf("rooms: snapshot of %s: %w", r.to.Text, err))
				return
			}
			if !yield(m, nil) {
				return
			}
		}
		for doc, err := range documents(s, r.to) {
			var m *Message
			if err == nil {
				m, err = r.member(doc, s.Seq())
			}
			if err != nil {
				yield(nil, fmt.Errorf("rooms: snapshot of %s: %w", r.to.Text, err))
				return
			}
			if m != nil && !yield(m, nil) {
				return
			}
		}
		if r.to.ID != "" && r.to.ID != SyncedID {
			return // the topic of $synced is not one that the member subscribed to
		}
		yield(&Message{
			Topic:   r.to.Prefix() + SyncedID,
			Payload: append(strconv.AppendUint([]byte(`{"seq":`), s.Seq(), 10), '}'),
			Retain:  true,
			Seq:     s.Seq(),
		}, nil)
	}
}

// member returns what is told of a document that is in scope, or may have been taken
// for that by an earlier filter; nil is nothing.
func (r *Replay) member(doc *persistence.Document, seq uint64) (m *Message, err error) {
	d, err := Prepare(doc)
	if err != nil {
		return nil, fmt.Errorf("document %s: %w", doc.Key.ID, err)
	}
	maybe, _ := r.view.standing(d)
	switch {
	case !maybe:
		return nil, nil
	case !holds(r.view.Filter, d):
		m, err = r.stand(doc, topics.Exit, seq)
	default:
		m = scopeMessage(r.to, doc)
		m.Payload, err = filter.Hide(m.Payload, r.view.Filter.Hidden())
	}
	if err != nil {
		return nil, fmt.Errorf("document %s: %w", doc.Key.ID, err)
	}
	return m, nil
}

// departed yields that documents exit which have left since a change, and are not in scope
// as of a snapshot. It says so once of each, if they are not too many to remember.
func (r *Replay) departed(s *persistence.Snapshot, since uint64) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		if s.Lost(r.to.Index, r.to.Collection) > since {
			return
		}
		told, n := map[string]bool{}, 0
		for c, err := range s.Changes(since) {
			if errors.Is(err, persistence.ErrTrimmed) {
				return
			}
			var m *Message
			if err == nil && !told[c.Key.ID] {
				m, err = r.departure(s, c)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if m == nil {
				if n++; n%pieceChanges == 0 && !yield(&Message{Seq: c.Seq}, nil) {
					return
				}
				continue
			}
			if len(told) < maxScanned {
				told[c.Key.ID] = true
			}
			if !yield(m, nil) {
				return
			}
		}
	}
}

// departure returns that a document exits, if a change has it leave for good.
func (r *Replay) departure(s *persistence.Snapshot, c *persistence.Change) (*Message, error) {
	if !r.isOf(c.Key) {
		return nil, nil
	}
	m, err := r.message(c)
	if err != nil || m == nil || m.Transition != topics.Exit {
		return nil, err
	}
	now, err := fetch(s, c.Key)
	if err != nil || holds(r.view.Filter, now) {
		return nil, err
	}
	return m, nil
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
