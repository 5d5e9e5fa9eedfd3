package rooms

import (
	"cmp"
	"fmt"
	"iter"
	"strconv"

	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// Gap yields what is told instead of changes that the change log does not have
// any more, those after from: a notice, and then each document in scope as of
// the snapshot, entering, in the order of their ids. A topics.Scope is told the notice
// alone, and then its Snapshot.
func (r *Replay) Gap(s *persistence.Snapshot, from uint64) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		if !yield(r.notice(from, s.Seq()), nil) || r.to.Kind == topics.Scope || r.view.Filter.Momentary() {
			return
		}
		for doc, err := range s.Documents(r.to.Index, r.to.Collection, "") {
			var m *Message
			if err == nil {
				m, err = r.present(doc)
			}
			if err != nil {
				yield(nil, fmt.Errorf("rooms: snapshot of %s: %w", r.to.Text, err))
				return
			}
			if m != nil && !yield(m, nil) {
				return
			}
		}
	}
}

// present returns what is told of a document that is in scope: that it enters,
// as of its last change.
func (r *Replay) present(doc *persistence.Document) (*Message, error) {
	d, err := Prepare(doc)
	if err != nil {
		return nil, fmt.Errorf("document %s: %w", doc.Key.ID, err)
	}
	if !r.view.Filter.Match(d) {
		return nil, nil
	}
	return r.stand(doc, topics.Enter, doc.Seq)
}

// stand returns what is told of a document that has not changed: how it stands to the
// room as of a change.
func (r *Replay) stand(doc *persistence.Document, t topics.Transition, seq uint64) (*Message, error) {
	c := &persistence.Change{Seq: seq, Key: doc.Key, Action: persistence.Create, After: doc, Time: doc.CreatedAt}
	if doc.Version > 1 {
		c.Action, c.Time = persistence.Replace, doc.UpdatedAt
	}
	n := notification{change: c, node: r.node, room: r.hash, filter: r.view.Filter, transition: t}
	return n.message(r.to)
}

// notice says that changes are missing. Its payload is a JSON object where that
// of notifications is one of ours, and else empty: it would pass for a document. A scope is
// not synced any more, so that the message that said so is cleared; if the topic filter is
// for one document, that is.
func (r *Replay) notice(from, to uint64) *Message {
	m := &Message{Topic: r.to.Text, Seq: to}
	m.Gap = strconv.FormatUint(from, 10) + "-" + strconv.FormatUint(to, 10)
	if r.to.Kind == topics.Scope {
		m.Topic, m.Retain = r.to.Prefix()+cmp.Or(r.to.ID, SyncedID), true
		return m
	}
	if r.to.Room.Options.Payload != topics.Full {
		return m
	}
	b := strconv.AppendUint([]byte(`{"type":"gap","from":`), from, 10)
	b = append(b, `,"to":`...)
	b = strconv.AppendUint(b, to, 10)
	b = append(b, `,"index":`...)
	b = appendString(b, r.to.Index)
	b = append(b, `,"collection":`...)
	b = appendString(b, r.to.Collection)
	b = append(b, `,"room":"`...)
	b = append(b, r.hash...)
	m.Payload = append(b, `"}`...)
	return m
}
